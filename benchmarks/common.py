"""Shared parts of the benchmarks: claims, results files, and predictions of networks that other scripts trained.

Every script puts this folder on the path and then imports this module, so that it runs from the project root as
`.venv/bin/python benchmarks/<folder>/<script>.py`.
"""

import argparse
import json
import math
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import fer_fastai.data.duplicates  # noqa: F401  adds FaceSet.drop_leaked
from fer_fastai.io import atomic_path
from fer_fastai.train.metadata import git_commit, hardware, versions

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
RUNS = Path(os.environ.get("FER_RUNS", ROOT / "runs")).resolve()
START = time.perf_counter()
WIDTH, SHORT = 118, 60  # characters: line of a results file, item of a filled line

TOPICS = ("accuracy", "cleaning", "compression", "speed", "scale", "robustness")
BETTER = ("higher", "lower")
TTA = ("single", "flip", "ten_crop", "mixed")  # mixed: members of an ensemble differ
LIMITS = {"metric": 90, "unit": 20, "split": 70, "selected_on": 70, "reference_source": 80, "note": 100}
SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "nll", "ece")
TABLES = ("per_class", "confusion", "reliability")
SINGLE, FLIP = "single", "flip"
FER_LABELS = "FER2013 labels"
PRIVATE = "PrivateTest"

# Published figures that several scripts compare with: reference, and where it comes from
RESNET34_PUBLISHED = (0.7242, "published ResNet-34: 224 px, ImageNet weights, ten views")
FER_PACKAGE = (0.654, "mini-Xception of the fer package, measured by the same protocol")


class Parser(argparse.ArgumentParser):
    "Argument parser of a benchmark: help from the docstring, and `--allow-dirty`"

    def __init__(self, doc: str):
        super().__init__(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.add_argument("--allow-dirty", action="store_true", help="write results despite uncommitted changes")

    def parse_args(self, args=None, namespace=None):
        options = super().parse_args(args, namespace)
        if code_version().endswith("+") and not options.allow_dirty:
            print("uncommitted changes: results will not be written without --allow-dirty", file=sys.stderr)
        return options


def one_of(known):
    "Return an argparse type that accepts one of several names; `choices` rejects an empty list in Python 3.11"

    def check(name):
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r}: expected one of {', '.join(known)}")
        return name

    return check


# Claims


def check_text(name: str, field: str, text: str | None):
    "Raise ValueError where a text field of a claim is too long for a table cell"
    if text is not None and (not isinstance(text, str) or len(text) > LIMITS[field]):
        raise ValueError(f"{name}: {field} is {text!r:.150}; expected text of at most {LIMITS[field]} characters")


def check_claim(found: dict):
    "Raise ValueError for a claim that the results page cannot show"
    name = found["id"]
    for field in LIMITS:
        check_text(name, field, found[field])
    if not found["metric"] or not found["unit"]:
        raise ValueError(f"{name}: metric {found['metric']!r}, unit {found['unit']!r}; expected both")
    for field, allowed in (("better", BETTER), ("topic", TOPICS), ("tta", (None, *TTA))):
        if found[field] not in allowed:
            raise ValueError(f"{name}: {field} is {found[field]!r}; expected one of {', '.join(map(str, allowed))}")
    if (found["reference"] is None) != (found["reference_source"] is None):
        raise ValueError(f"{name}: a reference and its source are required together")
    if found["interval"] is not None and not found["interval"][0] <= found["interval"][1]:
        raise ValueError(f"{name}: interval {found['interval']}; expected [low, high]")


def claim(
    id: str,  # unique over all results files; never changed later
    value: float,
    metric: str,  # row name in the results table: quantity, system, data
    unit: str,  # "fraction", "difference" (of two fractions), "score", "ratio", or a unit such as "ms"
    better: str,  # "higher" or "lower"
    topic: str,  # table of the results page
    *,
    split: str | None = None,  # data that was scored; None: no data set is scored
    selected_on: str | None = None,  # data on which epoch, network or options were selected
    tta: str | None = None,  # test-time augmentation; None where no network is scored
    seeds: Sequence[int] = (),
    reference: float | None = None,  # value to compare with, in the same unit
    reference_source: str | None = None,
    interval: Sequence[float] | None = None,  # 95 % unless the note names another
    note: str = "",  # caveats, one or two sentences
) -> dict:
    "Create one claim of a results file"
    found = {
        "id": id,
        "metric": metric,
        "value": round(float(value), 6),
        "unit": unit,
        "better": better,
        "reference": None if reference is None else round(float(reference), 6),
        "reference_source": reference_source,
        "split": split,
        "selected_on": selected_on,
        "tta": tta,
        "seeds": [int(seed) for seed in seeds],
        "interval": None if interval is None else [round(float(end), 6) for end in interval],
        "topic": topic,
        "note": note,
    }
    check_claim(found)
    return found


def accuracy_claim(id: str, metrics, metric: str, **fields) -> dict:
    "Create a claim for the accuracy of a `Metrics`, with its bootstrap interval"
    interval = metrics.intervals.loc["accuracy"].tolist()
    return claim(id, metrics.accuracy, metric, "fraction", "higher", "accuracy", interval=interval, **fields)


# Results files


def code_version() -> str:
    "Return the commit, with `+` when tracked files outside benchmarks/results have changes"
    changed = ["git", "status", "--porcelain", "-uno", "--", ".", ":!benchmarks/results"]
    dirty = subprocess.run(changed, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    return git_commit().rstrip("+") + ("+" if dirty else "")


def shown_argument(argument: str) -> str:
    "Return a command-line argument without folders of this machine"
    if not os.path.isabs(argument):
        return argument
    path = Path(argument)
    return path.relative_to(ROOT).as_posix() if ROOT in path.parents else path.name


def command_line(arguments: Sequence[str] | None = None) -> str:
    "Return the command that reproduces a result, relative to the project root"
    given = sys.argv[1:] if arguments is None else arguments
    kept = [shown_argument(str(each)) for each in given if each != "--allow-dirty"]
    return shlex.join([".venv/bin/python", script_path(), *kept])


def script_path() -> str:
    "Return the path of the running script, relative to the project root"
    path = Path(sys.argv[0]).resolve()
    return path.relative_to(ROOT).as_posix() if ROOT in path.parents else path.name


def plain(value):
    "Convert numpy, torch and paths to what JSON has; floats keep eight significant digits"
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.8g}") if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def filled(items: Sequence[str], indent: int) -> str:
    "Join short JSON items into lines of at most WIDTH characters"
    lines = [""]
    for number, item in enumerate(items):
        item += "," * (number < len(items) - 1)
        if lines[-1] and indent + len(lines[-1]) + len(item) + 1 > WIDTH:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + item
    return ("\n" + " " * indent).join(lines)


def dumps(value, indent: int = 0, fill: bool = True) -> str:
    "Format JSON for review: values that fit stay on one line, short items are filled into lines"
    line = json.dumps(value, ensure_ascii=False)
    if indent + len(line) <= WIDTH or not isinstance(value, (dict, list)):
        return line
    inner = indent + 1
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {dumps(each, inner, fill)}" for key, each in value.items()]
    else:
        items = [dumps(each, inner, fill) for each in value]
    short = fill and all(len(item) <= SHORT and "\n" not in item for item in items)
    body = filled(items, inner) if short else (",\n" + " " * inner).join(items)
    start, end = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return f"{start}\n{' ' * inner}{body}\n{' ' * indent}{end}"


def result_text(found: dict) -> str:
    "Format a results file: one top-level field per paragraph, one field of a claim per line"
    fields = {key: dumps(each if key == "claims" else plain(each), 1, key != "claims") for key, each in found.items()}
    body = ",\n ".join(f'"{key}": {text}' for key, text in fields.items())
    return f"{{\n {body}\n}}\n"


def write_result(
    name: str,
    claims: Sequence[dict],
    *,
    recipe=None,
    seeds: Sequence[int] = (),
    wall_s: float | None = None,  # None: since this module was imported
    arguments: Sequence[str] | None = None,  # arguments of the command that makes this file alone; None: as given
    tables: pd.DataFrame | None = None,  # written beside the JSON file as Parquet
    **measured,
) -> Path:
    "Write benchmarks/results/<name>.json; raise SystemExit for a tree with uncommitted changes"
    print(json.dumps({each["id"]: each["value"] for each in claims}, indent=2))
    measured = {"commit": code_version(), "hardware": hardware(), "versions": versions(), **measured}
    if code_version().endswith("+") and "--allow-dirty" not in sys.argv:
        raise SystemExit(f"{name}.json is not written: uncommitted changes; commit them, or pass --allow-dirty")
    found = {
        "script": script_path(),
        "command": command_line(arguments),
        "claims": list(claims),
        "recipe": recipe,
        "seeds": list(seeds),
        "wall_s": round(time.perf_counter() - START if wall_s is None else wall_s, 1),
        **measured,
    }
    path = RESULTS / f"{name}.json"
    with atomic_path(path) as part:
        part.write_text(result_text(found), encoding="utf-8")
    if tables is not None:
        with atomic_path(path.with_suffix(".parquet")) as part:
            tables.to_parquet(part, index=False)
    print(f"written to {path}")
    return path


def metric_rows(report) -> dict:
    "Return the scores of a report for JSON: one row per label set and test-time augmentation"
    rows = []
    for (labels, tta), metrics in report.metrics.items():
        scores = {name: getattr(metrics, name) for name in SCORES}
        intervals = {name: [low, high] for name, low, high in metrics.intervals.itertuples()}
        left_out = {"excluded": dict(metrics.excluded)} if metrics.excluded else {}
        rows.append(
            {"label_set": labels, "tta": tta, "faces": metrics.faces, **scores, "intervals": intervals, **left_out}
        )
    return {"faces": len(report.faces), "vocab": list(report.vocab), "metrics": rows}


def history_columns(history: pd.DataFrame) -> dict:
    "Return a training history for JSON, without learning rates"
    return history.drop(columns=["rate", "lr"], errors="ignore").to_dict("list")


def long_rows(table: pd.DataFrame, name: str) -> pd.DataFrame:
    "Return a table as rows of table, row, column, value"
    rows = [(name, str(row), str(column), each[column]) for row, each in table.iterrows() for column in table.columns]
    return pd.DataFrame(rows, columns=["table", "row", "column", "value"]).astype({"value": float})


def metric_tables(reports: dict) -> pd.DataFrame:
    "Return all scores and tables of reports, keyed by (system, split), as one long table"
    parts = []
    for (system, split), report in reports.items():
        for (labels, tta), metrics in report.metrics.items():
            scores = pd.DataFrame({"value": {name: getattr(metrics, name) for name in (*SCORES, "faces", "groups")}})
            excluded = pd.DataFrame({"value": dict(metrics.excluded)}, dtype=float)
            named = {"scores": scores, "intervals": metrics.intervals, "excluded": excluded}
            named |= {name: getattr(metrics, name) for name in TABLES}
            rows = pd.concat([long_rows(table, name) for name, table in named.items()])
            keys = pd.DataFrame({"system": system, "split": split, "label_set": labels, "tta": tta}, index=rows.index)
            parts.append(pd.concat([keys, rows], axis=1))
    return pd.concat(parts, ignore_index=True)


# Networks that other scripts trained. Imports are inside the functions: most scripts need no torch.


def out_of_fold(faceset, recipe, n: int = 5, folder: Path | None = None, training=None):
    "Predict all Training faces by n-fold cross-validation; no fold trains on a copy of a face that is tested"
    from fer_fastai.clean.cross_val import cross_val_pred_probs

    training = faceset.split("train") if training is None else training
    copies = training.ids.difference(faceset.drop_leaked().ids)
    return cross_val_pred_probs(training, recipe, n, folder or RUNS / f"kfold-{recipe.name}", predict_only=copies)


def open_learner(folder: Path, faces):
    "Open a run folder or a model folder as a learner"
    if (folder / "recipe.json").exists():
        from fer_fastai.train.training import load_run

        return load_run(folder, faces)
    from fer_fastai.deploy.model_folder import as_learner, load_model_folder

    return as_learner(load_model_folder(folder), faces)


def training_predictions(run: Path, faces):
    "Predict the training faces of a network; predictions are kept in its run folder, or in runs/answers"
    from fer_fastai.clean.pred_probs import PredProbs, predict_pred_probs

    folder = run if (run / "recipe.json").exists() else RUNS / "answers" / run.name
    kept, weights = folder / "training_answers.parquet", run / "model.safetensors"
    training = faces.split("train")
    if kept.exists() and (not weights.exists() or kept.stat().st_mtime > weights.stat().st_mtime):
        table = pd.read_parquet(kept)
        if set(table.index) >= set(training.ids):
            return PredProbs(table.loc[training.ids], source=run.name)
    scores = predict_pred_probs(open_learner(run, faces), training, tta="flip", features=False, source=run.name)
    kept.parent.mkdir(parents=True, exist_ok=True)
    scores.probabilities.to_parquet(kept)
    return scores


def distillation_targets(faces, teachers: Sequence[Path], weight: float, teacher_faces=None):
    "Return faces whose soft labels are `weight` times the teachers' mean prediction plus the rest of the label"
    from fer_fastai.clean.pred_probs import average_pred_probs
    from fer_fastai.clean.ranking import blend_soft_labels

    known = faces if teacher_faces is None else teacher_faces  # the same faces, in the teachers' classes
    predictions = average_pred_probs([training_predictions(teacher, known) for teacher in teachers])
    return blend_soft_labels(faces, predictions, weight)
