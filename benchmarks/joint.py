"""One ResNet-34 from scratch for FER2013's labels and FER+'s votes together, then cut into one for each.

    python benchmarks/joint.py

Targets in training: half FER2013 (the label, and in equal parts what the five folds' networks say of the face, none of which has
seen it), half FER+ (its votes as shares). Two cycles: 30 epochs of growing faces, 12 at full size with averaged weights. Epoch and view (single, flip) are chosen on PublicTest; PrivateTest is scored
once for each truth, no face cleaned. An interrupted run goes on. Writes resnet34_best.json and ferplus_majority.json.
"""

import argparse
from pathlib import Path

import pandas as pd
from common import RUNS, claim, out_of_fold, write_result
from fer_fastai.clean.issues import blend_soft_labels
from fer_fastai.data.emotions import FER2013_CLASSES, FERPLUS_CLASSES
from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.evaluate.metrics import report
from fer_fastai.train.multitask import SECOND_LABEL_PREFIX, split_head, join_label_sets
from fer_fastai.models.backbones import count_parameters
from fer_fastai.train.training import load_run, read_history, train
from fer_fastai.train.recipes import get_recipe
from fer_fastai.evaluate.labels import ferplus_soft_labels

VIEWS = ("single", "flip")
TRUTHS = {  # file: claim, truth, its classes, their mark in the joint network
    "resnet34_best": ("resnet34_joint_private_accuracy", "FER2013 labels", FER2013_CLASSES, ""),
    "ferplus_majority": ("ferplus_majority_accuracy", "FER+ majority", FERPLUS_CLASSES, SECOND_LABEL_PREFIX),
}
PROTOCOL = "ResNet-34 from scratch, two cycles, on FER2013's labels (and out-of-fold predictions, in equal parts) and FER+'s votes together; Training without exact copies of test faces; epoch and view ({view}) chosen on PublicTest; PrivateTest against {truth} ({faces:,} faces, {classes} classes), no face cleaned; 1 seed"


def taught(whole, faces, folds, opinion=0.5):
    "Training and validation faces with both truths"
    seen = faces.subset((faces.table.split != "test").to_numpy())
    scores = out_of_fold(whole, get_recipe("fold"), folder=folds)
    return join_label_sets(seen, ferplus_soft_labels(seen), blend_soft_labels(seen, scores, opinion).votes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=Path, default=RUNS / "kfold-fold")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    whole, first, run = load_fer2013(), RUNS / f"joint-resnet34-{options.seed}", RUNS / f"joint-resnet34-on-{options.seed}"
    faces = drop_leaked(whole)
    both = taught(whole, faces, options.folds)
    train(both, get_recipe("resnet34-joint", seed=options.seed), first)
    plan = get_recipe("resnet34-joint-on", seed=options.seed, pretrained=str(first))
    train(both, plan, run)
    history = pd.concat([read_history(cycle).drop(columns="accuracy") for cycle in (first, run)], keys=(1, 2), names=("cycle", None)).reset_index("cycle")
    for system, (claimed, truth, vocab, mark) in TRUTHS.items():
        theirs = FaceSet(faces.table, vocab, faces.pixels)
        learner = load_run(split_head(run, vocab, RUNS / f"{system}-{options.seed}", mark), theirs)
        tuned, found = (report(learner, theirs, split, VIEWS, title=system) for split in ("valid", "test"))
        for split, reported in (("public", tuned), ("private", found)):
            reported.predictions().to_parquet(learner.path / f"{split}_predictions.parquet")
        view = max(VIEWS, key=lambda name: tuned.metrics[truth, name].accuracy)
        chosen = found.metrics[truth, view]
        protocol = PROTOCOL.format(view=view.replace("_", " "), truth=truth, faces=chosen.faces, classes=len(vocab))
        write_result(system, [claim(claimed, chosen.accuracy, protocol)], recipe=plan.replace(pretrained=first.name).to_dict(), seeds=[options.seed], wall_s=history.seconds.sum(), view=view,
                     parameters=count_parameters(learner.model), public=tuned.to_dict(), private=found.to_dict(), history=history.to_dict("list"))  # fmt: skip


if __name__ == "__main__":
    main()
