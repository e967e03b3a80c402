"""Refuses a tree that does not follow from its notebooks: `python tools/check_tree.py`, the first half of `make test`

Everything is made anew in a copy and compared: clean notebooks, exported modules, generated tests, README. What no
notebook makes any more is named too. Then a wheel is built from the copy, installed elsewhere and every module imported.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("fer_fastai", "tests", "nbs")
COPIED = (*FOLDERS, "tools", "benchmarks", "pyproject.toml", "README.md", "LICENSE", "settings.ini")
JUNK = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "runs", "*.egg-info", "llms.txt", ".last_checked")
BY_HAND = ("fer_fastai/__init__.py", "fer_fastai/_testgen.py", "fer_fastai/clean/static/", "fer_fastai/deploy/weights/",
           "tests/conftest.py", "tests/browser/", "nbs/")  # fmt: skip
NOT_FOR_USERS = ("nbdev", "execnb", "pytest", "kagglehub", "openpyxl", "ray")  # the wheel has to import without these

IMPORT_ALL = """
import importlib, sys
from pathlib import Path
site = Path(sys.argv[1])
for name in sys.argv[2:]: sys.modules[name] = None
files = sorted(site.glob("fer_fastai/**/*.py"))
for file in files:
    module = ".".join(file.relative_to(site).with_suffix("").parts).removesuffix(".__init__")
    found = Path(importlib.import_module(module).__file__)
    assert found == file, f"{module} came from {found}, not from the wheel"
print(len(files))
"""


def run(*command, cwd, **variables):
    "Run a command; its words when it failed, nothing otherwise"
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=environment(**variables),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    name = " ".join(Path(str(word)).name for word in command[:3])
    return [f"`{name}` failed:\n{done.stdout.strip()[-3000:]}"] if done.returncode else []


def environment(**variables):
    "This process's environment, less what would make nbdev or settings behave otherwise"
    kept = {name: value for name, value in os.environ.items() if name != "IN_TEST" and not name.startswith("FER_")}
    return kept | {"OMP_NUM_THREADS": "1"} | variables


def tool(name):
    "A program of this environment"
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if not found:
        sys.exit(f"{name} is not installed: `make test` sets up the environment that this check needs.")
    return found


def files(root):
    "Relative path -> content of what is compared"
    paths = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in [*paths, root / "README.md"]}


def copy_tree(copy):
    "The tree, less what tools leave behind"
    copy.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=JUNK)
        elif source.exists():
            shutil.copy2(source, copy / name)


def regenerate(copy):
    "Remove all that notebooks make, and make it from them"
    for path in files(copy):
        if not path.startswith(BY_HAND):
            (copy / path).unlink()
    problems = []
    for command in ([tool("nbdev-clean")], [tool("nbdev-export")], [sys.executable, "tools/readme.py"]):
        problems += run(*command, cwd=copy, PYTHONPATH=str(copy))
    for folder in FOLDERS:
        for cache in (copy / folder).rglob("__pycache__"):
            shutil.rmtree(cache)
    (copy / "nbs" / "llms.txt").unlink(missing_ok=True)
    return problems


def differences(old, new):
    "How the tree differs from what its notebooks make"
    for path in sorted(old.keys() | new.keys()):
        if path not in new:
            yield f"{path}: no notebook makes it; remove it"
        elif path not in old:
            yield f"{path}: its notebook makes it, but it is not there; run `make prepare`"
        elif old[path] != new[path]:
            pairs = zip(old[path].splitlines() + [b""], new[path].splitlines() + [b""], strict=False)
            line = next((number for number, (a, b) in enumerate(pairs, 1) if a != b), "end")
            what = "not clean" if path.endswith(".ipynb") else "not what its notebook makes"
            yield f"{path}:{line}: {what}; run `make prepare`"


def wheel(copy, place):
    "Build a wheel from the copy, install it elsewhere, import every module, look for every file"
    site, away = place / "site", place / "away"
    away.mkdir()
    problems = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, copy, cwd=away)
    if problems:
        return problems
    built = next(place.glob("*.whl"))
    problems = run(tool("uv"), "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", site, built, cwd=away)
    script = place / "import_every_module.py"
    script.write_text(IMPORT_ALL)
    problems += run(sys.executable, script, site, *NOT_FOR_USERS, cwd=away, PYTHONPATH=str(site))
    problems += run(sys.executable, site / "bin" / "fer", "--help", cwd=away, PYTHONPATH=str(site))
    return problems + [f"{path}: not in the wheel; see package-data in pyproject.toml" for path in files(copy)
                       if path.startswith("fer_fastai/") and not (site / path).exists()]  # fmt: skip


def main():
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        copy_tree(place / "copy")
        old = files(place / "copy")
        problems = regenerate(place / "copy")
        problems += differences(old, files(place / "copy"))
        problems += run(tool("ruff"), "check", "--quiet", "--no-cache", "--output-format", "concise", ".", cwd=ROOT)
        problems += wheel(place / "copy", place)
    for problem in problems:
        print(f"tree: {problem}", file=sys.stderr)
    print(f"tree: {len(problems)} problems" if problems else "tree: clean, follows from its notebooks, and its wheel imports")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
