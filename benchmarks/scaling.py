"""How cost grows with the number of faces: reading, a training step, scoring, ranking, opening the widget; time and memory.

    python benchmarks/scaling.py [--sizes 1000 10000 36000 360000 1000000] [--only rank widget]

Drawn faces, repeated under new ids, so that every size is the same kind of work. Each step at each size runs in a process of its own, whose
peak memory is stated (of the widget: the kernel's). What was measured is kept under runs/scaling with
its commit: an interrupted run goes on, --anew begins again. Scoring is by the small CNN, the lightest network, so that what is ours shows; what
a network costs more than that is linear. `growth` is the exponent of time in size between 36 thousand faces and the most. Writes
scaling.json.
"""

import argparse
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

SIZES = (1_000, 10_000, 36_000, 360_000, 1_000_000)
FROM = 36_000  # growth is measured from here: below, fixed costs hide it
BATCH, STEPS = 128, 30


def many_faces(n):
    "n faces: a thousand drawn ones again and again, each with an id of its own"
    from fer_fastai.data.faceset import FaceSet
    from fer_fastai.data.synthetic import synthetic_faces

    few = synthetic_faces(1000, seed=0)
    rows = np.arange(n) % len(few)
    return FaceSet(few.table[["label", "split"]].iloc[rows].set_axis([f"face/{i:07d}" for i in range(n)]), few.vocab, few.pixels[rows])


def many_scores(faces):
    "Random answers: a ranking takes as long as on real ones"
    from fer_fastai.clean.pred_probs import PredProbs

    shares = np.random.default_rng(0).dirichlet(np.ones(len(faces.vocab)), len(faces)).astype(np.float32)
    return PredProbs(pd.DataFrame(shares, faces.ids, list(faces.vocab)), source="random")


def timed(work):
    "Seconds"
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def read(n, place):
    "A Parquet file of pictures, read the first time and from the cache"
    import cv2
    from fer_fastai.data.sources import read_faces

    faces = many_faces(n)
    pictures = [cv2.imencode(".png", pixels)[1].tobytes() for pixels in faces.pixels[:1000]]
    usage = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}
    pd.DataFrame({"emotion": faces.codes, "Usage": faces.table.split.map(usage).to_numpy(), "image": [pictures[row % 1000] for row in range(n)]}).to_parquet(place / "faces.parquet")
    del faces
    first = timed(lambda: read_faces(place / "faces.parquet", cache=place / "cache"))
    return {"seconds": first, "cached_seconds": timed(lambda: read_faces(place / "faces.parquet", cache=place / "cache"))}


def train_step(n, place):
    "A step of mini-Xception, batches drawn from n faces"
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
    "Answers of the small CNN to every face"
    from fer_fastai.clean.pred_probs import predict_pred_probs as scores_of
    from fer_fastai.data.loaders import face_dls
    from fer_fastai.models.backbones import face_learner

    faces = many_faces(n)
    learner = face_learner(face_dls(many_faces(1000), 48, 256), "small_cnn")
    return {"seconds": timed(lambda: scores_of(learner, faces, "single", features=False))}


def rank(n, place):
    "Suspected wrong labels, with their number estimated, reasons and suggestions"
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


def widget(n, place):
    "From running the cell to the first page, in JupyterLab and chromium"
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))
    from lab import Lab, chromium, jupyterlab, notebook
    from widget import CELL, OPEN, RUN

    opened = []
    with jupyterlab(place) as address, chromium() as browser:
        first = NOTEBOOK.format(n=n, folder=str(Path(__file__).resolve().parent))
        lab = Lab(browser, address, notebook(place / "many.ipynb", first, CELL, "print(f'peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB')"), height=900)
        lab.page.set_default_timeout(900_000)
        lab.page.evaluate(RUN, [0])
        lab.page.locator(".jp-OutputArea-output pre", has_text=" faces, ready").wait_for()
        for _ in range(3):
            lab.command("notebook:clear-all-cell-outputs")
            lab.page.wait_for_function("() => !document.querySelector('.fer-card')")
            opened.append(lab.page.evaluate(OPEN, [1, ".fer-card"]) / 1000)
            lab.page.wait_for_timeout(1000)
        lab.page.evaluate(RUN, [2])
        said = lab.page.locator(".jp-OutputArea-output pre", has_text="peak ").inner_text()
        lab.close()
    return {"seconds": float(np.median(opened)), "openings": opened, "mib": float(said.split()[1])}


STEPS_OF = {work.__name__: work for work in (read, train_step, score, rank, widget)}


def measure(name, n):
    "A step at a size, in a process of its own; or what was kept of it"
    from common import RUNS
    from fer_fastai.core import git_commit
    from fer_fastai.io import write_json

    kept = RUNS / "scaling" / f"{name}-{n}.json"
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    done = subprocess.run([sys.executable, "-W", "ignore", __file__, "--measure", name, "--sizes", str(n)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_json(kept, found := found | {"commit": git_commit()})
    print(f"{name:12} {n:>9,}", {key: round(value, 3) for key, value in found.items() if isinstance(value, float)}, flush=True)
    return found


def growth(rows):
    "Exponent of time in size, from FROM on: 1 is linear"
    sizes = [n for n in rows if n >= FROM]
    if len(sizes) < 2:
        return None
    return math.log(rows[sizes[-1]]["seconds"] / rows[sizes[0]]["seconds"]) / math.log(sizes[-1] / sizes[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--only", nargs="+", choices=list(STEPS_OF), default=list(STEPS_OF), help="to try it: nothing is written")
    parser.add_argument("--anew", action="store_true", help="forget what was kept")
    parser.add_argument("--measure", choices=list(STEPS_OF), help="this is the process of its own")
    options = parser.parse_args()
    if options.measure:
        with tempfile.TemporaryDirectory() as place:
            found = STEPS_OF[options.measure](options.sizes[0], Path(place))
        return print(json.dumps({"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024} | found))
    if options.anew:
        from common import RUNS

        shutil.rmtree(RUNS / "scaling", ignore_errors=True)
    found = {name: {n: measure(name, n) for n in options.sizes} for name in options.only}
    exponents = {name: growth(rows) for name, rows in found.items()}
    print(exponents)
    if set(options.only) != set(STEPS_OF) or max(options.sizes) < max(SIZES):
        return
    from common import claim, write_result

    most = max(options.sizes)
    write_result("scaling", [
        claim("rank_1m_faces_s", found["rank"][most]["seconds"], f"find_issues by the combined ranking on {most:,} faces with given scores: order, suggestion and reason of every face, number of wrong labels estimated by cleanlab; 2 cores"),
        claim("widget_open_1m_s", found["widget"][most]["seconds"], f"from running the LabelCleaner cell to its first page of 48 faces painted, {most:,} faces and as many issues; JupyterLab and headless chromium, median of 3"),
    ], seeds=[0], steps=found, growth=exponents)  # fmt: skip


if __name__ == "__main__":
    main()
