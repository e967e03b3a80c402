"""Fixtures and hooks of every test: working folder, temporary folders, skips, the cell of a failing test"""

import dataclasses
import importlib.util
import os
import random
import re
import shutil
import sys
from pathlib import Path

import pytest

if os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core per worker, set before torch is imported
os.environ["MPLBACKEND"] = "Agg"  # for this process, before matplotlib is imported, and for the processes of tests

ROOT = Path(__file__).resolve().parent.parent
FER2013 = Path("fer2013", "fer2013.parquet")
CELL = re.compile(
    r"\s*# (nbs/\S+\.ipynb) #(\S+)$"
)  # the comment that fer_fastai/_testgen.py writes above a cell's code

# Files of minutes, the longest first: a long file that starts last leaves the other worker idle.
LONG = ("tutorials", "index", "train", "deploy", "papers")


def data_folder():
    "Find the folder of FER2013 in FER_DATA, ../shared/data or settings.ini; return None without one"
    from fer_fastai.core import settings

    named = os.environ.get("FER_DATA")
    folders = [ROOT / named] if named else [ROOT.parent / "shared" / "data", settings().data]
    return next((folder.resolve() for folder in folders if (folder / FER2013).is_file()), None)


def no_browser():
    "Return the reason why browser tests are skipped, an empty string if they run"
    if os.environ.get("FER_NO_BROWSER"):
        return "FER_NO_BROWSER is set"
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return "needs chromium (Debian: apt install chromium)"
    return "" if importlib.util.find_spec("playwright") else "needs playwright (pip install playwright)"


def cell_of(item, excinfo):
    "Return notebook, heading and cell id of a failure in a generated test, an empty string for other tests"
    lines = [entry.lineno for entry in excinfo.traceback if entry.frame.code.raw is item.function.__code__]
    if not lines:
        return ""
    above = item.path.read_text(encoding="utf-8").splitlines()[: lines[-1] + 1]
    found = next(filter(None, map(CELL.match, reversed(above))), None)
    return f'{found[1]}, heading "{item.function.__doc__}", cell {found[2]}' if found else ""


def pytest_pycollect_makeitem(collector, name, obj):
    "Collect the functions that a test file defines, not imported ones such as fastcore's `test_eq`"
    if getattr(obj, "__module__", None) != collector.getparent(pytest.Module).obj.__name__:
        return []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    "Add the notebook cell to the report of a failing test"
    report = yield
    if report.failed and call.excinfo and (place := cell_of(item, call.excinfo)):
        report.sections.append(("Notebook cell", place))
    return report


def pytest_collection_modifyitems(items):
    "Sort long files first, and skip tests that need what this machine lacks"
    names = tuple(f"test_{name}" for name in LONG)
    places = {path: [path.stem.startswith(name) for name in names] for path in {item.path for item in items}}
    items.sort(key=lambda item: places[item.path].index(True) if any(places[item.path]) else len(names))
    reasons = {}
    if any(item.get_closest_marker("real") for item in items) and data_folder() is None:
        reasons["real"] = f"needs FER2013: no {FER2013} under FER_DATA, ../shared/data or settings.ini's data folder"
    if no_browser():
        reasons["browser"] = no_browser()
    for item in items:
        for marker in filter(item.get_closest_marker, reasons):
            item.add_marker(pytest.mark.skip(reason=reasons[marker]))


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory):
    "Set temporary folders for cache, models, runs and edits; set FER_DATA if FER2013 exists"
    for name in ("cache", "models", "runs"):
        os.environ[f"FER_{name.upper()}"] = str(tmp_path_factory.mktemp(name))
    os.environ["FER_EDIT_LOG"] = f"sqlite:///{tmp_path_factory.mktemp('edits') / 'edits.db'}"
    if folder := data_folder():
        os.environ["FER_DATA"] = str(folder)


@pytest.fixture(autouse=True)
def like_a_fresh_notebook(own_folders, monkeypatch):
    "Run each test in nbs/ with random seed 0; afterwards close figures and restore environment variables"
    monkeypatch.chdir(ROOT / "nbs")
    before = dict(os.environ)
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
    yield
    os.environ.clear()
    os.environ.update(before)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(autouse=True)
def small_budget(request, monkeypatch):
    "Run the notebooks of papers from top to bottom with the quick budget"
    if request.node.path.name.startswith("test_papers_") and "FER_BUDGET" not in os.environ:
        monkeypatch.setenv("FER_BUDGET", "quick")


@pytest.fixture(autouse=True)
def short_demo(request, monkeypatch):
    "Run the ten lines of README with eight epochs of their recipe"
    if request.node.path.name == "test_index.py":
        from fer_fastai.train.recipes import RECIPES

        quick = RECIPES["quick"]
        stages = tuple(dataclasses.replace(stage, epochs=8) for stage in quick.stages)
        monkeypatch.setitem(RECIPES, "quick", quick.replace(stages=stages))
