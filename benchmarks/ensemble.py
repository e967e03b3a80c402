"""An ensemble of the networks that the other benchmarks trained, chosen on PublicTest, scored on PrivateTest once.

    python benchmarks/ensemble.py [runs/resnet34_best-42 runs/compact-42 ...]

Each member is a view (single, flip, ten crops) of a run that kept its predictions for both splits. Members join one after another, each
the one that lifts PublicTest's accuracy most, once each, until none does. Writes benchmarks/results/ensemble.json.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from common import RUNS, write_result
from fer_fastai.data.emotions import FER2013
from fer_fastai.data.groups import without_leaks
from fer_fastai.data.sources import fer2013
from fer_fastai.train.evaluation import report_on

VIEWS = ("single", "flip", "ten_crop")


def members(folders, ids):
    "(run, view) -> probabilities of both splits"
    found = {}
    for folder in folders:
        tables = {split: pd.read_parquet(folder / f"{split}_predictions.parquet").loc[ids[split]] for split in ("public", "private")}
        for view in VIEWS:
            columns = [f"{view}_{name}" for name in FER2013]
            found[folder.name, view] = {split: table[columns].to_numpy(np.float64) for split, table in tables.items()}
    return found


def choose(found, codes):
    "Greedy on PublicTest: those that join, and the accuracy after each"
    chosen, steps, total = [], [], 0.0
    while len(chosen) < len(found):
        gains = {key: float(((total + p["public"]).argmax(1) == codes).mean()) for key, p in found.items() if key not in chosen}
        best = max(gains, key=gains.get)
        if steps and gains[best] <= steps[-1]:
            break
        chosen.append(best)
        steps.append(gains[best])
        total = total + found[best]["public"]
    return chosen, steps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path, help="default: every run with predictions of seven classes for both splits")
    options = parser.parse_args()
    faces = without_leaks(fer2013())
    ids = {name: faces.split(split).ids for name, split in (("public", "valid"), ("private", "test"))}
    kept = options.runs or [p.parent for p in sorted(RUNS.glob("*/public_predictions.parquet")) if f"single_{FER2013[1]}" in (table := pd.read_parquet(p)) and len(table) == len(ids["public"]) and "single_contempt" not in table]
    found = members(kept, ids)
    chosen, steps = choose(found, faces.split("valid").codes)
    together = {split: sum(found[key][split] for key in chosen) / len(chosen) for split in ids}
    private = report_on({"single": together["private"]}, faces, "test", title="ensemble")
    alone = {" ".join(key): {split: float((p[split].argmax(1) == faces.split(part).codes).mean()) for split, part in (("public", "valid"), ("private", "test"))} for key, p in found.items()}
    write_result("ensemble", [], members=[" ".join(key) for key in chosen], public_steps=steps, private=private.to_dict(), alone=alone,
                 protocol="members and their number chosen on PublicTest; PrivateTest scored once, no face cleaned")  # fmt: skip
    print(private.headline)


if __name__ == "__main__":
    main()
