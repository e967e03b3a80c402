"""Accuracy of an ensemble of the networks that the other benchmarks trained, selected on PublicTest.

    .venv/bin/python benchmarks/accuracy/ensemble.py [runs/resnet34_best-42 runs/fer_kd-42 ...]

Each member is one test-time augmentation (single, flip, ten crops) of a run that kept its predictions for both splits,
or of a bundled model. Members are added greedily, with repetition, each the one that lowers PublicTest's log loss most,
until none does (Caruana et al., ICML 2004). Accuracy on PublicTest is too coarse to select by. PrivateTest is scored
once.

Needs: FER2013, runs of joint.py, nets.py and gpu.py
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from fer_fastai.data.emotions import FER2013_CLASSES
from fer_fastai.data.readers import load_fer2013
from fer_fastai.deploy.predictor import pretrained_model
from fer_fastai.evaluate.report import report, report_from_pred_probs

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import (
    PRIVATE,
    RUNS,
    Parser,
    accuracy_claim,
    metric_rows,
    metric_tables,
    open_learner,
    write_result,
)

SPLITS = {"public": "valid", "private": "test"}
TTA = ("single", "flip", "ten_crop")


def has_seven_classes(table):
    "Return whether a table of predictions holds FER2013's seven classes"
    return f"single_{FER2013_CLASSES[1]}" in table and "single_contempt" not in table


def bundled_predictions(name, faces):
    "Predict both splits by a bundled model, once; return the folder of the predictions"
    folder, model = RUNS / "answers" / name, pretrained_model(name)
    if not all((folder / f"{split}_predictions.parquet").exists() for split in SPLITS):
        learner = open_learner(model, faces)
        folder.mkdir(parents=True, exist_ok=True)
        for split, part in SPLITS.items():
            table = report(learner, faces, part, TTA[:2], title=name).predictions()
            table.to_parquet(folder / f"{split}_predictions.parquet")
    return folder


def read_members(folders, faces):
    "Read (run, tta) -> probabilities of both splits"
    found = {}
    for folder in folders:
        tables = {}
        for split, part in SPLITS.items():
            tables[split] = pd.read_parquet(folder / f"{split}_predictions.parquet").loc[faces.split(part).ids]
        for tta in TTA:
            columns = [f"{tta}_{name}" for name in FER2013_CLASSES]
            if set(columns) <= set(tables["public"].columns):
                kept = {split: table[columns].to_numpy(np.float64) for split, table in tables.items()}
                found[folder.name, tta] = kept
    return found


def log_loss(probabilities, labels):
    "Return the mean negative log-likelihood of the labels"
    return float(-np.log(probabilities[np.arange(len(labels)), labels].clip(1e-7)).mean())


def select(found, labels, most=20):
    "Select members greedily; return them, and PublicTest's log loss and accuracy after each"
    chosen, steps, total = [], [], 0.0
    while len(chosen) < most:
        size = len(chosen) + 1
        losses = {key: log_loss((total + p["public"]) / size, labels) for key, p in found.items()}
        best = min(losses, key=losses.get)
        if steps and losses[best] >= steps[-1]["nll"]:
            break
        chosen.append(best)
        total = total + found[best]["public"]
        correct = float((total.argmax(1) == labels).mean())
        steps.append({"member": " ".join(best), "nll": losses[best], "accuracy": correct})
    return chosen, steps


def default_runs():
    "Return every run with predictions of seven classes for both splits"
    found = []
    for path in sorted(RUNS.glob("*/public_predictions.parquet")):
        if (path.parent / "private_predictions.parquet").exists() and has_seven_classes(pd.read_parquet(path)):
            found.append(path.parent)
    return found


def main():
    parser = Parser(__doc__)
    parser.add_argument(
        "runs", nargs="*", type=Path, help="default: every run with predictions, and the bundled models"
    )
    options = parser.parse_args()
    faces = load_fer2013().drop_leaked()
    bundled = [] if options.runs else [bundled_predictions(name, faces) for name in ("compact", "swift")]
    found = read_members([*(options.runs or default_runs()), *bundled], faces)
    chosen, steps = select(found, faces.split("valid").codes)
    together = {split: sum(found[key][split] for key in chosen) / len(chosen) for split in SPLITS}
    private = report_from_pred_probs({"mixed": together["private"]}, faces, "test", title="ensemble")
    alone = {}
    for key, p in found.items():
        labels = {split: faces.split(part).codes for split, part in SPLITS.items()}
        alone[" ".join(key)] = {split: float((p[split].argmax(1) == labels[split]).mean()) for split in SPLITS}
    claims = [
        accuracy_claim(
            "ensemble_private_accuracy",
            private.headline,
            f"Accuracy, ensemble of {len(chosen)} predictions, FER2013",
            split=PRIVATE,
            selected_on="PublicTest: members, by log loss",
            tta="mixed",
            note="Several members learned labels and FER+ votes; most were trained on a GPU. One seed each.",
        )
    ]
    members = dict(Counter(" ".join(key) for key in chosen))
    scores = {"members": members, "public_steps": steps, "private": metric_rows(private), "alone": alone}
    write_result("ensemble", claims, tables=metric_tables({("ensemble", "private"): private}), **scores)
    print(private.headline)


if __name__ == "__main__":
    main()
