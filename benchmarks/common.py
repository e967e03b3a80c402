"""What every benchmark shares: where results go, and what stands beside each number."""

import argparse
import json
import os
import time
from pathlib import Path

import pandas as pd
from fer_fastai.clean.issues import blend_soft_labels
from fer_fastai.clean.pred_probs import PredProbs, average_pred_probs, cross_val_pred_probs, predict_pred_probs
from fer_fastai.core import git_commit, hardware, versions
from fer_fastai.io import write_json
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.deploy.model_folder import as_learner, load_model
from fer_fastai.train.training import load_run

RESULTS = Path(__file__).resolve().parent / "results"
RUNS = Path(os.environ.get("FER_RUNS", Path(__file__).resolve().parent.parent / "runs")).resolve()
START = time.perf_counter()


def claim(name: str, value: float, protocol: str) -> dict:
    "One figure that README or a paper's notebook quotes"
    return {"id": name, "value": round(float(value), 6), "protocol": protocol}


def write_result(name: str, claims: list, recipe=None, seeds=(), wall_s: float | None = None, **measured) -> Path:
    "benchmarks/results/<name>.json"
    path = RESULTS / f"{name}.json"
    write_json(path, {
        "claims": claims, "recipe": recipe, "seeds": list(seeds), "commit": git_commit(), "hardware": hardware(),
        "wall_s": round(time.perf_counter() - START if wall_s is None else wall_s, 1), "versions": versions(), **measured,
    })
    print(json.dumps({c["id"]: c["value"] for c in claims}, indent=2), f"\nwritten to {path}")
    return path


def one_of(known):
    "argparse's type of a name out of several; its `choices` refuse an empty list of names in Python 3.11"
    def check(name):
        if name not in known: raise argparse.ArgumentTypeError(f"{name!r}: one of {', '.join(known)}")
        return name
    return check


def out_of_fold(every, plan, n: int = 5, folder: Path | None = None, taught=None):
    "Scores of all Training faces, by networks that learned neither the face nor a copy of a test face; `taught`: the same faces with soft labels"
    training = every.split("train") if taught is None else taught
    copies = training.ids.difference(drop_leaked(every).ids)
    return cross_val_pred_probs(training, plan, n, folder or RUNS / f"kfold-{plan.name}", unseen=copies)


def opened(place: Path, faces):
    "A trained network: a run folder, or a model folder"
    return load_run(place, faces) if (place / "recipe.json").exists() else as_learner(load_model(place), faces)


def answers(run: Path, faces):
    "What a trained network says of its own training faces; kept in its run folder, or for one that ships in runs/answers"
    kept, weights, training = (run if (run / "recipe.json").exists() else RUNS / "answers" / run.name) / "training_answers.parquet", run / "model.safetensors", faces.split("train")
    if kept.exists() and (not weights.exists() or kept.stat().st_mtime > weights.stat().st_mtime):
        table = pd.read_parquet(kept)
        if set(table.index) >= set(training.ids):
            return PredProbs(table.loc[training.ids], source=run.name)
    scores = predict_pred_probs(opened(run, faces), training, tta="flip", features=False, source=run.name)
    kept.parent.mkdir(parents=True, exist_ok=True)
    scores.probabilities.to_parquet(kept)
    return scores


def told(faces, teachers: list[Path], share: float, asked=None):
    "Soft labels: each training face's label, and for `share` of it what trained networks answer to the face, averaged; `asked`: the faces in the networks' classes when those are more"
    return blend_soft_labels(faces, average_pred_probs([answers(teacher, faces if asked is None else asked) for teacher in teachers]), share)
