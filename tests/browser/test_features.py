"""Tests of LabelCleaner's browser part on a bare page: flow, selection, filters, views, keys and layout"""

import numpy as np
import pandas as pd
import pytest
from host import Host
from lab import chromium

from fer_fastai.clean.edit_log import EditLog
from fer_fastai.clean.pred_probs import PredProbs
from fer_fastai.clean.widget import LabelCleaner
from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.synthetic import synthetic_faces

pytestmark = pytest.mark.browser

EVIL = '<img src=x onerror="window.hacked = 1">'
N = 60
FOCUSABLE = "button, input, select, textarea, [tabindex]"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def faces():
    "Make sixty faces; the fifth has no label, and one is a copy of the first"
    faces = synthetic_faces(N, label_errors=0.5)
    table = faces.table.copy()
    table.loc[faces.ids[4], "label"] = None
    pixels = faces.pixels.copy()
    pixels[41] = pixels[0]
    return FaceSet(table, faces.vocab, pixels)


def issues_of(faces, n=N):
    "List the first faces as issues: every third has no suggestion"
    table = faces.table.iloc[:n]
    suggestion = table.true_label.where(np.arange(n) % 3 != 2, None)
    columns = {"label": table.label, "suggestion": suggestion, "split": table.split}
    return pd.DataFrame({"kind": "label", "score": 0.9, "reason": "", **columns})


def scores_of(faces):
    "Give the true class .995 of the probability for the first face, and .7 for the others"
    probs = np.full((N, 7), 0.05, np.float32)
    probs[np.arange(N), [faces.vocab.index(name) for name in faces.table.true_label]] = 0.7
    probs[0] = 0.005 / 6
    probs[0, faces.vocab.index(faces.table.true_label.iloc[0])] = 0.995
    return PredProbs(pd.DataFrame(probs, faces.ids, faces.vocab), source="test")


@pytest.fixture
def show(browser, faces, tmp_path):
    "Return a function that opens a cleaner in a new page; all cleaners of a test share one log"
    hosts = []

    def show(n=N, scores=True, size=(1280, 1000), page_size=12, annotator="ann", **options):
        scores = scores_of(faces) if scores else None
        log = tmp_path / "edits.db"
        cleaner = LabelCleaner(faces, issues_of(faces, n), log, scores, page_size, annotator, **options)
        hosts.append(Host(browser, cleaner, *size))
        return hosts[-1]

    yield show
    errors = [error for host in hosts for error in host.errors]
    for host in hosts:
        host.close()
    assert errors == []


def press(host, *keys):
    for key in keys:
        host.page.keyboard.press(key)


def card(host, index):
    return host.page.locator(".fer-card").nth(index)


def marked(host, index, decision):
    "Wait until a card shows a saved decision, and return its text"
    host.page.locator(f".fer-card[data-index='{index}'][data-decision='{decision}']:not(.fer-saving)").wait_for(
        state="attached"
    )
    return card(host, index).locator(".fer-mark").inner_text()


def decide(host, *keys):
    "Press keys one by one, each after the decision before is saved"
    for key in keys:
        press(host, key)
        host.page.wait_for_function("() => !document.querySelector('.fer-saving')")


def status(host, text):
    host.page.locator(".fer-status", has_text=text).wait_for()


def notice(host, text):
    host.page.locator(".fer-notice", has_text=text).wait_for()


def cursor(host):
    "Return the index of the current card"
    return int(host.page.locator(".fer-card.fer-front").get_attribute("data-index"))


def page_is(host, page):
    host.page.wait_for_function(f"() => document.querySelector('.fer-page').value === '{page}'")


def selected(host):
    "Return the selected indexes, as a screen reader and as the eye finds them"
    read = host.page.locator(".fer-card[aria-selected=true]")
    tinted = host.page.evaluate(
        """() => {
            const cards = [...document.querySelectorAll('.fer-card')]
            const color = node => getComputedStyle(node).backgroundColor
            const plain = document.createElement('div')
            plain.className = 'fer-card'
            document.querySelector('.fer-grid').append(plain)
            const found = cards.filter(node => color(node) !== color(plain)).map(node => Number(node.dataset.index))
            plain.remove()
            return found
        }"""
    )
    indexes = [int(index) for index in read.evaluate_all("nodes => nodes.map(node => node.dataset.index)")]
    assert indexes == tinted
    return indexes


def ids(host):
    return host.page.locator(".fer-card").evaluate_all("nodes => nodes.map(node => node.dataset.id)")


def log(tmp_path):
    "Read the decisions in force from the log on the disk"
    table = EditLog(tmp_path / "edits.db").current("ann").droplevel("annotator")
    return {face: (row.decision, row.label) for face, row in table.iterrows()}


# ---- flow ------------------------------------------------------------------------------------------------------------


def test_the_next_page_opens_after_the_last_face(show):
    host = show(n=20, page_size=6)
    card(host, 1).click()
    decide(host, "x")
    card(host, 0).click()
    decide(host, "k")
    assert cursor(host) == 2, "the decided face is skipped"
    decide(host, *"xxxx")
    page_is(host, 2)
    assert cursor(host) == 0
    press(host, "k")
    assert marked(host, 0, "keep") == "✓ kept"
    press(host, "p")
    page_is(host, 1)
    assert len(host.cleaner.decisions) == 7


def test_keys_typed_before_the_next_page_decide_nothing(show):
    host = show(n=20, page_size=3)
    card(host, 0).click()
    decide(host, "k", "k")
    type_x = (
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'x', code: 'KeyX', bubbles: true}))"
    )
    host.page.evaluate(f"() => {{ {type_x}; {type_x}; {type_x} }}")
    page_is(host, 2)
    status(host, "keys pressed before the page was loaded are ignored")
    assert len(host.cleaner.decisions) == 3


def test_a_key_never_changes_a_decided_face(show, tmp_path):
    host = show()
    card(host, 0).click()
    decide(host, "k")
    press(host, "ArrowLeft", "x")
    status(host, "already decided: press C to change")
    assert marked(host, 0, "keep")
    press(host, "c")
    assert host.page.locator(".fer-change").get_attribute("aria-pressed") == "true"
    decide(host, "x")
    assert marked(host, 0, "discard") and cursor(host) == 1
    card(host, 0).click()
    decide(host, "u")
    assert marked(host, 0, "unsure"), "a click on the face allows the change"
    press(host, "ArrowLeft", "c", "Escape", "k")
    status(host, "already decided")
    press(host, "Control+a", "x")
    page_is(host, 2)
    status(host, "11 faces: discarded; 1 of 12 left out: already decided")
    press(host, "p")
    page_is(host, 1)
    assert log(tmp_path)[ids(host)[0]][0] == "unsure"


def test_all_faces_decided(show):
    host = show(n=5, page_size=12)
    card(host, 0).click()
    press(host, "Control+a", "x")
    notice(host, "All 5 faces are decided.")
    press(host, "ArrowRight", "k")
    status(host, "already decided")
    card(host, 0).click()
    assert host.page.locator(".fer-done").inner_text() == "5 of 5 decided"


def test_faces_without_suggestion_are_left_out(show):
    host = show()
    card(host, 0).click()
    press(host, "Shift+ArrowRight", "Shift+ArrowRight")
    assert selected(host) == [0, 1, 2]
    status(host, "3 faces selected")
    decide(host, "Enter")
    status(host, "2 faces: ")
    status(host, "1 of 3 left out: no suggestion")
    assert selected(host) == [] and cursor(host) == 2
    press(host, "s")
    assert selected(host) == [2]
    status(host, "1 face selected")
    decide(host, "k")
    assert selected(host) == [] and marked(host, 2, "keep") and card(host, 3).get_attribute("data-decision") == ""


def test_keep_leaves_out_faces_without_a_label(show):
    host = show()
    card(host, 3).click()
    card(host, 5).click(modifiers=["Shift"])
    decide(host, "k")
    status(host, "2 faces: kept; 1 of 3 left out: no label to keep")
    assert cursor(host) == 4 and card(host, 4).get_attribute("data-decision") == ""
    press(host, "k")
    status(host, "no label to keep")


def test_now_is_the_label_in_force(show, faces):
    host = show()
    now = host.page.locator(".fer-emotion.fer-given .fer-name")
    card(host, 1).click()
    assert now.inner_text() == faces.table.label.iloc[1]
    decide(host, "4")
    press(host, "ArrowLeft")
    assert now.inner_text() == "happy"
    press(host, "c")
    decide(host, "x")
    press(host, "ArrowLeft")
    assert now.count() == 0, "a discarded face has no label"


def test_percentages(show):
    host = show()
    card(host, 0).click()
    cells = host.page.locator(".fer-emotion:not(.fer-head) .fer-p").all_inner_texts()
    assert sorted(set(cells)) == ["<1\u202f%", ">99\u202f%"]
    press(host, "ArrowRight")
    cells = host.page.locator(".fer-emotion:not(.fer-head) .fer-p").all_inner_texts()
    assert sorted(set(cells)) == ["5\u202f%", "70\u202f%"]


@pytest.mark.parametrize("control", ["Control", "Meta"])
def test_undo_and_redo_by_control(show, control):
    host = show()
    card(host, 0).click()
    decide(host, "x")
    press(host, f"{control}+z")
    marked(host, 0, "")
    status(host, "undone")
    press(host, f"{control}+Shift+Z")
    marked(host, 0, "discard")


def test_search_and_escape(show):
    host = show()
    card(host, 2).click()
    press(host, "s", "/")
    host.page.keyboard.type("0003")
    press(host, "Enter")
    host.page.wait_for_function("() => document.activeElement.dataset.id?.includes('0003')")
    assert cursor(host) == 0 and len(ids(host)) == 11
    press(host, "ArrowRight", "s")
    assert selected(host) == [1]
    press(host, "Escape")
    assert selected(host) == [] and len(ids(host)) == 11
    press(host, "/", "Escape")
    host.page.wait_for_function("() => document.querySelectorAll('.fer-card').length === 12")
    assert host.page.get_by_label("Search by face id").input_value() == ""
    host.page.wait_for_function("() => document.activeElement.className.includes('fer-card')")


def test_the_focus_stays_in_the_widget(show):
    host = show(n=13, page_size=12)
    host.page.get_by_title("Next page").click()
    page_is(host, 2)
    host.page.get_by_title("Next page").click(force=True)
    inside = "() => document.querySelector('.fer-cleaner').contains(document.activeElement)"
    assert host.page.evaluate(inside), "a button without effect keeps the focus"
    host.page.locator(".fer-done").click()
    assert host.page.evaluate(inside)
    press(host, " ")
    bare = (
        host.page.locator(".fer-cleaner")
        .locator(FOCUSABLE)
        .evaluate_all(
            "nodes => nodes.filter(node => node.dataset.lmSuppressShortcuts !== 'true').map(node => node.outerHTML)"
        )
    )
    assert bare == [], "keys of the notebook are off on every element that takes the focus"


# ---- several people --------------------------------------------------------------------------------------------------


def test_decisions_in_another_window_appear(show):
    here, there = show(), show()
    card(there, 0).click()
    decide(there, "x")
    here.page.locator(".fer-card[data-index='0'][data-decision='discard']").wait_for(timeout=2500)
    assert here.page.locator(".fer-done").inner_text() == "1 of 60 decided"


def test_undo_takes_back_only_what_was_shown(show, tmp_path):
    here, there = show(), show()
    card(here, 0).click()
    decide(here, "x")
    marked(there, 0, "discard")
    here.cleaner.decide(ids(here)[1], "keep")  # not sent to the page yet
    card(there, 2).click()
    press(there, "z")
    there.page.locator(".fer-error").wait_for()
    assert set(log(tmp_path)) == set(ids(here)[:2]), "nothing is taken back"
    marked(there, 1, "keep")
    press(there, "z")
    marked(there, 1, "")
    assert set(log(tmp_path)) == {ids(here)[0]}


def test_a_decision_of_another_window_is_not_overridden(show, tmp_path):
    here, there = show(), show()
    here.cleaner.decide(ids(here)[0], "discard")
    card(there, 0).click()
    press(there, "k")
    marked(there, 0, "discard")
    assert (
        there.page.locator(".fer-status", has_text="left out")
        .or_(there.page.locator(".fer-status", has_text="decided"))
        .count()
    )
    assert log(tmp_path)[ids(here)[0]][0] == "discard"


# ---- views -----------------------------------------------------------------------------------------------------------


def test_more_like_this_and_back(show):
    host = show()
    card(host, 0).click()
    press(host, "n")
    page_is(host, 2)
    before = ids(host)
    card(host, 3).click()
    face = ids(host)[3]
    press(host, "m")
    notice(host, f"faces like {face}")
    assert ids(host)[0] == face and cursor(host) == 0
    similarity = [float(text) for text in host.page.locator(".fer-near-by").all_inner_texts()]
    assert len(similarity) == 12 and similarity == sorted(similarity, reverse=True)
    host.page.get_by_role("button", name="Select all").click()
    assert selected(host) == list(range(12))
    decide(host, "u")
    host.page.get_by_role("button", name="Back").click()
    page_is(host, 2)
    assert ids(host) == before
    host.page.wait_for_function(f"() => document.querySelector('.fer-front').dataset.id === {face!r}")
    assert marked(host, 3, "unsure")


def test_more_like_a_neighbor(show):
    host = show()
    card(host, 0).click()
    host.page.locator(".fer-details .fer-near").first.wait_for()
    title = host.page.locator(".fer-details .fer-near").first.get_attribute("title")
    neighbor = title.split("\n")[0].removeprefix("More like this: ")
    host.page.locator(".fer-details .fer-near").first.click()
    notice(host, f"faces like {neighbor}")
    assert ids(host)[0] == neighbor
    press(host, "b")
    host.page.locator(".fer-notice").wait_for(state="detached")


def test_filters_with_several_values(show, faces):
    host = show()
    button = host.page.get_by_label("Filter by label")
    button.focus()
    press(host, "Enter", "ArrowDown")
    boxes = host.page.locator(".fer-list:visible input")
    names = boxes.evaluate_all("nodes => nodes.map(node => node.value)")
    press(host, " ", "ArrowDown", " ")
    chosen = names[1:3]
    host.page.wait_for_function(f"() => document.activeElement.value === {names[2]!r}")
    host.page.locator(".fer-choose.fer-chosen", has_text=", ".join(chosen)).wait_for()
    expected = faces.table.label.isin(chosen).sum()
    host.page.locator(".fer-of", has_text=f"{expected} faces").wait_for()
    press(host, "Escape")
    assert host.page.locator(".fer-list:visible").count() == 0
    assert "Filter by label" in host.page.evaluate("() => document.activeElement.ariaLabel")
    host.page.get_by_label("Filter by split").click()
    counts = host.page.locator(".fer-list:visible .fer-row").all_inner_texts()
    splits = faces.table[faces.table.label.isin(chosen)].split.value_counts()
    found = {row.split("\n")[0]: int(row.split("\n")[1]) for row in counts}
    assert found == splits.to_dict(), "counts respect the other filters"
    host.page.get_by_role("button", name="Clear").click()
    host.page.locator(".fer-of", has_text="60 faces").wait_for()


def test_one_large_face(show):
    host = show(page_size=3)
    card(host, 0).click()
    press(host, " ")
    assert host.page.locator(".fer-stage").is_visible() and host.page.locator(".fer-grid").is_hidden()
    width = host.page.locator(".fer-zoomed").bounding_box()["width"]
    press(host, "+", "+")
    assert host.page.locator(".fer-zoomed").bounding_box()["width"] == pytest.approx(2 * width, rel=0.1)
    press(host, "-", "-", "ArrowRight")
    assert cursor(host) == 1
    press(host, "ArrowRight", "ArrowRight")
    page_is(host, 2)
    assert cursor(host) == 0 and host.page.evaluate("() => document.activeElement.className") == "fer-lens"
    press(host, "ArrowLeft")
    page_is(host, 1)
    assert cursor(host) == 2
    decide(host, "x")
    assert cursor(host) == 0
    host.page.locator(".fer-caption", has_text="1 of 60").wait_for()
    press(host, "ArrowLeft")
    status(host, "first face")
    press(host, " ")
    assert host.page.locator(".fer-grid").is_visible() and marked(host, 2, "discard")


def test_order_page_size_and_card_size(show):
    host = show()
    before = ids(host)
    card(host, 5).click()
    host.page.get_by_label("Faces per page").select_option("24")
    host.page.wait_for_function("() => document.querySelectorAll('.fer-card').length === 24")
    assert cursor(host) == 5 and ids(host)[:12] == before
    host.page.get_by_label("Order of the faces").select_option("label")
    status(host, "sorted by label")
    alone = host.page.locator(".fer-card:not(:has(.fer-badges:text('×')))")  # copies stand side by side
    labels = alone.locator(".fer-label .fer-name").all_inner_texts()
    order = [*host.cleaner.config["vocab"], "no label"]
    assert labels == sorted(labels, key=order.index) and labels[0] != labels[-1]
    width = card(host, 0).bounding_box()["width"]
    card(host, 0).click()
    press(host, "+", "+", "+")
    assert card(host, 0).bounding_box()["width"] > 1.3 * width
    assert host.page.get_by_label("Size of the faces").input_value() == "160"


def test_letters_for_classes(show):
    host = show(keys={"happy": "h", "sad": "s", "fear": "f"})
    card(host, 0).click()
    decide(host, "h", "s", "1")
    assert [marked(host, index, "relabel") for index in range(3)] == ["→ happy", "→ sad", "→ angry"]
    press(host, "Shift+S")
    assert selected(host) == [3], "a command works with Shift if a class has its letter"
    assert host.page.locator(".fer-do-bookmark kbd").inner_text() == "⇧F"
    press(host, "?")
    assert host.page.locator(".fer-help-row", has_text="happy").locator("kbd").inner_text() == "H"


def test_two_keystrokes_for_many_classes(browser, tmp_path):
    names = [f"class{i}" for i in range(12)]
    table = pd.DataFrame({"label": names * 2, "split": "train"}, pd.Index([f"f{i}" for i in range(24)], name="face_id"))
    pixels = np.random.default_rng(0).integers(0, 255, (24, 8, 8), np.uint8)
    cleaner = LabelCleaner(FaceSet(table, names, pixels), None, tmp_path / "many.db", annotator="ann")
    host = Host(browser, cleaner)
    card(host, 0).click()
    press(host, "1")
    status(host, "1 …")
    decide(host, "2", "0", "3")
    assert [marked(host, index, "relabel") for index in range(2)] == ["→ class11", "→ class2"]
    press(host, "1", "x")
    assert marked(host, 2, "discard")
    assert host.errors == []
    host.close()


def test_notes_and_bookmarks(show):
    host = show()
    card(host, 2).click()
    press(host, "f", "e")
    host.page.keyboard.type(f"{EVIL} x")
    press(host, "Enter")
    host.page.locator(".fer-note-text", has_text=EVIL).wait_for()
    assert card(host, 2).locator(".fer-badges").inner_text() == "★ ✎"
    assert "bookmarked, note: " in card(host, 2).get_attribute("aria-label")
    assert card(host, 2).get_attribute("data-decision") == "" and host.page.evaluate("window.hacked") is None
    press(host, "ArrowRight", "e")
    host.page.keyboard.type("never saved")
    press(host, "Escape", "ArrowLeft")
    host.page.get_by_label("Filter by flags").click()
    host.page.get_by_role("checkbox", name="bookmarked").check()
    host.page.wait_for_function("() => document.querySelectorAll('.fer-card').length === 1")
    press(host, "Escape")
    card(host, 0).click()
    press(host, "f")
    status(host, "bookmark removed")


def test_copies_are_decided_together(show):
    host = show()
    host.cleaner.session.copies.start()
    host.cleaner.session.copies.wait()
    host.cleaner.sort("issue")
    host.push()
    pair = [0, 1]
    assert [card(host, index).locator(".fer-badges").inner_text() for index in pair] == ["×2", "×2"]
    card(host, 0).click()
    assert host.page.locator(".fer-copies .fer-near").count() == 2
    press(host, "w")
    assert selected(host) == pair
    decide(host, "3")
    assert [marked(host, index, "relabel") for index in pair] == ["→ fear", "→ fear"]
    press(host, "w")
    status(host, "no copies of this face")


def test_guidelines(show, faces):
    host = show(guidelines=f"Label what you see. {EVIL}", examples={"happy": list(faces.ids[:2])})
    card(host, 0).click()
    press(host, "g")
    guide = host.page.locator(".fer-guide")
    guide.wait_for()
    assert EVIL in guide.inner_text() and "happy" in guide.inner_text()
    assert guide.locator("img.fer-face").count() == 2 and host.page.evaluate("window.hacked") is None
    card(host, 0).click()
    decide(host, "x")
    assert marked(host, 0, "discard") and guide.is_visible(), "it stays open beside the work"
    press(host, "g")
    assert guide.is_hidden()


def test_drag_selects(show):
    host = show()
    start, end = card(host, 0).bounding_box(), card(host, 9).bounding_box()
    host.page.mouse.move(start["x"] + 30, start["y"] + 30)
    host.page.mouse.down()
    host.page.mouse.move(end["x"] + 20, end["y"] + 20, steps=5)
    host.page.mouse.up()
    columns = host.page.evaluate(
        "() => getComputedStyle(document.querySelector('.fer-grid')).gridTemplateColumns.split(' ').length"
    )
    inside = (
        [0, 1] if 9 == columns + 1 else [index for index in range(12) if index % columns <= 9 % columns and index <= 9]
    )
    assert selected(host) == inside + ([columns, 9] if inside == [0, 1] else [])
    assert host.page.locator(".fer-band").count() == 0
    card(host, 11).click()
    assert selected(host) == []


def test_progress_and_order(show):
    host = show()
    card(host, 0).click()
    decide(host, *"xxx")
    host.cleaner._on_message = lambda *message: None  # a poll would replace the state
    host.cleaner.state = host.cleaner.state | {
        "progress": host.cleaner.state["progress"]
        | {"per_minute": 14.2, "seconds_left": 380, "agreed": 9, "repeated": 10},
        "rerank": {"on": True, "running": False, "decided": 50, "text": "re-ranked after 50 decisions"},
        "pending_order": True,
        "answer": {},
    }
    host.push()
    assert host.page.locator(".fer-pace").inner_text() == "14/min · 6 min left · self-agreement 9 of 10"
    order = "re-ranked after 50 decisions"
    assert host.page.locator(".fer-order").inner_text() == f"{order}: new order from the next page on"
    status(host, order)


def test_empty_columns_are_hidden(show):
    host = show(scores=False)
    card(host, 0).click()
    head = host.page.locator(".fer-head span:visible").all_inner_texts()
    assert [text for text in head if text] == ["label as", "faces"]
    assert host.page.locator(".fer-two:visible").count() == 0


# ---- layout ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(600, 900), (700, 450), (480, 800)])
def test_the_current_face_stays_in_view(show, size):
    host = show(size=size, page_size=48)
    card(host, 0).click()
    for _ in range(12):
        press(host, "ArrowDown")
    grid, buttons = host.page.locator(".fer-grid").bounding_box(), host.page.locator(".fer-do-keep").bounding_box()
    current = host.page.locator(".fer-front").bounding_box()
    assert grid["y"] - 1 <= current["y"] and current["y"] + current["height"] <= grid["y"] + grid["height"] + 1
    assert buttons["y"] > 0 and buttons["y"] + buttons["height"] < size[1] and grid["height"] > 150
    assert host.page.locator(".fer-large").is_visible() or size[1] < 500
    wide = host.page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(show, faces, dark):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    host = show(guidelines="Label what you see.", examples={"happy": list(faces.ids[:2])})
    if dark:
        host.page.evaluate("() => document.body.classList.add('dark')")

    def violations(view):
        found = axe.run(host.page).response["violations"]
        return [(view, one["id"], node["target"], node.get("failureSummary")) for one in found for node in one["nodes"]]

    card(host, 0).click()
    decide(host, *"kxu")
    press(host, "Control+a")
    found = violations("grid")
    press(host, "Escape", "g", "m")
    notice(host, "faces like")
    found += violations("similar")
    press(host, "b", " ")
    found += violations("single")
    press(host, " ")
    host.page.get_by_label("Filter by label").click()
    found += violations("filter")
    press(host, "Escape", "?")
    found += violations("help")
    assert found == []
