"""Tests of LabelCleaner in Notebook 7, Voila and marimo; each is skipped where the package is missing"""

import importlib.util
import textwrap
from pathlib import Path

import pytest
from lab import Lab, chromium, jupyterlab, marimo, notebook, voila

pytestmark = pytest.mark.browser

FACES = """
from fer_fastai.clean.widget import LabelCleaner
from fer_fastai.data.synthetic import synthetic_faces
faces = synthetic_faces(30)
"""
CELL = 'LabelCleaner(faces, None, "app.db", page_size=12, annotator="ann")'
MARIMO = """
import marimo
app = marimo.App()

@app.cell
def _():
    import marimo as mo
{faces}
    mo.ui.anywidget({cell})
"""


def needs(package):
    missing = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"needs the package {package}")


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    "Start a server with one notebook"
    folder = tmp_path_factory.mktemp("apps")
    notebook(folder / "app.ipynb", FACES, CELL)
    with jupyterlab(folder) as address:
        yield address


def decide(page):
    "Discard the first face by key, and return the text on it"
    page.locator(".fer-card").first.click()
    page.keyboard.press("x")
    page.locator(".fer-card[data-index='0'][data-decision='discard']:not(.fer-saving)").wait_for()
    return page.locator(".fer-card .fer-mark").first.inner_text()


def decide_in(browser, address):
    "Open an application, discard its first face, and return the text on it"
    page = browser.new_page()
    page.goto(address, timeout=180_000)
    page.wait_for_selector(".fer-card", timeout=180_000)
    text = decide(page)
    page.close()
    return text


@needs("notebook")
def test_keys_stay_in_the_widget_in_notebook_7(browser, server):
    lab = Lab(browser, server, Path("app.ipynb"), app="notebooks")
    lab.run_all()
    lab.page.wait_for_selector(".fer-card")
    cells = lab.page.locator(".jp-Notebook .jp-Cell").count()
    assert decide(lab.page) == "✕ discarded"
    lab.page.keyboard.press("ArrowLeft")
    for key in "xbbmxddcz":  # Notebook's own: cut, new cell below, Markdown, delete, copy, undo
        lab.page.keyboard.press(key)
    lab.page.locator(".fer-do-unsure").focus()
    lab.page.keyboard.press("x")
    lab.page.locator(".fer-select").first.focus()
    lab.page.keyboard.press("x")
    lab.page.locator(".fer-done").click()
    lab.page.keyboard.press("x")
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == cells == 2, "no key reaches the notebook"
    lab.close()


@needs("voila")
def test_voila(browser, tmp_path):
    with voila(notebook(tmp_path / "app.ipynb", FACES, CELL)) as address:
        assert decide_in(browser, address) == "✕ discarded"


@needs("marimo")
def test_marimo(browser, tmp_path):
    app = tmp_path / "app.py"
    app.write_text(MARIMO.format(faces=textwrap.indent(FACES, "    "), cell=CELL))
    with marimo(app) as address:
        assert decide_in(browser, address) == "✕ discarded"
