"""Tests of LabelCleaner in JupyterLab and Chromium, by keyboard and mouse"""

from pathlib import Path

import pytest
from lab import Lab, chromium, jupyterlab, notebook

pytestmark = pytest.mark.browser

EVIL = '<img src=x onerror="window.hacked = 1">'
FACES = f"""
import numpy as np, pandas as pd
from fer_fastai.clean.pred_probs import PredProbs
from fer_fastai.clean.widget import LabelCleaner
from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.synthetic import synthetic_faces
faces = synthetic_faces(150, label_errors=0.6)
evil = {EVIL!r}
first = faces.ids[(faces.table.label != faces.table.true_label).argmax()]
faces = FaceSet(faces.table.rename(index={{first: evil}}), faces.vocab, faces.pixels)
wrong = faces.table[faces.table.label != faces.table.true_label]
columns = {{"label": wrong.label, "suggestion": wrong.true_label, "split": wrong.split}}
issues = pd.DataFrame({{"kind": "label", "score": 0.9, "reason": evil, **columns}})
probs = np.full((150, 7), 0.05, np.float32)
probs[np.arange(150), [faces.vocab.index(name) for name in faces.table.true_label]] = 0.7
pred_probs = PredProbs(pd.DataFrame(probs, faces.ids, faces.vocab), source="test")
"""
CELL = """
cleaner = LabelCleaner(faces, issues, "edits.db", pred_probs, page_size=24, annotator="ann")
cleaner
"""
BOX = """
from ipywidgets import Label, VBox
cleaner = LabelCleaner(faces, issues, "box.db", pred_probs, page_size=24, annotator="ann")
VBox([Label("above"), cleaner])
"""
CONTRAST = """nodes => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1})
    const context = canvas.getContext("2d", {willReadFrequently: true})
    const blend = colors => {
        for (const color of colors) {
            context.fillStyle = color
            context.fillRect(0, 0, 1, 1)
        }
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
    }
    const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
    const luminance = rgb => rgb.reduce((sum, value, i) => sum + linear(value / 255) * [0.2126, 0.7152, 0.0722][i], 0)
    const visible = nodes.filter(node => node.offsetParent && node.textContent.trim() && node.ariaDisabled !== "true")
    return visible.map(node => {
        const background = []
        for (let parent = node; parent; parent = parent.parentElement) {
            background.unshift(getComputedStyle(parent).backgroundColor)
        }
        const one = luminance(blend(["white", ...background]))
        const other = luminance(blend(["white", ...background, getComputedStyle(node).color]))
        return [node.className, (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)]
    })
}"""
TEXTS = """button, kbd, .fer-name, .fer-p, .fer-reason, .fer-mark, .fer-chip, .fer-of, .fer-done, .fer-status, .fer-id,
    .fer-why"""

SHADES = """img => {
    const size = {width: img.naturalWidth, height: img.naturalHeight}
    const canvas = Object.assign(document.createElement("canvas"), size)
    const context = canvas.getContext("2d", {willReadFrequently: true})
    context.drawImage(img, 0, 0)
    return new Set(context.getImageData(0, 0, size.width, size.height).data).size
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    "Start JupyterLab and the browser once, and open the cleaner"
    folder = tmp_path_factory.mktemp("lab")
    path = notebook(folder / "clean.ipynb", FACES, CELL)
    with jupyterlab(folder) as address, chromium() as browser:
        lab = Lab(browser, address, path)
        lab.folder, lab.another = folder, lambda path: Lab(browser, address, path)
        lab.run_all()
        lab.page.wait_for_selector(".fer-card")
        yield lab
        lab.close()


def widget(lab):
    return lab.page.locator(".fer-cleaner").first


def card(lab, index):
    return lab.page.locator(".fer-card").nth(index)


def saved_card(index, decision):
    "Build the selector of a card that shows a saved decision"
    return f".fer-card[data-index='{index}'][data-decision='{decision}']:not(.fer-saving)"


def marked(lab, index, decision):
    "Wait until a card shows a decision, and return its text"
    lab.page.locator(saved_card(index, decision)).wait_for(state="attached")
    return card(lab, index).locator(".fer-mark").inner_text()


def log(lab):
    "Read the decisions in force from the log on the disk: face id -> (decision, label)"
    from fer_fastai.clean.edit_log import EditLog

    table = EditLog(lab.folder / "edits.db").current("ann").droplevel("annotator")
    return {face: (row.decision, row.label) for face, row in table.iterrows()}


def face_id(lab, index):
    return card(lab, index).get_attribute("data-id")


def status(lab, text):
    lab.page.locator(".fer-status", has_text=text).first.wait_for()


def test_opens_with_the_best_issue_first(lab):
    assert lab.page.locator(".fer-card").count() == 24
    assert lab.page.locator("[role=listbox] [role=option]").count() == 24
    assert face_id(lab, 0) == EVIL and EVIL in card(lab, 0).get_attribute("aria-label")
    assert lab.page.evaluate("window.hacked") is None
    assert lab.page.locator(".fer-cleaner img:not(.fer-face, .fer-large, .fer-zoomed)").count() == 0
    assert "suggested" in card(lab, 1).get_attribute("aria-label") and "70\u202f%" in card(lab, 1).get_attribute(
        "aria-label"
    )
    assert card(lab, 1).locator("img").evaluate(SHADES) > 20, "the face is drawn"


def test_keys_decide(lab):
    card(lab, 0).click()
    lab.page.keyboard.press("4")
    assert marked(lab, 0, "relabel") == "→ happy"
    assert log(lab)[EVIL] == ("relabel", "happy")
    for key in "kxu":
        lab.page.keyboard.press(key)
    decisions = ["keep", "discard", "unsure"]
    marks = [marked(lab, index, decision) for index, decision in enumerate(decisions, 1)]
    assert marks == ["✓ kept", "✕ discarded", "? unsure"]
    suggestion = card(lab, 4).locator(".fer-suggestion .fer-name").inner_text()
    lab.page.keyboard.press("Enter")
    assert marked(lab, 4, "relabel") == suggestion
    assert lab.page.locator(".fer-done").inner_text().startswith("5 of")
    status(lab, face_id(lab, 4))


def test_the_mouse_decides(lab):
    card(lab, 6).click()
    lab.page.locator(".fer-detail .fer-emotion", has_text="fear").click()
    assert marked(lab, 6, "relabel") == "→ fear"
    card(lab, 8).click()
    card(lab, 10).click(modifiers=["Shift"])
    card(lab, 13).click(modifiers=["Control"])
    lab.page.locator(".fer-do-keep").click()
    assert [marked(lab, index, "keep") for index in (8, 9, 10, 13)] == ["✓ kept"] * 4
    assert log(lab)[face_id(lab, 13)][0] == "keep" and face_id(lab, 11) not in log(lab)


def test_undo_and_redo(lab):
    widget(lab).get_by_role("button", name="Undo").click()
    marked(lab, 13, "")
    undone = {face_id(lab, index) for index in (8, 9, 10, 13)}
    assert not undone & set(log(lab)), "a decision about many faces is undone as a whole"
    lab.page.keyboard.press("Shift+Z")
    marked(lab, 13, "keep")
    lab.page.keyboard.press("z")
    marked(lab, 13, "")


def test_many_at_once_by_key(lab):
    card(lab, 14).click()
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "x"):
        lab.page.keyboard.press(key)
    assert [marked(lab, index, "discard") for index in (14, 15, 16)] == ["✕ discarded"] * 3
    lab.page.keyboard.press("Control+a")
    assert lab.page.locator(".fer-card[aria-selected=true]").count() == 24
    lab.page.keyboard.press("Escape")
    assert lab.page.locator(".fer-card[aria-selected=true]").count() == 0


def test_quick_typing_keeps_its_order(lab):
    "Apply keys that were typed while a page was loading to that page"
    before = log(lab)
    card(lab, 17).click()
    for key in ["1", "2", "n", "3", "5", "p"]:
        lab.page.keyboard.press(key)
    status(lab, "page 1")
    lab.page.keyboard.press("n")
    status(lab, "page 2")
    assert (marked(lab, 0, "relabel"), marked(lab, 1, "relabel")) == ("→ fear", "→ sad")
    new = [value for face, value in log(lab).items() if face not in before]
    assert [label for _, label in new] == ["angry", "disgust", "fear", "sad"]
    lab.page.keyboard.press("p")
    status(lab, "page 1")


def test_filters_lose_nothing(lab):
    before = lab.page.locator(".fer-done").inner_text()
    widget(lab).get_by_label("Filter by label").click()
    widget(lab).get_by_role("checkbox", name="sad").check()
    labels = "[...document.querySelectorAll('.fer-card .fer-label .fer-name')]"
    lab.page.wait_for_function(f"() => {labels}.every(n => n.textContent === 'sad')")
    widget(lab).get_by_label("Filter by decided").click()
    widget(lab).get_by_role("checkbox", name="undecided").check()
    lab.page.wait_for_function("() => [...document.querySelectorAll('.fer-card')].every(n => !n.dataset.decision)")
    lab.page.keyboard.press("Escape")
    widget(lab).get_by_role("button", name="Clear").click()
    assert marked(lab, 0, "relabel") == "→ happy"
    widget(lab).get_by_label("Search by face id").fill("synthetic/00149")
    lab.page.wait_for_function("() => document.querySelectorAll('.fer-card').length === 1")
    assert face_id(lab, 0) == "synthetic/00149"
    widget(lab).get_by_label("Search by face id").fill("nobody")
    widget(lab).get_by_role("button", name="Clear the filters").click()
    lab.page.wait_for_function("() => document.querySelectorAll('.fer-card').length === 24")
    assert lab.page.locator(".fer-done").inner_text() == before


def test_help_and_details(lab):
    card(lab, 0).click()
    lab.page.locator(".fer-history li", has_text="relabel → happy").wait_for()
    assert lab.page.locator(".fer-details .fer-near").count() == 5
    lab.page.keyboard.press("?")
    assert lab.page.locator(".fer-help").is_visible()
    lab.page.keyboard.press("Escape")
    assert lab.page.locator(".fer-help").is_hidden()
    cells = lab.page.locator(".jp-Notebook .jp-Cell").count()
    for key in "bbmdd":  # JupyterLab's own: new cell below, Markdown, delete
        lab.page.keyboard.press(key)
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == cells == 2, "no key reaches the notebook"
    lab.page.keyboard.press("b")
    lab.page.locator(".fer-notice").wait_for(state="detached")


def test_two_views_agree(lab):
    notebook_panel = "jupyterapp.shell.currentWidget.content"
    lab.page.evaluate(f"() => Object.assign({notebook_panel}, {{activeCellIndex: 1, mode: 'command'}})")
    lab.command("notebook:create-output-view")
    lab.page.locator(".fer-cleaner").nth(1).wait_for()
    card(lab, 20).click()
    lab.page.keyboard.press("k")
    lab.page.wait_for_function(f'() => document.querySelectorAll("{saved_card(20, "keep")}").length === 2')
    widgets = "[...jupyterapp.shell.widgets('main')]"
    lab.page.evaluate(f"() => {widgets}.filter(widget => !widget.context).forEach(widget => widget.dispose())")


def test_an_error_of_the_log_is_shown(lab):
    path = Path(lab.folder / "edits.db")
    path.rename(path.with_name("away.db"))
    card(lab, 21).click()
    lab.page.keyboard.press("k")
    lab.page.locator(".fer-error", has_text="Not saved").wait_for()
    assert card(lab, 21).get_attribute("data-decision") == ""
    path.with_name("away.db").rename(path)
    lab.page.keyboard.press("ArrowLeft")
    card(lab, 21).click()
    lab.page.keyboard.press("k")
    marked(lab, 21, "keep")
    assert lab.page.locator(".fer-error").is_hidden()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_can_be_read_in_both_themes(lab, theme):
    lab.theme(theme)
    found = lab.page.locator(".fer-cleaner").locator(TEXTS).evaluate_all(CONTRAST)
    weak = sorted({(name, round(value, 2)) for name, value in found if value < 4.5})
    assert len(found) > 100 and not weak
    wide = lab.page.locator(".fer-cleaner").evaluate("n => n.scrollWidth - n.clientWidth")
    assert wide <= 0, "nothing overflows"


def test_a_new_kernel_finds_every_decision(lab):
    done, before = lab.page.locator(".fer-done").inner_text(), log(lab)
    lab.restart_kernel()
    card(lab, 2).click()
    lab.page.keyboard.press("k")
    lab.page.locator(".fer-error", has_text="Waiting for the kernel").wait_for()
    lab.command("notebook:clear-all-cell-outputs")
    lab.page.locator(".fer-cleaner").wait_for(state="detached")
    lab.run_all()
    lab.page.wait_for_selector(".fer-card")
    assert lab.page.locator(".fer-done").inner_text() == done
    assert log(lab) == before
    cards = lab.page.locator(".fer-card").evaluate_all("nodes => nodes.map(n => [n.dataset.id, n.dataset.decision])")
    shown = {face: decision for face, decision in cards if decision}
    assert shown == {face: decision for face, (decision, _) in before.items() if face in dict(cards)}
    assert len(shown) < len(cards), "it opens on a page with an undecided face"


def test_inside_other_widgets(lab):
    other = lab.another(notebook(lab.folder / "box.ipynb", BOX))
    other.use_kernel_of(lab)  # the faces are in its memory
    other.run_all()
    other.page.wait_for_selector(".widget-vbox .fer-card")
    card(other, 0).click()
    other.page.keyboard.press("k")
    assert marked(other, 0, "keep") == "✓ kept"
    other.close()


def test_the_console_is_clean(lab):
    assert [error for error in lab.errors if "jlab_core" not in error] == []  # JupyterLab logs some too
