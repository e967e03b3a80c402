"""What every test stands on: the folder that notebooks run in, folders of its own to write to, and clear skips"""

import importlib.util
import os
import random
import shutil
import sys
from pathlib import Path

import pytest

if os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core for each worker, before torch comes in: more get into each other's way
os.environ["MPLBACKEND"] = "Agg"  # for this process, before matplotlib comes in, and for those that a test starts

ROOT = Path(__file__).resolve().parent.parent
FER2013 = Path("fer2013", "fer2013.parquet")
LONG = ("tutorials_clean_labels", "index", "tutorials", "train_recipes", "train_sharing", "deploy_on_ray", "papers")  # minutes each: these begin, or one worker is left alone with one at the end


def data_folder():
    "The folder that holds FER2013: FER_DATA, ../shared/data, or the one in settings.ini; None when none does"
    from fer_fastai.core import settings

    named = os.environ.get("FER_DATA")
    folders = [ROOT / named] if named else [ROOT.parent / "shared" / "data", settings().data]
    return next((folder.resolve() for folder in folders if (folder / FER2013).is_file()), None)


def no_browser():
    "Why a browser test can't run here; empty when it can"
    if os.environ.get("FER_NO_BROWSER"):
        return "FER_NO_BROWSER is set"
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return "needs chromium (Debian: apt install chromium)"
    return "" if importlib.util.find_spec("playwright") else "needs playwright (pip install playwright)"


def pytest_pycollect_makeitem(collector, name, obj):
    "Collect what a test file defines itself, not fastcore's `test_eq` that it imports"
    if getattr(obj, "__module__", None) != collector.getparent(pytest.Module).obj.__name__:
        return []


def pytest_collection_modifyitems(items):
    "The long files first; skip what this machine can't run, and say why"
    items.sort(key=lambda item: next((place for place, name in enumerate(LONG) if item.path.stem.startswith(f"test_{name}")), len(LONG)))
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
    "Whatever a test caches, trains or fetches lands in a temporary folder; FER2013 is found from everywhere"
    for name in ("cache", "models", "runs"):
        os.environ[f"FER_{name.upper()}"] = str(tmp_path_factory.mktemp(name))
    os.environ["FER_EDIT_LOG"] = f"sqlite:///{tmp_path_factory.mktemp('edits') / 'edits.db'}"
    if folder := data_folder():
        os.environ["FER_DATA"] = str(folder)


@pytest.fixture(autouse=True)
def like_a_fresh_notebook(own_folders, monkeypatch):
    "Working folder nbs/, random numbers from 0, and afterwards no open figure and no changed environment variable"
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
    "The papers' notebooks run top to bottom, each part small"
    if request.node.path.name.startswith("test_papers_") and "FER_BUDGET" not in os.environ:
        monkeypatch.setenv("FER_BUDGET", "quick")
