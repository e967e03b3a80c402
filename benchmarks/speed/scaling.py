"""Time and memory by number of faces: reading, a training step, scoring, ranking, opening the label cleaner.

    .venv/bin/python benchmarks/speed/scaling.py [--sizes 1000 10000 36000 360000 1000000] [--only rank widget]

Drawn faces, repeated under new ids, so that every size is the same kind of work. Each step at each size runs in its own
process, whose peak memory is recorded (for the label cleaner, the kernel's). Measurements are kept under runs/scaling
with their commit: an interrupted run is resumed, --anew starts again. Scoring uses the small CNN, the lightest network;
the cost of other networks grows linearly. `growth` is the exponent of time in size between 36,000 faces and the most.

Needs: chromium and playwright
"""

import json
import math
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
SIZES = (1_000, 10_000, 36_000, 360_000, 1_000_000)
FROM = 36_000  # growth is measured from here: below, fixed costs dominate
BATCH, STEPS = 128, 30


def many_faces(n):
    "Return n faces: a thousand drawn ones, repeated under new ids"
    from fer_fastai.data.faceset import FaceSet
    from fer_fastai.data.synthetic import synthetic_faces

    few = synthetic_faces(1000, seed=0)
    rows = np.arange(n) % len(few)
    table = few.table[["label", "split"]].iloc[rows].set_axis([f"face/{i:07d}" for i in range(n)])
    return FaceSet(table, few.vocab, few.pixels[rows])


def many_scores(faces):
    "Return random probabilities: ranking time does not depend on them"
    from fer_fastai.clean.pred_probs import PredProbs

    drawn = np.random.default_rng(0).dirichlet(np.ones(len(faces.vocab)), len(faces)).astype(np.float32)
    return PredProbs(pd.DataFrame(drawn, faces.ids, list(faces.vocab)), source="random")


def timed(work):
    "Return the seconds that a call took"
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def read(n, place):
    "Read a Parquet file of images, the first time and from the cache"
    import cv2

    from fer_fastai.data.readers import read_faces

    faces = many_faces(n)
    images = [cv2.imencode(".png", pixels)[1].tobytes() for pixels in faces.pixels[:1000]]
    usage = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}
    columns = {"emotion": faces.codes, "Usage": faces.table.split.map(usage).to_numpy()}
    columns["image"] = [images[row % 1000] for row in range(n)]
    pd.DataFrame(columns).to_parquet(place / "faces.parquet")
    del faces, columns
    first, again = (timed(lambda: read_faces(place / "faces.parquet", cache=place / "cache")) for _ in range(2))
    return {"seconds": first, "cached_seconds": again}


def train_step(n, place):
    "Train a step of mini-Xception on batches of n faces"
    from fer_fastai.data.loaders import face_dls
    from fer_fastai.models.backbones import face_learner

    learner = face_learner(face_dls(many_faces(n), 48, BATCH), "mini_xception")
    start, seconds = time.perf_counter(), []
    batches = (batch for _ in range(100) for batch in learner.dls.train)
    for x, y in batches:
        learner.loss_func(learner.model(x), y).backward()
        learner.model.zero_grad()
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        if len(seconds) == STEPS:
            break
    return {"seconds": float(np.median(seconds[3:])), "first_batch_seconds": seconds[0]}


def score(n, place):
    "Predict every face with the small CNN"
    from fer_fastai.clean.pred_probs import predict_pred_probs as scores_of
    from fer_fastai.data.loaders import face_dls
    from fer_fastai.models.backbones import face_learner

    faces = many_faces(n)
    learner = face_learner(face_dls(many_faces(1000), 48, 256), "small_cnn")
    return {"seconds": timed(lambda: scores_of(learner, faces, "single", features=False))}


def rank(n, place):
    "Find label issues, with their estimated number, reasons and suggestions"
    from fer_fastai.clean.issues import find_issues

    faces = many_faces(n)
    scores = many_scores(faces)
    return {"seconds": timed(lambda: find_issues(faces, scores, kinds=("label",)))}


NOTEBOOK = """
import sys, resource
sys.path.insert(0, {folder!r})
from scaling import many_faces, many_scores
from fer_fastai.clean.widget import LabelCleaner
from fer_fastai.clean.issues import find_issues
import time
faces = many_faces({n})
scores = many_scores(faces)
issues = find_issues(faces, scores, kinds=("label",), limit={n})
print(f"{{len(issues):,}} faces, ready")
"""


PEAK = "print(f'peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB')"


def widget(n, place):
    "Open the label cleaner in JupyterLab and chromium, up to its first page"
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    from lab import Lab, chromium, jupyterlab, notebook
    from widget import CELL, OPEN, RUN

    opened = []
    with jupyterlab(place) as address, chromium() as browser:
        first = NOTEBOOK.format(n=n, folder=str(Path(__file__).resolve().parent))
        lab = Lab(browser, address, notebook(place / "many.ipynb", first, CELL, PEAK), height=900)
        lab.page.set_default_timeout(900_000)
        lab.page.evaluate(RUN, [0])
        lab.page.locator(".jp-OutputArea-output pre", has_text=" faces, ready").wait_for()
        for _ in range(3):
            lab.command("notebook:clear-all-cell-outputs")
            lab.page.wait_for_function("() => !document.querySelector('.fer-card')")
            opened.append(lab.page.evaluate(OPEN, [1, ".fer-card"]) / 1000)
            lab.page.wait_for_timeout(1000)
        lab.page.evaluate(RUN, [2])
        peak = lab.page.locator(".jp-OutputArea-output pre", has_text="peak ").inner_text()
        lab.close()
    return {"seconds": float(np.median(opened)), "openings": opened, "mib": float(peak.split()[1])}


STEPS_OF = {work.__name__: work for work in (read, train_step, score, rank, widget)}


def measure(name, n):
    "Measure a step at a size in its own process, or load what was kept"
    from common import RUNS, code_version

    from fer_fastai.io import write_json

    kept = RUNS / "scaling" / f"{name}-{n}.json"
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    command = [sys.executable, "-W", "ignore", __file__, "--measure", name, "--sizes", str(n)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_json(kept, found := found | {"commit": code_version()})
    figures = {key: round(value, 3) for key, value in found.items() if isinstance(value, float)}
    print(f"{name:12} {n:>9,}", figures, flush=True)
    return found


def growth(rows):
    "Return the exponent of time in size from FROM on; 1 is linear"
    sizes = [n for n in rows if n >= FROM]
    if len(sizes) < 2:
        return None
    seconds = [rows[n]["seconds"] for n in (sizes[0], sizes[-1])]
    return math.log(seconds[1] / seconds[0]) / math.log(sizes[-1] / sizes[0])


def measure_here(name, n):
    "Print seconds and peak memory of a step in this process"
    with tempfile.TemporaryDirectory() as place:
        found = STEPS_OF[name](n, Path(place))
    print(json.dumps({"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024} | found))


def scaling_claims(found, most):
    "Return the claims at the largest size"
    from common import claim

    return [
        claim(
            "rank_1m_faces_s",
            found["rank"][most]["seconds"],
            f"Time to rank the label issues of {most:,} faces",
            "s",
            "lower",
            "scale",
            note="find_issues with given probabilities: order, suggestion, reason, number. 2 cores.",
        ),
        claim(
            "widget_open_1m_s",
            found["widget"][most]["seconds"],
            f"Time to open the label cleaner on {most:,} faces",
            "s",
            "lower",
            "scale",
            note="To the first painted page of 48 faces; median of 3. JupyterLab, headless chromium.",
        ),
    ]


def main():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from common import RUNS, Parser, write_result  # here: a measured process imports only what it measures

    parser = Parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument(
        "--only", nargs="+", choices=list(STEPS_OF), default=list(STEPS_OF), help="trial, writes nothing"
    )
    parser.add_argument("--anew", action="store_true", help="remove the kept measurements first")
    options = parser.parse_args()
    if options.anew:
        shutil.rmtree(RUNS / "scaling", ignore_errors=True)
    found = {name: {n: measure(name, n) for n in options.sizes} for name in options.only}
    exponents = {name: growth(rows) for name, rows in found.items()}
    print(exponents)
    most = max(options.sizes)
    if set(options.only) == set(STEPS_OF) and most >= max(SIZES):
        write_result("scaling", scaling_claims(found, most), seeds=[0], steps=found, growth=exponents)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure_here(sys.argv[2], int(sys.argv[4]))
    else:
        main()
