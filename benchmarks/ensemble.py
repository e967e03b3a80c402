"""An ensemble of the networks that the other benchmarks trained, chosen on PublicTest, scored on PrivateTest once.

    python benchmarks/ensemble.py [runs/resnet34_best-42 runs/fer_kd-42 ...]

Each member is a view (single, flip, ten crops where they were kept) of a run that kept its predictions for both splits, or of a model that ships
with the package. Members join one after another, each the one that lowers PublicTest's log loss most, again if need be, until none does: accuracy
there is too coarse to choose by. Writes benchmarks/results/ensemble.json.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from common import RUNS, claim, opened, write_result
from fer_fastai.data.emotions import FER2013_CLASSES
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.deploy.predictor import pretrained_model
from fer_fastai.evaluate.metrics import report, report_on

SPLITS = {"public": "valid", "private": "test"}
VIEWS = ("single", "flip", "ten_crop")


def of_seven(table):
    "Does the table hold probabilities of FER2013's seven classes?"
    return f"single_{FER2013_CLASSES[1]}" in table and "single_contempt" not in table


def shipped(name, faces):
    "Predictions of a model that ships, as a run keeps them; kept in runs/answers"
    folder, model = RUNS / "answers" / name, pretrained_model(name)
    if not all((folder / f"{split}_predictions.parquet").exists() for split in SPLITS):
        learner = opened(model, faces)
        folder.mkdir(parents=True, exist_ok=True)
        for split, part in SPLITS.items():
            report(learner, faces, part, VIEWS[:2], title=name).predictions().to_parquet(folder / f"{split}_predictions.parquet")
    return folder


def members(folders, faces):
    "(run, view) -> probabilities of both splits"
    found = {}
    for folder in folders:
        tables = {split: pd.read_parquet(folder / f"{split}_predictions.parquet").loc[faces.split(part).ids] for split, part in SPLITS.items()}
        for view in VIEWS:
            columns = [f"{view}_{name}" for name in FER2013_CLASSES]
            if set(columns) <= set(tables["public"].columns):
                found[folder.name, view] = {split: table[columns].to_numpy(np.float64) for split, table in tables.items()}
    return found


def log_loss(shares, codes):
    "Mean negative log-likelihood of the right classes"
    return float(-np.log(shares[np.arange(len(codes)), codes].clip(1e-7)).mean())


def choose(found, codes, most=20):
    "Greedy on PublicTest, the same member more than once if that helps (Caruana et al., ICML 2004): those that join, and log loss and accuracy after each"
    chosen, steps, total = [], [], 0.0
    while len(chosen) < most:
        losses = {key: log_loss((total + p["public"]) / (len(chosen) + 1), codes) for key, p in found.items()}
        best = min(losses, key=losses.get)
        if steps and losses[best] >= steps[-1]["nll"]:
            break
        chosen.append(best)
        total = total + found[best]["public"]
        steps.append({"member": " ".join(best), "nll": losses[best], "accuracy": float((total.argmax(1) == codes).mean())})
    return chosen, steps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path, help="default: every run with predictions of seven classes for both splits, and the models that ship")
    options = parser.parse_args()
    faces = drop_leaked(load_fer2013())
    own = [p.parent for p in sorted(RUNS.glob("*/public_predictions.parquet")) if of_seven(pd.read_parquet(p)) and (p.parent / "private_predictions.parquet").exists()]
    found = members(options.runs or own + [shipped(name, faces) for name in ("compact", "swift")], faces)
    chosen, steps = choose(found, faces.split("valid").codes)
    together = {split: sum(found[key][split] for key in chosen) / len(chosen) for split in SPLITS}
    private = report_on({"single": together["private"]}, faces, "test", title="ensemble")
    alone = {" ".join(key): {split: float((p[split].argmax(1) == faces.split(part).codes).mean()) for split, part in SPLITS.items()} for key, p in found.items()}
    protocol = "members and how often each counts chosen by PublicTest's log loss; PrivateTest scored once, no face cleaned"
    write_result("ensemble", [claim("ensemble_private_accuracy", private.headline.accuracy, protocol)], members=dict(Counter(" ".join(key) for key in chosen)), public_steps=steps, private=private.to_dict(), alone=alone)
    print(private.headline)


if __name__ == "__main__":
    main()
