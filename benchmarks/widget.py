"""LabelCleaner on all of FER2013 in a real JupyterLab: how long a person waits; beside fastai's ImageClassifierCleaner.

    python benchmarks/widget.py          # writes benchmarks/results/widget.json; some minutes on an idle machine
    python benchmarks/widget.py --try    # small, prints only

Needs chromium and playwright (tests/browser/lab.py drives them). The faces are FER2013's 35,887 when the data folder has
them, drawn ones repeated up to that number when not; scores and issues are random and seeded, for speed does not depend
on them. All times are taken in the browser, from the key's own time stamp to the frame that shows the result.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from common import claim, write_result

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))
from lab import Lab, chromium, jupyterlab, notebook  # noqa: E402

TRY = "--try" in sys.argv
OPENINGS, TURNS, DECISIONS, CHANGES = (1, 5, 5, 3) if TRY else (5, 40, 60, 12)
FILES = 300 if TRY else 2000
PAUSE = 300  # ms between keys: a quick person's; neighbours of the face are looked up meanwhile

FACES = """
import time
import numpy as np, pandas as pd
from fer_fastai.clean.pred_probs import PredProbs
from fer_fastai.clean.widget import LabelCleaner
from fer_fastai.core import FerError
from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.sources import load_fer2013
from fer_fastai.data.synthetic import synthetic_faces
try: faces = fer2013()
except FerError:
    few = synthetic_faces(1000)
    rows = np.arange(35_887) % len(few)
    faces = FaceSet(few.table.iloc[rows].set_axis([f"face/{i:05d}" for i in range(len(rows))]), few.vocab, few.pixels[rows])
rng = np.random.default_rng(0)
p = rng.dirichlet(np.ones(7), len(faces)).astype(np.float32)
scores = Scores(pd.DataFrame(p, faces.ids, faces.vocab), features=rng.normal(size=(len(faces), 512)).astype(np.float32), source="random")
issues = pd.DataFrame({"kind": "label", "label": faces.table.label, "suggestion": np.array(faces.vocab)[p.argmax(1)], "score": p.max(1),
                       "reason": "the model sees something else", "split": faces.table.split}).sample(frac=1, random_state=0)
print(f"{len(faces):,} faces, {faces.ids[0].split(chr(47))[0]}")
"""
CELL = 'LabelCleaner(faces, issues, f"edits-{time.time_ns()}.db", scores, annotator="bench")'

WATCH = """() => {
    const found = window.found = {turn: [], decision: []}
    let pressed = 0
    document.addEventListener("keydown", event => { pressed = event.timeStamp }, true)
    const painted = (list) => requestAnimationFrame(() => { const channel = new MessageChannel()   // after the frame is painted
        channel.port1.onmessage = () => list.push(performance.now() - pressed); channel.port2.postMessage(0) })
    new MutationObserver(changes => {
        if (changes.some(change => change.type === "childList" && change.target.matches(".fer-grid") && change.addedNodes.length)) painted(found.turn)
        else if (changes.some(change => change.attributeName === "data-decision" && change.oldValue !== change.target.dataset.decision && change.target.dataset.decision)) painted(found.decision)
    }).observe(document.querySelector(".fer-grid"), {childList: true, subtree: true, attributes: true, attributeFilter: ["data-decision"], attributeOldValue: true})
}"""
RUN = """async cells => { for (const cell of cells) { jupyterapp.shell.currentWidget.content.activeCellIndex = cell; await jupyterapp.commands.execute("notebook:run-cell") } }"""
OPEN = """([cell, ready]) => new Promise(done => {
    const book = jupyterapp.shell.currentWidget.content
    book.activeCellIndex = cell
    const start = performance.now()
    jupyterapp.commands.execute("notebook:run-cell")
    const look = () => book.widgets[cell].node.querySelectorAll(ready).length >= (ready === ".fer-card" ? 48 : 30) && [...book.widgets[cell].node.querySelectorAll("img")].every(i => i.complete)
        ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))) : requestAnimationFrame(look)
    look()
})"""
CHANGE = """([place, value]) => new Promise(done => {
    const select = document.querySelectorAll(".widget-dropdown select")[place], before = document.querySelector(".jupyter-widgets img")
    const start = performance.now()
    select.value = value
    select.dispatchEvent(new Event("change", {bubbles: true}))
    const look = () => { const now = [...document.querySelectorAll(".jupyter-widgets img")]
        now.length && now[0] !== before && now.every(i => i.complete) ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))) : requestAnimationFrame(look) }
    look()
})"""
FASTAI = """
import sys, torch
from pathlib import Path
from PIL import Image
from fastai.vision.data import ImageDataLoaders
from fastai.vision.widgets import ImageClassifierCleaner
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat
chosen = faces.subset(np.random.default_rng(0).permutation(len(faces))[:FILES])
folder = chosen.to_folder(Path("pictures"))
learn = Learner(ImageDataLoaders.from_folder(folder, train="train", valid="valid", num_workers=0),
                torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 7)), CrossEntropyLossFlat())
"""


def ours(browser, address, folder):
    "Milliseconds: openings, page turns, decisions"
    lab = Lab(browser, address, notebook(folder / "ours.ipynb", FACES, CELL), height=900)
    lab.page.evaluate(RUN, [0])
    said = lab.page.locator(".jp-OutputArea-output pre", has_text=" faces, ").last.inner_text().strip()
    opened = []
    for _ in range(OPENINGS):
        lab.command("notebook:clear-all-cell-outputs")
        lab.page.wait_for_function("() => !document.querySelector('.fer-card')")
        opened.append(lab.page.evaluate(OPEN, [1, ".fer-card"]))
        lab.page.wait_for_timeout(1000)
    lab.page.locator(".fer-card").first.click()
    lab.page.evaluate(WATCH)
    turns = [press(lab, "n", "turn") for _ in range(TURNS)]
    decisions = [press(lab, "12345kxu"[n % 8], "decision", turn=n % 40 == 39) for n in range(DECISIONS)]
    if lab.errors:
        raise SystemExit(f"the browser's console: {lab.errors}")
    lab.close()
    return said, opened, turns, decisions


def press(lab, key, kind, turn=False):
    "One key, and the milliseconds until its result was painted"
    if turn:
        press(lab, "n", "turn")
    before = lab.page.evaluate(f"() => found.{kind}.length")
    lab.page.keyboard.press(key)
    lab.page.wait_for_function(f"n => found.{kind}.length > n", arg=before)
    lab.page.wait_for_timeout(PAUSE)
    return lab.page.evaluate(f"() => found.{kind}.at(-1)")


def fastai(browser, address, folder):
    "Milliseconds: opening, and changes of class or split"
    lab = Lab(browser, address, notebook(folder / "fastai.ipynb", FACES, f"FILES = {FILES}\n{FASTAI}", "ImageClassifierCleaner(learn)"), height=900)
    lab.page.evaluate(RUN, [0, 1])
    opened = lab.page.evaluate(OPEN, [2, ".jupyter-widgets img"])
    changes = []
    names = lab.page.locator(".widget-dropdown").first.locator("option").all_inner_texts()
    for n in range(CHANGES):
        choice = [1, ("Valid", "Train")[n // 4 % 2]] if n % 4 == 3 else [0, names[2 + n % (len(names) - 2)]]
        changes.append(lab.page.evaluate(CHANGE, choice))
        lab.page.wait_for_timeout(PAUSE)
    lab.close()
    return opened, changes


def spread(values):
    values = sorted(values)
    return {"n": len(values), "median": statistics.median(values), "p90": values[int(0.9 * (len(values) - 1))], "slowest": values[-1]}


def main():
    with tempfile.TemporaryDirectory() as place:
        with jupyterlab(Path(place)) as address, chromium() as browser:
            said, opened, turns, decisions = ours(browser, address, Path(place))
            theirs_open, theirs = fastai(browser, address, Path(place))
    metrics = {"faces": said, "open_ms": spread(opened), "page_turn_ms": spread(turns), "decision_ms": spread(decisions),
               "fastai": {"files": FILES, "open_ms": theirs_open, "change_ms": spread(theirs), "shown": 30, "note": "opening includes the predictions that it makes itself: it takes no scores"}}  # fmt: skip
    if TRY:
        return print(metrics)
    where = f"{said}; 48 faces a page, JupyterLab and headless chromium on this machine, measured in the browser up to the painted frame"
    write_result("widget", [
        claim("widget_open_36k_s", metrics["open_ms"]["median"] / 1000, f"from running the cell to the first page, a new edit log each time, scores and issues made before; median of {len(opened)}; {where}"),
        claim("widget_page_turn_median_ms", metrics["page_turn_ms"]["median"], f"from the key to the new faces; median of {len(turns)}; {where}"),
        claim("widget_decision_median_ms", metrics["decision_ms"]["median"], f"from the key to the mark, set after the decision is in the SQLite log on the disk; median of {len(decisions)}; {where}"),
    ], "fer_fastai.clean.widget.LabelCleaner", metrics=metrics)  # fmt: skip


if __name__ == "__main__":
    main()
