"""Check the layout of the package: `python tools/layout.py [folder of fer_fastai]`

Checked are the order of parts, import cycles between modules, and the modules that run without torch. A part imports
only parts above it. Imports inside functions count for order and cycles. The source is parsed, nothing is imported.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "fer_fastai"

# A part imports itself and the parts above it; parts of one row do not import each other.
ORDER = [
    ["core"],
    ["io"],
    ["data"],
    ["models"],
    ["train"],
    ["evaluate"],
    ["clean"],
    ["interpret", "compress"],
    ["deploy"],
    ["papers"],
    ["cli"],
    ["__main__", "all"],
]
LEVEL = {part: level for level, row in enumerate(ORDER) for part in row}

# These modules and all that they import at module level run without HEAVY. A name that does not exist is skipped.
WITHOUT_TORCH = """
core io data.images deploy.session deploy.tracking
""".split()
HEAVY = {"torch", "torchvision", "fastai", "matplotlib"}

BY_HAND = {"__init__", "_modidx", "_testgen", "_testgen_cells"}


@dataclass(frozen=True)
class Import:
    "One import statement of a module, with the full name of what it imports"

    line: int
    target: str
    lazy: bool  # inside a function


def module_name(path, package):
    "Return the dotted name of a file below the package: data.faceset"
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def resolve(node, name, is_package):
    "Return the absolute module of `from ... import`, relative to the module `name` of the package"
    if not node.level:
        return node.module
    parts = [PACKAGE, *name.split(".")] if name else [PACKAGE]
    parts = parts if is_package else parts[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def imports_of(path, name):
    "List the imports of a file"
    found = []
    stack = [(node, False) for node in ast.parse(path.read_text(encoding="utf-8")).body]
    while stack:
        node, lazy = stack.pop()
        if isinstance(node, ast.Import):
            found += [Import(node.lineno, alias.name, lazy) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve(node, name, path.stem == "__init__")
            found += [Import(node.lineno, f"{base}.{alias.name}", lazy) for alias in node.names]
        inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        stack += [(child, inside) for child in ast.iter_child_nodes(node)]
    return found


def read_package(package):
    "Return module -> imports, with `from package import name` resolved to modules where `name` is one"
    files = {module_name(path, package): path for path in sorted(package.rglob("*.py"))}
    files = {name: path for name, path in files.items() if path.stem not in BY_HAND or path.stem == "__init__"}
    modules = {}
    for name, path in files.items():
        modules[name] = [
            Import(found.line, own_module(found.target, files) or found.target, found.lazy)
            for found in imports_of(path, name)
        ]
    return modules, files


def own_module(target, files):
    "Return the module of the package that an import names, with its prefix; None for other packages"
    if target.split(".")[0] != PACKAGE:
        return None
    name = target.removeprefix(PACKAGE).removeprefix(".")
    while name and name not in files:
        name = name.rpartition(".")[0]
    return f"{PACKAGE}.{name}" if name else PACKAGE


def inner_imports(modules):
    "Return module -> imports of the package's modules, without prefix"
    prefix = f"{PACKAGE}."
    return {
        name: [
            Import(found.line, found.target.removeprefix(prefix), found.lazy)
            for found in imports
            if found.target.startswith(prefix) and found.target != prefix + name
        ]
        for name, imports in modules.items()
    }


def check_order(inner, files):
    "Yield a problem for each import of a part that is not above"
    for name, imports in inner.items():
        part = name.split(".")[0]
        if not part:
            continue
        if part not in LEVEL:
            yield f"{files[name]}: part {part!r} is not in the order of parts; expected one of {', '.join(LEVEL)}"
            continue
        for found in imports:
            other = found.target.split(".")[0]
            if other != part and LEVEL.get(other, -1) >= LEVEL[part]:
                yield f"{files[name]}:{found.line}: {part} imports {found.target}; {other} is not above {part}"


def check_cycles(inner):
    "Yield a problem for each group of modules that import each other"
    graph = {name: sorted({found.target for found in imports} & inner.keys()) for name, imports in inner.items()}
    index, low, stack, found = {}, {}, [], []

    def visit(name):
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            place = stack.index(name)
            found.append(stack[place:])
            del stack[place:]

    for name in graph:
        if name not in index:
            visit(name)
    for group in found:
        if len(group) > 1:
            yield f"import cycle: {', '.join(sorted(group))} import each other"


def check_without_torch(modules, inner, files):
    "Yield a problem for each heavy package that a light module imports, with the shortest chain of imports"
    for start in WITHOUT_TORCH:
        by = {start: ""} if start in modules else {}
        heavy, queue = set(), list(by)
        for name in queue:  # grows while it is read
            for found in modules[name]:
                package = found.target.split(".")[0]
                if package in HEAVY - heavy and not found.lazy:
                    heavy.add(package)
                    chain = " <- ".join(chain_of(name, by))
                    yield f"{files[name]}:{found.line}: imports {package} ({chain}); {start} must run without it"
            for found in inner[name]:
                if not found.lazy and found.target in modules and found.target not in by:
                    by[found.target] = name
                    queue.append(found.target)


def chain_of(name, by):
    "List the modules from `name` up to the one that imports it first"
    chain = [name]
    while by[chain[-1]]:
        chain.append(by[chain[-1]])
    return chain


def check_layout(package=ROOT / PACKAGE):
    "List the problems of the layout"
    modules, files = read_package(package)
    inner = inner_imports(modules)
    shown = {name: path.relative_to(package.parent).as_posix() for name, path in files.items()}
    problems = [*check_order(inner, shown), *check_cycles(inner), *check_without_torch(modules, inner, shown)]
    return list(dict.fromkeys(problems))


def main():
    problems = check_layout(*map(Path, sys.argv[1:2]))
    for problem in problems:
        print(problem)
    print(f"layout: {len(problems)} problems")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
