"""Check the names that scripts take from the package: `python tools/names.py`

Scripts are the files of benchmarks and tools. Checked are imports of fer_fastai, keywords of its functions, names of
recipes, and strings of code that run in another process or in a notebook. The source is parsed, nothing is imported.
"""

import ast
import builtins
import functools
import runpy
import symtable
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "fer_fastai"
FOLDERS = ("benchmarks", "tools")
TABLE = ROOT / PACKAGE / "train" / "recipe_table.py"


@functools.cache
def module_source(module):
    "Return the source of a module of the package, None without such a module"
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return path.read_text(encoding="utf-8") if path.is_file() else None


@functools.cache
def module_names(module):
    "Return the names that a module of the package defines or imports, and its submodules; None without such a module"
    source, folder = module_source(module), ROOT.joinpath(*module.split("."))
    below = {each.stem for each in folder.iterdir()} if folder.is_dir() else set()
    return None if source is None else below | symbols(source)[0]


@functools.cache
def module_keywords(module):
    "Return name -> parameters of the functions of a module that have no `**` parameter"
    functions = [node for node in ast.parse(module_source(module) or "").body if isinstance(node, ast.FunctionDef)]
    known = {node.name: node.args for node in functions if node.args.kwarg is None}
    return {name: {each.arg for each in (*args.args, *args.kwonlyargs)} for name, args in known.items()}


def symbols(code):
    "Return the global names that code defines, and those that it reads, also inside functions"
    tables = [symtable.symtable(code, "code", "exec")]
    for table in tables:
        tables.extend(table.get_children())
    top, *inner = tables
    defined = {each.get_name() for each in top.get_symbols() if each.is_assigned() or each.is_imported()}
    read = {each.get_name() for each in top.get_symbols() if each.is_referenced()}
    for table in inner:
        read |= {each.get_name() for each in table.get_symbols() if each.is_global() and each.is_referenced()}
    return defined, read


def code_strings(tree):
    "Yield line and text of the strings that contain imports; of templates, the imports alone"
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str) and "import " in node.value):
            continue
        try:
            ast.parse(node.value)
            yield node.lineno, node.value
        except SyntaxError:
            lines = [line for line in node.value.splitlines() if line.startswith(f"from {PACKAGE}")]
            yield node.lineno, "\n".join(lines)


def missing_imports(tree):
    "Yield line and finding for each import from the package that does not exist"
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            names = module_names(node.module)
            for name in (alias.name for alias in node.names):
                if names is None or name not in names:
                    yield node.lineno, f"no {name} in {node.module}"
        elif isinstance(node, ast.Import):
            for module in (alias.name for alias in node.names):
                if module.split(".")[0] == PACKAGE and module_names(module) is None:
                    yield node.lineno, f"no module {module}"


def missing_keywords(tree):
    "Yield line and finding for each keyword, also in `partial`, that a function of the package does not have"
    nodes, known = list(ast.walk(tree)), {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            keywords = module_keywords(node.module)
            known |= {each.asname or each.name: keywords[each.name] for each in node.names if each.name in keywords}
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        is_partial = getattr(node.func, "id", "") == "partial" and node.args
        function = getattr(node.args[0] if is_partial else node.func, "id", "")
        for name in (each.arg for each in node.keywords if each.arg and function in known):
            if name not in known[function]:
                yield node.lineno, f"no parameter {name} of {function}"


def missing_recipes(tree, recipes):
    "Yield line and finding for `get_recipe(name)` and `RECIPES[name]` with an unknown name"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "get_recipe" and node.args:
            name = node.args[0]
        elif isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "RECIPES":
            name = node.slice
        else:
            continue
        if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value not in recipes:
            yield node.lineno, f"no recipe {name.value!r}"


def problems_of(tree, recipes):
    "List line and finding of the names in a syntax tree that do not exist"
    return [*missing_imports(tree), *missing_keywords(tree), *missing_recipes(tree, recipes)]


def check_script(path, recipes):
    "List the names of a script that do not exist"
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    known, unknown = symbols(source)[0] | set(dir(builtins)), {}
    found = problems_of(tree, recipes)
    for line, code in code_strings(tree):
        found += [(line, problem) for _, problem in problems_of(ast.parse(code), recipes)]
        defined, read = symbols(code)
        known |= defined
        unknown |= dict.fromkeys(read, line)
    found += [(line, f"{name} is not defined in the string") for name, line in unknown.items() if name not in known]
    return [f"{path.relative_to(ROOT).as_posix()}:{line}: {problem}" for line, problem in sorted(found)]


def check_names():
    "List the names of all scripts that do not exist"
    recipes = {row["name"] for row in runpy.run_path(str(TABLE))["recipe_table"]()}
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return [problem for path in paths for problem in check_script(path, recipes)]


def main():
    problems = check_names()
    print(*problems, sep="\n") if problems else print("every name exists")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
