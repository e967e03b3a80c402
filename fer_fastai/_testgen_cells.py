"""Read the code cells of a notebook for `fer_fastai._testgen`: sections, checks, and the names that cells use

The module is written by hand and imports nothing of the package.
"""

import ast
import re
from dataclasses import dataclass, field

MARKERS = ("slow", "browser", "real")
EXPORTS = {"export", "exporti", "exports"}
EDGE_CASES = "Edge cases"  # the section whose `###` headings start tests too
CHECKS = re.compile(r"(test|assert)_\w+|expect_fail|ExceptionExpected|raises")


class TestGenError(ValueError):
    "Error for a notebook cell that cannot become a test"

    __test__ = False


@dataclass
class Cell:
    "One code cell, with its directives in `flags` and not in `source`"

    id: str
    source: str
    flags: dict
    where: str  # "nbs/00_core.ipynb #1a2b3c4d"
    exported: bool = False
    tree: ast.Module | None = None  # None when it is not plain Python
    problem: str = ""
    stars: tuple = ()  # lines such as `from fer_fastai.all import *`: a function can't contain them

    @classmethod
    def read(cls, cell, notebook):
        "Create a Cell from a cell of nbdev"
        flags = dict(getattr(cell, "directives_", {}))
        source = cell.source.strip("\n")
        stars = tuple(re.findall(r"^from \w+\.all import \*$", source, flags=re.MULTILINE))
        source = re.sub(r"^from \w+\.all import \*\n?", "", source, flags=re.MULTILINE).strip("\n")
        new = cls(cell.id, source, flags, f"{notebook} #{cell.id}", bool(EXPORTS & set(flags)), stars=stars)
        try:
            new.tree = ast.parse(new.source)
        except SyntaxError as error:
            new.problem = f"line {error.lineno}: {error.msg}"
        return new

    def parsed(self):
        "Return the syntax tree; star imports and IPython magics raise TestGenError"
        for node in ast.walk(self.tree) if self.tree else ():
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                raise TestGenError(f"{self.where}: `{ast.unparse(node)}`: name what you import.")
        if self.tree is None:
            raise TestGenError(
                f"{self.where}: not plain Python ({self.problem}), so it cannot become a test. "
                "Write it without IPython magics, or put `#| eval: false` on its first line."
            )
        return self.tree

    def loop(self):
        "Return the `for` loop at the end of a cell with `#| cases`, None for other cells"
        if "cases" not in self.flags:
            return None
        last = self.parsed().body[-1] if self.parsed().body else None
        if not isinstance(last, ast.For) or last.orelse or not has_check(last):
            raise TestGenError(
                f"{self.where}: no loop with a check at the end; expected `for case in cases: ...` after `#| cases`."
            )
        return last


@dataclass
class Section:
    "The cells under one heading"

    title: str
    cells: list = field(default_factory=list)

    def checks(self):
        "Return whether a cell checks something"
        return any(cell.tree is not None and has_check(cell.tree) for cell in self.cells)

    def trees(self):
        "List the syntax trees of the cells"
        return [cell.parsed() for cell in self.cells]

    def markers(self):
        "List the pytest markers that directives of the cells name"
        return [name for name in MARKERS if any(name in cell.flags for cell in self.cells)]

    def cases(self):
        "Return the cell with `#| cases`, None without one; another check in the section raises TestGenError"
        found = [cell for cell in self.cells if "cases" in cell.flags]
        if not found:
            return None
        others = [cell for cell in self.cells if cell is not found[0] and has_check(cell.parsed())]
        if others:
            raise TestGenError(
                f"{others[0].where}: a second check in section `## {self.title}` with `#| cases`; "
                "expected one. Put it under another heading."
            )
        return found[0]


def has_check(tree):
    "Return whether the code asserts, calls `test_...` or `assert_...`, or expects an error"
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if CHECKS.fullmatch(name):
                return True
    return False


def used_names(trees):
    "Return every name that the code reads"
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)}


def bound_names(trees):
    "Return every name that the code sets, in any scope"
    names = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add(bound_by(node))
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
    return names


def bound_by(alias):
    "Return the name that an import sets: `import a.b` sets a, `import a.b as c` sets c"
    return alias.asname or alias.name.split(".")[0]


def defined_names(tree):
    "Return the functions, classes and constants that a module gets from this code, plain imports left out"
    names, stack = set(), list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue  # names for annotations only
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
            for child in ast.iter_child_nodes(node):
                stack.extend(child.body if isinstance(child, ast.ExceptHandler) else [child])
        elif isinstance(node, ast.Import | ast.ImportFrom):
            if node not in tree.body:
                names |= {bound_by(alias) for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif not isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))  # the variables of a comprehension stay inside it
    return names


def plain_imports(cell):
    "Return the import statements of a cell"
    return ast.Module([node for node in cell.parsed().body if isinstance(node, ast.Import | ast.ImportFrom)], [])


def headings(text):
    "List (level, title) of the `##` and `###` headings of a Markdown cell, code fences left out"
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return [(len(marks), title) for marks, title in re.findall(r"^(###?) +(.+?)\s*$", text, flags=re.M)]


def split(nb, notebook):
    "Return (cells before the first `##`, sections, exported cells) of a notebook"
    preamble, sections, exported, edge = [], [], [], False
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            for level, title in headings(cell.source):
                edge = title.startswith(EDGE_CASES) if level == 2 else edge
                if level == 2 or edge:
                    sections.append(Section(title))
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        new = Cell.read(cell, notebook)
        if new.exported:
            exported.append(new)
        elif new.flags.get("eval", "").strip().lower() != "false":
            (sections[-1].cells if sections else preamble).append(new)
    return preamble, sections, exported


def check_alone(section, known, elsewhere, notebook):
    "Raise TestGenError when a section needs a name that only another section sets"
    missing = used_names(section.trees()) - bound_names(section.trees()) - known
    for name in sorted(missing & elsewhere):
        raise TestGenError(
            f"{notebook}: section `## {section.title}` uses `{name}`, which another section sets. "
            "Each section becomes a separate test: set it there too, export it, or set it before the first `##`."
        )
    if "get_ipython" in missing:
        raise TestGenError(f"{notebook}: section `## {section.title}` uses get_ipython(): a test has none.")
    if (cell := section.cases()) is not None:
        loop = cell.loop()
        inner = bound_names([ast.Module([ast.Expr(loop.target)], []), *loop.body])
        for name in sorted((used_names(loop.body) - inner - known) & bound_names(section.trees())):
            raise TestGenError(
                f"{cell.where}: the loop of `#| cases` uses `{name}`, which the section sets. "
                "Each case becomes a separate test: put it into the cases, or set it before the first `##`."
            )
