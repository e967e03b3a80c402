"""Check the names that scripts take from the package: `python tools/names.py`

Scripts are the files of benchmarks and tools. Checked are imports of fer_fastai, names of recipes, and
strings of code that run in another process or in a notebook. The source is parsed, nothing is imported.
"""

import ast
import builtins
import runpy
import symtable
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "fer_fastai"
FOLDERS = ("benchmarks", "tools")
TABLE = ROOT / PACKAGE / "train" / "recipe_table.py"


def module_names(module):
    "Return the names that a module of the package defines or imports, and its submodules; None without such a module"
    path = ROOT.joinpath(*module.split("."))
    below = {each.stem for each in path.iterdir()} if path.is_dir() else set()
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.is_file():
        return None
    return below | symbols(path.read_text(encoding="utf-8"))[0]


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


def check_script(path, recipes):
    "List the names of a script that do not exist"
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    known, unknown = symbols(source)[0] | set(dir(builtins)), {}
    found = [*missing_imports(tree), *missing_recipes(tree, recipes)]
    for line, code in code_strings(tree):
        inner = ast.parse(code)
        found += [(line, problem) for _, problem in [*missing_imports(inner), *missing_recipes(inner, recipes)]]
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
