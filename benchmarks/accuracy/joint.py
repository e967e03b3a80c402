"""Accuracy of one ResNet-34 trained on FER2013's labels and FER+ votes together, reduced to each label set.

    .venv/bin/python benchmarks/accuracy/joint.py

Targets: half FER2013 (the label and, in equal parts, the out-of-fold prediction of five-fold networks), half FER+ (its
votes as probabilities). Two cycles: 30 epochs of growing image size, 12 at full size with averaged weights. Epoch and
test-time augmentation (single, flip) are selected on PublicTest. PrivateTest is scored once for each label set; no face
is cleaned. An interrupted run is resumed. Writes resnet34_best.json and ferplus_majority.json.

Needs: FER2013
"""

import sys
from pathlib import Path

import pandas as pd

from fer_fastai.clean.ranking import blend_soft_labels
from fer_fastai.data.emotions import FER2013_CLASSES, FERPLUS_CLASSES
from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.readers import load_fer2013
from fer_fastai.evaluate.labels import ferplus_soft_labels
from fer_fastai.evaluate.report import report
from fer_fastai.models.backbones import count_parameters
from fer_fastai.train.multitask import SECOND_LABEL_PREFIX, join_label_sets, split_head
from fer_fastai.train.recipes import get_recipe
from fer_fastai.train.training import load_run, read_history, train

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import (
    FER_LABELS,
    PRIVATE,
    RESNET34_PUBLISHED,
    RUNS,
    Parser,
    accuracy_claim,
    history_columns,
    metric_rows,
    metric_tables,
    out_of_fold,
    write_result,
)

TTA = ("single", "flip")
SPLITS = {"public": "valid", "private": "test"}
SYSTEMS = {  # file: claim, label set, its classes, their prefix in the joint network, metric, split, reference
    "resnet34_best": (
        "resnet34_joint_private_accuracy",
        FER_LABELS,
        FER2013_CLASSES,
        "",
        "Accuracy, ResNet-34 trained on labels and FER+ votes, FER2013",
        PRIVATE,
        RESNET34_PUBLISHED,
    ),
    "ferplus_majority": (
        "ferplus_majority_accuracy",
        "FER+ majority",
        FERPLUS_CLASSES,
        SECOND_LABEL_PREFIX,
        "Accuracy against FER+ majority, ResNet-34, eight classes",
        "PrivateTest faces with a FER+ majority ({:,})",
        (0.8499, "VGG-13 on vote distributions (Barsoum et al. 2016)"),
    ),
}
NOTE = "From scratch, two cycles; targets include out-of-fold predictions. One seed."


def joint_targets(whole, faces, folds, weight=0.5):
    "Return training and validation faces with both label sets"
    seen = faces.subset((faces.table.split != "test").to_numpy())
    scores = out_of_fold(whole, get_recipe("fold"), folder=folds)
    return join_label_sets(seen, ferplus_soft_labels(seen), blend_soft_labels(seen, scores, weight).votes)


def train_joint(options, whole, faces):
    "Train both cycles; return the final run, its recipe and the history of both"
    first, run = RUNS / f"joint-resnet34-{options.seed}", RUNS / f"joint-resnet34-on-{options.seed}"
    both = joint_targets(whole, faces, options.folds)
    train(both, get_recipe("resnet34-multitask", seed=options.seed), first)
    plan = get_recipe("resnet34-multitask-cycle2", seed=options.seed, pretrained=str(first))
    train(both, plan, run)
    cycles = [read_history(cycle).drop(columns="accuracy") for cycle in (first, run)]
    history = pd.concat(cycles, keys=(1, 2), names=("cycle", None)).reset_index("cycle")
    return run, plan.replace(pretrained=first.name), history


def main():
    parser = Parser(__doc__)
    parser.add_argument("--folds", type=Path, default=RUNS / "kfold-fold", help="run folder of the five folds")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    whole = load_fer2013()
    faces = whole.drop_leaked()
    run, plan, history = train_joint(options, whole, faces)
    for system, (id, labels, vocab, prefix, metric, split, (reference, source)) in SYSTEMS.items():
        labelled = FaceSet(faces.table, vocab, faces.pixels)
        learner = load_run(split_head(run, vocab, RUNS / f"{system}-{options.seed}", prefix), labelled)
        reports = {name: report(learner, labelled, part, TTA, title=system) for name, part in SPLITS.items()}
        for name, found in reports.items():
            found.predictions().to_parquet(learner.path / f"{name}_predictions.parquet")
        tta = max(TTA, key=lambda each, found=reports["public"], labels=labels: found.metrics[labels, each].accuracy)
        selected = reports["private"].metrics[labels, tta]
        claims = [
            accuracy_claim(
                id,
                selected,
                metric,
                split=split.format(selected.faces),
                selected_on="PublicTest: epoch, TTA",
                tta=tta,
                seeds=[options.seed],
                reference=reference,
                reference_source=source,
                note=NOTE,
            )
        ]
        write_result(
            system,
            claims,
            recipe=plan.to_dict(),
            seeds=[options.seed],
            wall_s=history.seconds.sum(),
            tta=tta,
            parameters=count_parameters(learner.model),
            **{name: metric_rows(found) for name, found in reports.items()},
            history=history_columns(history),
            tables=metric_tables({(system, name): found for name, found in reports.items()}),
        )


if __name__ == "__main__":
    main()
