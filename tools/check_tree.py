"""Check that the tree follows from its notebooks: `python tools/check_tree.py`, run by `make test`

Notebooks, modules, tests and README are made again in a copy and compared. Files without a notebook are reported.
Layout, names that scripts import, ruff and language follow. A wheel is installed in a temporary folder, and every
module is imported.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import language
import layout
import names

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("fer_fastai", "tests", "nbs")
COPIED = (*FOLDERS, "tools", "benchmarks", "docs", "pyproject.toml", "README.md", "LICENSE", "settings.ini")
JUNK = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "runs", "*.egg-info", "llms.txt", ".last_checked")
BY_HAND = (
    "fer_fastai/__init__.py",
    "fer_fastai/_testgen.py",
    "fer_fastai/_testgen_cells.py",
    "fer_fastai/clean/static/",
    "fer_fastai/deploy/weights/",
    "tests/conftest.py",
    "tests/browser/",
    "nbs/",
)

# `make prepare` runs the same commands in this order.
PREPARE = (
    ("nbdev-clean",),
    ("ruff", "format", "--quiet", "nbs"),
    ("nbdev-export",),
    ("ruff", "format", "--quiet", "fer_fastai", "tests"),
    ("python", "tools/readme.py"),
)

# No module of the wheel imports TOOLS. Without a package of EXTRAS, a module imports or raises an error with HINT.
TOOLS = ("nbdev", "execnb", "pytest")
EXTRAS = (
    "accelerate",
    "captum",
    "cleanlab",
    "cleanvision",
    "kagglehub",
    "openpyxl",
    "psycopg",
    "ray",
    "torch_pruning",
)
HINT = 'pip install "fer_fastai['


def run(*command, cwd, **variables):
    "Run a command; return a list with its output if it failed, an empty list otherwise"
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    name = " ".join(Path(str(word)).name for word in command[:3])
    return [f"`{name}` failed:\n{done.stdout.strip()[-3000:]}"] if done.returncode else []


def environment(**variables):
    "Return the variables of this process without those that change nbdev or the settings"
    kept = {name: value for name, value in os.environ.items() if name != "IN_TEST" and not name.startswith("FER_")}
    return kept | {"OMP_NUM_THREADS": "1"} | variables


def tool(name):
    "Find a program of this environment"
    if name == "python":
        return sys.executable
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if not found:
        sys.exit(f"{name} is not installed: `make test` creates the environment that this check needs.")
    return found


def files(root):
    "Read the compared files: relative path -> content"
    paths = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in [*paths, root / "README.md"]}


def copy_tree(copy):
    "Copy the tree without caches and results of runs"
    copy.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=JUNK)
        elif source.exists():
            shutil.copy2(source, copy / name)


def regenerate(copy):
    "Remove the generated files of a copy and make them again"
    for path in files(copy):
        if not path.startswith(BY_HAND):
            (copy / path).unlink()
    problems = []
    for name, *arguments in PREPARE:
        problems += run(tool(name), *arguments, cwd=copy, PYTHONPATH=str(copy))
    for folder in FOLDERS:
        for cache in (copy / folder).rglob("__pycache__"):
            shutil.rmtree(cache)
    (copy / "nbs" / "llms.txt").unlink(missing_ok=True)
    return problems


def differences(old, new):
    "Yield how the tree differs from the files that its notebooks make"
    for path in sorted(old.keys() | new.keys()):
        if path not in new:
            yield f"{path}: no notebook makes it; remove it"
        elif path not in old:
            yield f"{path}: missing, its notebook makes it; run `make prepare`"
        elif old[path] != new[path]:
            pairs = zip([*old[path].splitlines(), b""], [*new[path].splitlines(), b""])
            line = next((number for number, (a, b) in enumerate(pairs, 1) if a != b), "end")
            what = "not clean or not formatted" if path.endswith(".ipynb") else "differs from its notebook"
            yield f"{path}:{line}: {what}; run `make prepare`"


def follows(place):
    "List where the tree differs from its notebooks; the copy stays in `place`"
    copy_tree(place / "copy")
    old = files(place / "copy")
    return [*regenerate(place / "copy"), *differences(old, files(place / "copy"))]


def lint():
    "List the problems that ruff finds: rules and format"
    check = ("check", "--quiet", "--no-cache", "--output-format", "concise", ".")
    style = ("format", "--quiet", "--no-cache", "--check", "--output-format", "concise", ".")
    return [*run(tool("ruff"), *check, cwd=ROOT), *run(tool("ruff"), *style, cwd=ROOT)]


def wheel(place):
    "List the problems of a wheel: build, installation, import of each module, files"
    site, away, copy = place / "site", place / "away", place / "copy"
    away.mkdir()
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", place, copy)
    if problems := run(sys.executable, *build, cwd=away):
        return problems
    built = next(place.glob("*.whl"))
    install = ("pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", site, built)
    problems = run(tool("uv"), *install, cwd=away)
    problems += [f"wheel: {line}" for line in import_all(place)]
    problems += run(sys.executable, site / "bin" / "fer", "--help", cwd=away, PYTHONPATH=str(site))
    missing = [path for path in files(copy) if path.startswith("fer_fastai/") and not (site / path).exists()]
    return problems + [f"{path}: not in the wheel; see package-data in pyproject.toml" for path in missing]


def import_all(place):
    "List the modules of the installed wheel that fail to import, first without the extras and then with them"
    site, script = place / "site", ROOT / "tools" / "import_all.py"
    command = [sys.executable, "-W", "ignore", str(script), str(site), HINT, " ".join(TOOLS), " ".join(EXTRAS)]
    variables = environment(PYTHONPATH=str(site))
    done = subprocess.run(command, cwd=place / "away", env=variables, capture_output=True, text=True)
    crash = [f"the import script failed:\n{done.stderr.strip()[-3000:]}"] if done.returncode else []
    return done.stdout.splitlines() + crash


def main():
    problems = []
    with tempfile.TemporaryDirectory() as place:
        steps = {
            "notebooks": lambda: follows(Path(place)),
            "layout": layout.check_layout,
            "names": names.check_names,
            "ruff": lint,
            "language": lambda: language.over_limits(language.check()),
            "results": lambda: run(sys.executable, "tools/results_pages.py", "--check", cwd=ROOT),
            "wheel": lambda: wheel(Path(place)),
        }
        for name, step in steps.items():
            start = time.perf_counter()
            found = step()
            problems += found
            print(f"tree: {name}: {len(found)} problems, {time.perf_counter() - start:.0f} s", flush=True)
    for problem in problems:
        print(f"tree: {problem}", file=sys.stderr)
    summary = f"{len(problems)} problems" if problems else "clean, follows from its notebooks, and its wheel imports"
    print(f"tree: {summary}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
