"""Public names of the library with their signatures and descriptions, read from the notebooks for tools/docs.py

Names, comments and docstrings come from the syntax trees of the export cells; no module is imported.
"""

import ast
import io
import json
import re
import textwrap
import tokenize
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PARTS = {  # first word of a notebook's default_exp: title of its part, in reading order
    "core": "Core",
    "io": "Core",
    "data": "Data",
    "models": "Models",
    "train": "Training",
    "evaluate": "Evaluation",
    "clean": "Label cleaning",
    "interpret": "Interpretation",
    "compress": "Compression",
    "deploy": "Deployment",
    "papers": "Papers",
    "cli": "Command line",
    "__main__": "Command line",
    "all": "Public names",
}
CHECKS = "Checks"  # part of the notebooks that export nothing
DIRECTIVE = re.compile(r"^#\|\s*(\w+)", re.MULTILINE)
DEFAULT_EXP = re.compile(r"#\|\s*default_exp\s+(\S+)")
HOOKS = re.compile(r"(before|after)_|(forward|backward|encodes|decodes)$")  # methods that a framework calls
LONGEST_CONSTANT = 12  # lines of a constant that are shown


@dataclass(frozen=True)
class Name:
    "A public name of a module"

    module: str  # such as "clean.issues"
    name: str  # such as "find_issues"; "FaceSet.apply" for a method added by @patch
    signature: str  # source of the signature with its comments; empty for a long constant
    docstring: str  # whole docstring, or the comment behind a constant
    members: tuple[str, ...] = ()  # fields and methods of a class

    @property
    def label(self) -> str:
        "Target of links; labels are not case-sensitive"
        capital = "-class" if self.name[:1].isupper() else ""
        return f"fer_fastai.{self.module}.{self.name}{capital}"

    @property
    def is_constant(self) -> bool:
        return not re.match(r"(async )?def |class |@", self.signature)

    @property
    def summary(self) -> str:
        "First line of the docstring"
        return self.docstring.strip().split("\n")[0]


@dataclass(frozen=True)
class Notebook:
    "A notebook with the public names that its cells export"

    path: Path
    content: dict

    @classmethod
    def read(cls, path):
        return cls(path, json.loads(path.read_text(encoding="utf-8")))

    @cached_property
    def module(self):
        "Module without the package's name; None for a notebook that exports nothing"
        sources = (source_of(cell) for cell in self.content["cells"] if cell["cell_type"] == "code")
        return next((found[1] for source in sources if (found := DEFAULT_EXP.match(source))), None)

    @property
    def part(self):
        "Title of the part of the library"
        if self.module is None:
            return CHECKS
        first = self.module.split(".")[0]
        return PARTS.get(first, first.capitalize())

    @property
    def title(self):
        return next(line[2:].strip() for line in self._first_lines if line.startswith("# "))

    @property
    def promise(self):
        "Quoted sentence under the title; empty if there is none"
        return next((line[2:].strip() for line in self._first_lines if line.startswith("> ")), "")

    @property
    def _first_lines(self):
        return source_of(self.content["cells"][0]).split("\n")

    @cached_property
    def names(self):
        "Public names, by id of the cell that defines them"
        if self.module is None:
            return {}
        cells = [cell for cell in self.content["cells"] if cell["cell_type"] == "code" and is_exported(cell)]
        found = {cell["id"]: list(public_names(source_of(cell), self.module)) for cell in cells}
        return {cell_id: names for cell_id, names in found.items() if names}

    @property
    def all_names(self):
        return [name for names in self.names.values() for name in names]


def source_of(cell):
    "Return the text of a cell"
    return "".join(cell["source"])


def directives(source):
    "Return the names of nbdev's directives in a cell"
    return set(DIRECTIVE.findall(source))


def is_exported(cell):
    return "export" in directives(source_of(cell))


def part_of(notebooks):
    "Group notebooks by part, parts in reading order"
    known = [*dict.fromkeys(PARTS.values()), CHECKS]
    others = {nb.part for nb in notebooks} - set(known)
    titles = [*known[:-1], *sorted(others), CHECKS]
    grouped = {title: [nb for nb in notebooks if nb.part == title] for title in titles}
    return {title: group for title, group in grouped.items() if group}


def public_names(source, module):
    "Generate the public names that the source of a cell defines"
    lines = source.split("\n")
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            yield from functions(node, lines, module)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            members = tuple(public_members(node))
            yield Name(module, node.name, class_signature(node, lines), ast.get_docstring(node) or "", members)
        else:
            yield from constants(node, lines, module)


def functions(node, lines, module):
    "Generate the name of a public function, or of each class that it patches"
    if node.name.startswith("_"):
        return
    docstring = ast.get_docstring(node) or ""
    names = [f"{owner}.{node.name}" for owner in patched_classes(node)] or [node.name]
    for name in names:
        yield Name(module, name, header(node, lines), docstring)


def patched_classes(node):
    "Return the names of the classes to which fastcore's @patch adds a function"
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    if not any(re.match(r"patch(\(|$)", decorator) for decorator in decorators) or not node.args.args:
        return []
    annotation = node.args.args[0].annotation
    owners = re.split(r"\s*\|\s*", ast.unparse(annotation).strip("'\"")) if annotation is not None else []
    return [owner for owner in owners if not owner.startswith("_")]


def constants(node, lines, module):
    "Generate the public constants of an assignment, each with its source if that is short"
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    flat = [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]
    text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    shown = text if text.count("\n") < LONGEST_CONSTANT else ""
    for target in flat:
        if isinstance(target, ast.Name) and not target.id.startswith("_"):
            yield Name(module, target.id, shown, comment_of(lines[node.lineno - 1]))


def comment_of(line):
    "Return the comment at the end of a line of code, an empty string without one"
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(line).readline))
    except (tokenize.TokenError, IndentationError):  # the line opens a bracket that later lines close
        found = re.search(r"[\[({]\s*#\s*(.*)$", line)
        return found[1] if found else ""
    return next((token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT), "")


def header(node, lines):
    "Return the source of a function or class up to its body, without its indentation"
    start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    body = node.body[0]
    end = min([body.lineno, *(each.lineno for each in getattr(body, "decorator_list", []))])
    kept = lines[start - 1 : end - 1]
    if end == node.lineno or lines[end - 1].encode()[: body.col_offset].strip():  # the body starts on the header's line
        kept.append(lines[end - 1].encode()[: body.col_offset].decode().rstrip())
    return textwrap.dedent("\n".join(kept)).strip()


def fields(node):
    "Return the public annotated fields of a class"
    annotated = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
    return [each for each in annotated if not each.target.id.startswith("_")]


def methods(node):
    "Return the public methods of a class; those that a framework calls only if they have a docstring"
    found = []
    for each in node.body:
        if not isinstance(each, ast.FunctionDef) or each.name.startswith("_"):
            continue
        if ast.get_docstring(each) or not HOOKS.match(each.name):
            found.append(each)
    return found


def public_members(node):
    yield from (each.target.id for each in fields(node))
    yield from (each.name for each in methods(node))
    for each in node.body:  # traits and class attributes
        if isinstance(each, ast.Assign):
            yield from (target.id for target in each.targets if isinstance(target, ast.Name) and target.id[0] != "_")


def class_signature(node, lines):
    "Outline of a class: how it is created, its fields, and its public methods with their docstrings"
    blocks = []
    if rows := [line for each in fields(node) for line in lines[each.lineno - 1 : each.end_lineno]]:
        blocks.append(textwrap.dedent("\n".join(rows)))
    constructor = next((each for each in node.body if getattr(each, "name", "") == "__init__"), None)
    if constructor is not None:
        blocks.append(header(constructor, lines))
    for method in methods(node):
        docstring = (ast.get_docstring(method) or "").strip().split("\n")[0]
        quoted = f'\n    "{docstring}"' if docstring else ""
        blocks.append(header(method, lines) + quoted)
    body = textwrap.indent(joined(blocks), "    ")
    return "\n".join(filter(None, [header(node, lines), body]))


def joined(blocks):
    "Join members of a class with empty lines around those that span several lines"
    text = ""
    for before, block in zip(["", *blocks], blocks, strict=False):
        text += ("\n\n" if "\n" in before + block else "\n") + block
    return text.strip("\n")
