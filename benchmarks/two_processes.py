"""One recipe on one process and on two under Accelerate's launcher: the same faces once an epoch, and how far the metrics differ.

    python benchmarks/two_processes.py [--faces 3000] [--epochs 3]

FER2013's first Training faces and PublicTest; mini-Xception, whose every convolution has a batch norm; no dropout, for what a process draws
inside the network is its own. In double precision, where what differs would be a mistake, and in single, where rounding grows with the steps.
The claim is the largest difference of any epoch's validation accuracy, macro-F1 or loss in double precision. Writes two_processes.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import claim, write_result
from fastai.callback.core import Callback
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.train.recipes import RECIPES, Stage
from fer_fastai.train.distributed import is_main_process
from fer_fastai.train.training import read_history, train

COLUMNS = ["accuracy", "f1_score", "valid_loss"]


class Double(Callback):
    "Sixteen digits"

    order = 5

    def before_fit(self):
        self.learn.model.double()

    def before_batch(self):
        self.learn.xb = tuple(x.double() for x in self.xb)


class Rows(Callback):
    "How often each face was learned from by this process"

    order = 1

    def __init__(self, faces):
        self.seen = np.zeros(faces, int)

    def before_batch(self):
        if self.training:
            self.seen[list(self.dl.rows)] += 1


def work(options):
    "What every process does"
    faces = drop_leaked(load_fer2013())
    train_rows, valid_rows = (np.flatnonzero(faces.table.split == split) for split in ("train", "valid"))
    faces = faces.subset(np.sort(np.concatenate([train_rows[: options.faces], valid_rows])))
    plan = RECIPES["mini-xception"].replace(stages=(Stage(options.epochs, size=48, lr=4e-3),), dropout=0.0, fast=False, ema_decay=0.9, seed=42)
    rows = Rows(len(faces.split("train")))
    start = time.perf_counter()
    train(faces, plan, options.folder, cbs=(rows, Double()) if options.double else (rows,))
    print("seen", json.dumps({"first": is_main_process(), "rows": rows.seen.tolist(), "seconds": time.perf_counter() - start}), flush=True)


def launch(processes, options, folder, double):
    "A run, and what each process says of it"
    launcher = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(processes), "--main_process_port", "0"] if processes > 1 else []
    command = [sys.executable, *launcher, __file__, "--folder", str(folder), "--faces", str(options.faces), "--epochs", str(options.epochs), *["--double"] * double]
    done = subprocess.run(command, env=os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    said = [json.loads(line.removeprefix("seen")) for line in done.stdout.splitlines() if line.startswith("seen")]
    if len(said) != processes:
        raise SystemExit(done.stderr[-3000:])
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--double", action="store_true", help="of one of the processes")
    parser.add_argument("--folder", type=Path, help="of the run: this is one of the processes")
    options = parser.parse_args()
    if options.folder:
        return work(options)
    found = {digits: compare(options, digits == "double") for digits in ("double", "single")}
    protocol = f"largest difference of validation accuracy, macro-F1 or loss in any of {options.epochs} epochs between one process and two (Accelerate, gloo, processors), the same recipe and batch; mini-Xception on {options.faces:,} faces of FER2013's Training, validated on PublicTest; double precision, no dropout; every process's faces counted: each at most once an epoch (single precision, where rounding grows: {max(found['single']['difference'].values()):.2g})"
    write_result("two_processes", [claim("two_process_metric_difference", max(found["double"]["difference"].values()), protocol)], seeds=[42], **found)


def compare(options, double):
    "One process and two: histories, and how far they differ"
    with tempfile.TemporaryDirectory() as place:
        said = {n: launch(n, options, Path(place, f"run-{n}"), double) for n in (1, 2)}
        histories = {n: read_history(Path(place, f"run-{n}")) for n in (1, 2)}
    times = {n: np.sum([one["rows"] for one in told], axis=0) for n, told in said.items()}
    if not np.array_equal(times[1], times[2]) or times[1].max() > options.epochs:
        raise SystemExit("the two runs learned from different faces, or from one twice in an epoch")
    return {"difference": (histories[1][COLUMNS] - histories[2][COLUMNS]).abs().max().to_dict(), "histories": {n: history[[*COLUMNS, "train_loss"]].to_dict("list") for n, history in histories.items()},
            "seconds": {n: [one["seconds"] for one in told] for n, told in said.items()}}  # fmt: skip


if __name__ == "__main__":
    main()
