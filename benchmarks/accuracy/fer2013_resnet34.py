"""Accuracy of ResNet-34 trained from scratch on FER2013's seven classes, on this machine.

    .venv/bin/python benchmarks/accuracy/fer2013_resnet34.py [--recipe resnet34] [--seeds 42]

Trained on Training without faces that have an exact copy in PublicTest or PrivateTest. The epoch is selected on
PublicTest, PrivateTest is scored once. Scores against FER+ majority are recorded beside those against FER2013's
labels. An interrupted run is resumed.

Needs: FER2013
"""

import json
import sys
from pathlib import Path

from fer_fastai.data.readers import load_fer2013
from fer_fastai.evaluate.metrics import summarize_seeds
from fer_fastai.evaluate.report import report
from fer_fastai.train.recipes import get_recipe
from fer_fastai.train.training import read_history, train

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import (
    FER_LABELS,
    PRIVATE,
    RESNET34_PUBLISHED,
    RUNS,
    Parser,
    claim,
    history_columns,
    metric_rows,
    metric_tables,
    write_result,
)

FACTS = ("best", "seconds", "compute_mode", "autotune", "parameters")  # fields of run.json


def run(plan, faces, folder) -> tuple:
    "Train, resume or load a run; return its PrivateTest report, facts and history"
    learner = train(faces, plan, folder)
    found = report(learner, faces, "test", title=folder.name)
    found.predictions().to_parquet(folder / "private_predictions.parquet")
    return found, json.loads((folder / "run.json").read_text()), read_history(folder)


def mean_claim(id, metrics, metric, tta, seeds, reference=(None, None)):
    "Create a claim for the mean accuracy over seeds, with the bootstrap interval where there is one seed"
    interval = metrics[0].intervals.loc["accuracy"].tolist() if len(metrics) == 1 else None
    return claim(
        id,
        sum(m.accuracy for m in metrics) / len(metrics),
        metric,
        "fraction",
        "higher",
        "accuracy",
        split=PRIVATE,
        selected_on="PublicTest: epoch",
        tta=tta,
        seeds=seeds,
        reference=reference[0],
        reference_source=reference[1],
        interval=interval,
        note="Labels only, no teacher." + " One seed." * (len(metrics) == 1),
    )


def main():
    parser = Parser(__doc__)
    parser.add_argument("--recipe", default="resnet34")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    options = parser.parse_args()
    faces, done = load_fer2013().drop_leaked(), {}
    for seed in options.seeds:
        folder = RUNS / f"fer2013-{options.recipe}-{seed}"
        done[seed] = run(get_recipe(options.recipe, seed=seed), faces, folder)
    reports = {seed: found for seed, (found, _, _) in done.items()}
    single, crops = ([found.metrics[FER_LABELS, tta] for found in reports.values()] for tta in ("single", "ten_crop"))
    metric = "Accuracy, ResNet-34 from scratch, {}, FER2013"
    claims = [
        mean_claim("fer2013_resnet34_private_accuracy", single, metric.format("single view"), "single", options.seeds),
        mean_claim(
            "fer2013_resnet34_private_accuracy_ten_crop",
            crops,
            metric.format("ten crops"),
            "ten_crop",
            options.seeds,
            RESNET34_PUBLISHED,
        ),
    ]
    write_result(
        "fer2013_resnet34",
        claims,
        recipe=get_recipe(options.recipe).to_dict(),
        seeds=options.seeds,
        wall_s=sum(history.seconds.sum() for _, _, history in done.values()),
        reports={seed: metric_rows(found) for seed, found in reports.items()},
        runs={seed: {name: facts[name] for name in FACTS} for seed, (_, facts, _) in done.items()},
        history={seed: history_columns(history) for seed, (_, _, history) in done.items()},
        counts=faces.counts().to_dict(),
        over_seeds=summarize_seeds(single).to_dict() if len(done) > 1 else None,
        tables=metric_tables({(str(seed), "private"): found for seed, found in reports.items()}),
    )


if __name__ == "__main__":
    main()
