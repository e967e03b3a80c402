"""Difference of metrics between training in one process and in two under Accelerate's launcher.

    .venv/bin/python benchmarks/speed/two_processes.py [--faces 3000] [--epochs 3]

The first faces of FER2013's Training, validated on PublicTest, by mini-Xception with a batch norm after every
convolution. There is no dropout, because each process draws its own. Runs are in double precision, where a difference
would be an error, and in single precision, where rounding errors grow with the steps. Every face is counted: each
process trains on the same faces, each at most once per epoch. The claim is the largest difference of any epoch's
validation accuracy, macro-F1 or loss in double precision.

Needs: FER2013, accelerate, `pip install 'fer_fastai[cluster]'`
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from fastai.callback.core import Callback

from fer_fastai.data.readers import load_fer2013
from fer_fastai.train.distributed import is_main_process
from fer_fastai.train.recipes import RECIPES, Stage
from fer_fastai.train.training import read_history, train

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Parser, claim, write_result

COLUMNS = ["accuracy", "f1_score", "valid_loss"]
MARK = "seen"  # first word of the line that each process prints
LAUNCHER = ["-m", "accelerate.commands.launch", "--multi_gpu", "--main_process_port", "0", "--num_processes"]


class Double(Callback):
    "Callback that trains in double precision"

    order = 5

    def before_fit(self):
        self.learn.model.double()

    def before_batch(self):
        self.learn.xb = tuple(x.double() for x in self.xb)


class Rows(Callback):
    "Callback that counts how often this process trained on each face"

    order = 1

    def __init__(self, faces):
        self.seen = np.zeros(faces, int)

    def before_batch(self):
        if self.training:
            self.seen[list(self.dl.rows)] += 1


def work(options):
    "Train in one of the processes and print what it saw"
    faces = load_fer2013().drop_leaked()
    train_rows, valid_rows = (np.flatnonzero(faces.table.split == split) for split in ("train", "valid"))
    faces = faces.subset(np.sort(np.concatenate([train_rows[: options.faces], valid_rows])))
    stage = Stage(options.epochs, size=48, lr=4e-3)
    plan = RECIPES["mini-xception"].replace(stages=(stage,), dropout=0.0, autotune=False, ema_decay=0.9, seed=42)
    rows = Rows(len(faces.split("train")))
    start = time.perf_counter()
    train(faces, plan, options.folder, cbs=(rows, Double()) if options.double else (rows,))
    found = {"first": is_main_process(), "rows": rows.seen.tolist(), "seconds": time.perf_counter() - start}
    print(MARK, json.dumps(found), flush=True)


def launch(processes, options, folder, double):
    "Train in some processes; return what each of them printed"
    launcher = [*LAUNCHER, str(processes)] if processes > 1 else []
    command = [sys.executable, *launcher, __file__, "--folder", str(folder), "--faces", str(options.faces)]
    command += ["--epochs", str(options.epochs), *["--double"] * double]
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    found = [json.loads(line.removeprefix(MARK)) for line in done.stdout.splitlines() if line.startswith(MARK)]
    if len(found) != processes:
        raise SystemExit(done.stderr[-3000:])
    return found


def compare(options, double):
    "Train in one process and in two; return histories, their largest differences, and seconds"
    with tempfile.TemporaryDirectory() as place:
        found = {n: launch(n, options, Path(place, f"run-{n}"), double) for n in (1, 2)}
        histories = {n: read_history(Path(place, f"run-{n}")) for n in (1, 2)}
    times = {n: np.sum([one["rows"] for one in each], axis=0) for n, each in found.items()}
    if not np.array_equal(times[1], times[2]) or times[1].max() > options.epochs:
        raise SystemExit("the runs trained on different faces, or on one face twice per epoch")
    return {
        "difference": (histories[1][COLUMNS] - histories[2][COLUMNS]).abs().max().to_dict(),
        "histories": {n: history[[*COLUMNS, "train_loss"]].to_dict("list") for n, history in histories.items()},
        "seconds": {n: [one["seconds"] for one in each] for n, each in found.items()},
    }


def main():
    parser = Parser(__doc__)
    parser.add_argument("--faces", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--double", action="store_true", help="double precision, in one of the processes")
    parser.add_argument("--folder", type=Path, help="run folder; given to each of the processes")
    options = parser.parse_args()
    if options.folder:
        work(options)
        return
    found = {digits: compare(options, digits == "double") for digits in ("double", "single")}
    precision = "mini-Xception, double precision, {} epochs; {:.2g} in single precision. One seed."
    largest = {digits: max(each["difference"].values()) for digits, each in found.items()}
    claims = [
        claim(
            "two_process_metric_difference",
            largest["double"],
            "Largest difference of a validation metric, two processes",
            "score",
            "lower",
            "scale",
            split="PublicTest",
            tta="single",
            seeds=[42],
            reference=0.0,
            reference_source="the same recipe in one process",
            note=precision.format(options.epochs, largest["single"]),
        )
    ]
    write_result("two_processes", claims, seeds=[42], **found)


if __name__ == "__main__":
    main()
