"""Latency of the label cleaner on all of FER2013 in JupyterLab, beside fastai's ImageClassifierCleaner.

    .venv/bin/python benchmarks/speed/widget.py         some minutes on an idle machine
    .venv/bin/python benchmarks/speed/widget.py --try   trial: small, prints only

FER2013's 35,887 faces where the data folder has them, otherwise drawn faces repeated up to that number. Probabilities
and issues are random and seeded: latency does not depend on them. All times are taken in the browser, from the time
stamp of the key to the frame that shows the result.

Needs: chromium and playwright, FER2013 for its faces
"""

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import ROOT, Parser, claim, write_result

sys.path.insert(0, str(ROOT / "tests" / "browser"))
from lab import Lab, chromium, jupyterlab, notebook

TRY = "--try" in sys.argv
OPENINGS, TURNS, DECISIONS, CHANGES = (1, 5, 5, 3) if TRY else (5, 40, 60, 12)
FILES = 300 if TRY else 2000
PAUSE = 300  # ms between keys, as of a fast annotator; nearest neighbors are computed meanwhile

FACES = """
import time
import numpy as np, pandas as pd
from fer_fastai.clean.pred_probs import PredProbs
from fer_fastai.clean.widget import LabelCleaner
from fer_fastai.core import FerError
from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.readers import load_fer2013
from fer_fastai.data.synthetic import synthetic_faces
try: faces = load_fer2013()
except FerError:
    few = synthetic_faces(1000)
    rows = np.arange(35_887) % len(few)
    ids = [f"face/{i:05d}" for i in range(len(rows))]
    faces = FaceSet(few.table.iloc[rows].set_axis(ids), few.vocab, few.pixels[rows])
rng = np.random.default_rng(0)
p = rng.dirichlet(np.ones(7), len(faces)).astype(np.float32)
features = rng.normal(size=(len(faces), 512)).astype(np.float32)
scores = PredProbs(pd.DataFrame(p, faces.ids, faces.vocab), features=features, source="random")
suggested = np.array(faces.vocab)[p.argmax(1)]
columns = {"kind": "label", "label": faces.table.label, "suggestion": suggested, "score": p.max(1)}
columns |= {"reason": "the model predicts another class", "split": faces.table.split}
issues = pd.DataFrame(columns).sample(frac=1, random_state=0)
print(f"{len(faces):,} faces, {faces.ids[0].split(chr(47))[0]}")
"""
CELL = 'LabelCleaner(faces, issues, f"edits-{time.time_ns()}.db", scores, annotator="bench")'

WATCH = """() => {
    const found = window.found = {turn: [], decision: []}
    let pressed = 0
    document.addEventListener("keydown", event => { pressed = event.timeStamp }, true)
    const painted = (list) => requestAnimationFrame(() => {   // after the frame is painted
        const channel = new MessageChannel()
        channel.port1.onmessage = () => list.push(performance.now() - pressed)
        channel.port2.postMessage(0)
    })
    const added = change => change.type === "childList" && change.addedNodes.length
    const turned = change => added(change) && change.target.matches(".fer-grid")
    const decided = change => {
        const now = change.target.dataset.decision
        return change.attributeName === "data-decision" && change.oldValue !== now && now
    }
    new MutationObserver(changes => {
        if (changes.some(turned)) painted(found.turn)
        else if (changes.some(decided)) painted(found.decision)
    }).observe(document.querySelector(".fer-grid"), {
        childList: true, subtree: true, attributes: true, attributeFilter: ["data-decision"], attributeOldValue: true,
    })
}"""
RUN = """async cells => {
    for (const cell of cells) {
        jupyterapp.shell.currentWidget.content.activeCellIndex = cell
        await jupyterapp.commands.execute("notebook:run-cell")
    }
}"""
OPEN = """([cell, ready]) => new Promise(done => {
    const book = jupyterapp.shell.currentWidget.content
    book.activeCellIndex = cell
    const start = performance.now()
    jupyterapp.commands.execute("notebook:run-cell")
    const complete = () => {
        const node = book.widgets[cell].node, wanted = ready === ".fer-card" ? 48 : 30
        return node.querySelectorAll(ready).length >= wanted && [...node.querySelectorAll("img")].every(i => i.complete)
    }
    const finish = () => setTimeout(() => done(performance.now() - start))
    const look = () => requestAnimationFrame(complete() ? finish : look)
    look()
})"""
CHANGE = """([place, value]) => new Promise(done => {
    const select = document.querySelectorAll(".widget-dropdown select")[place]
    const before = document.querySelector(".jupyter-widgets img")
    const start = performance.now()
    select.value = value
    select.dispatchEvent(new Event("change", {bubbles: true}))
    const complete = () => {
        const now = [...document.querySelectorAll(".jupyter-widgets img")]
        return now.length && now[0] !== before && now.every(i => i.complete)
    }
    const finish = () => setTimeout(() => done(performance.now() - start))
    const look = () => requestAnimationFrame(complete() ? finish : look)
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
folder = chosen.to_folder(Path("images"))
dls = ImageDataLoaders.from_folder(folder, train="train", valid="valid", num_workers=0)
model = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 7))
learn = Learner(dls, model, CrossEntropyLossFlat())
"""


def label_cleaner(browser, address, folder):
    "Return the faces, and milliseconds of openings, page turns and decisions"
    lab = Lab(browser, address, notebook(folder / "cleaner.ipynb", FACES, CELL), height=900)
    lab.page.evaluate(RUN, [0])
    faces = lab.page.locator(".jp-OutputArea-output pre", has_text=" faces, ").last.inner_text().strip()
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
    return faces, opened, turns, decisions


def press(lab, key, kind, turn=False):
    "Press one key; return the milliseconds until its result was painted"
    if turn:
        press(lab, "n", "turn")
    before = lab.page.evaluate(f"() => found.{kind}.length")
    lab.page.keyboard.press(key)
    lab.page.wait_for_function(f"n => found.{kind}.length > n", arg=before)
    lab.page.wait_for_timeout(PAUSE)
    return lab.page.evaluate(f"() => found.{kind}.at(-1)")


def fastai(browser, address, folder):
    "Return milliseconds of opening, and of changes of class or split"
    cells = (FACES, f"FILES = {FILES}\n{FASTAI}", "ImageClassifierCleaner(learn)")
    lab = Lab(browser, address, notebook(folder / "fastai.ipynb", *cells), height=900)
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
    "Return number, median, 90th percentile and maximum"
    values = sorted(values)
    return {
        "n": len(values),
        "median": statistics.median(values),
        "p90": values[int(0.9 * (len(values) - 1))],
        "slowest": values[-1],
    }


def main():
    parser = Parser(__doc__)
    parser.add_argument("--try", action="store_true", help="small trial that prints only")
    parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        with jupyterlab(Path(place)) as address, chromium() as browser:
            faces, opened, turns, decisions = label_cleaner(browser, address, Path(place))
            fastai_open, fastai_changes = fastai(browser, address, Path(place))
    note = "the opening includes its own predictions: it accepts none"
    other = {"files": FILES, "open_ms": fastai_open, "change_ms": spread(fastai_changes), "shown": 30, "note": note}
    metrics = {
        "faces": faces,
        "open_ms": spread(opened),
        "page_turn_ms": spread(turns),
        "decision_ms": spread(decisions),
    }
    metrics["fastai"] = other
    if TRY:
        print(metrics)
        return
    where = "JupyterLab, headless chromium."
    claims = [
        claim(
            "widget_open_36k_s",
            metrics["open_ms"]["median"] / 1000,
            "Time to open the label cleaner on 35,887 faces",
            "s",
            "lower",
            "cleaning",
            note=f"To the first painted page, issues made before; median of {len(opened)}. {where}",
        ),
        claim(
            "widget_page_turn_median_ms",
            metrics["page_turn_ms"]["median"],
            "Time to turn a page of 48 faces, label cleaner",
            "ms",
            "lower",
            "cleaning",
            note=f"From the key to the painted frame; median of {len(turns)}. {where}",
        ),
        claim(
            "widget_decision_median_ms",
            metrics["decision_ms"]["median"],
            "Time of one decision, label cleaner",
            "ms",
            "lower",
            "cleaning",
            note=f"From the key to its mark, after the write to SQLite; median of {len(decisions)}. {where}",
        ),
    ]
    write_result("widget", claims, metrics=metrics)


if __name__ == "__main__":
    main()
