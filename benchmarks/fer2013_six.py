"""The ResNet34 paper's six classes (FER2013 without disgust): its weights by hand against inverse frequency against none.

    python benchmarks/fer2013_six.py [--start runs/joint-resnet34-42] [--folds runs/kfold-fold]

Each of the three is fine-tuned by the same recipe and seed from our ResNet-34 (benchmarks/joint.py: Training alone, as here), cut to the six
classes, on each training face's label and, in equal parts, on what the folds' networks say of it, none of which has seen it.
The kind of weights and of view (single, flip, ten_crop) is chosen on PublicTest; PrivateTest is scored once each, no test face is cleaned.
"""

import argparse
from pathlib import Path

from common import RUNS, claim, write_result
from fer_fastai.clean.issues import second_opinion
from fer_fastai.clean.scores import kfold_scores
from fer_fastai.data.emotions import SIX
from fer_fastai.data.groups import without_leaks
from fer_fastai.data.sources import fer2013
from fer_fastai.train.evaluation import report
from fer_fastai.train.joint import cut_run
from fer_fastai.train.recipes import read_history, recipe, train

PROTOCOL = "six classes, fine-tuned on labels and out-of-fold predictions in equal parts from a ResNet-34 that learned the labels and FER+'s votes of the same faces; Training without exact copies of test faces; epoch, class weights ({method}) and view ({view}) chosen on PublicTest; all of PrivateTest but disgust, no face cleaned; 1 seed"
VIEWS = ("single", "flip", "ten_crop")


def by_view(found):
    "Error and macro-F1 of each kind of view, on FER2013's labels"
    return {view: {"error": 1 - m.accuracy, "macro_f1": m.macro_f1} for (truth, view), m in found.metrics.items() if truth == "FER2013 labels"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, default=RUNS / "joint-resnet34-42", help="a finished run")
    parser.add_argument("--folds", type=Path, default=RUNS / "kfold-fold")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    whole, rows, seconds = fer2013(), {}, 0.0
    faces = without_leaks(whole).without("disgust")
    taught = second_opinion(faces, kfold_scores(whole.split("train"), recipe("fold"), 5, options.folds))
    start = cut_run(options.start, SIX, RUNS / f"{options.start.name}-six")
    plan = recipe("resnet34-six", pretrained=str(start), target="votes", smoothing=0.0, seed=options.seed)
    for method in ("none", "inverse", "by_hand"):
        folder = RUNS / f"fer2013-six-{method}"
        learner = train(taught, plan.but(class_weights=method), folder)
        tuned, found = (report(learner, faces, split, VIEWS, title=folder.name) for split in ("valid", "test"))
        found.predictions().to_parquet(folder / "private_predictions.parquet")
        seconds += read_history(folder).seconds.sum()
        rows[method] = {"public": by_view(tuned), "private": by_view(found), "report": found.to_dict()}
    chosen, view = min(((method, view) for method in rows for view in VIEWS), key=lambda way: rows[way[0]]["public"][way[1]]["error"])
    write_result("fer2013_six", [
        claim("fer2013_six_class_resnet34_error", rows[chosen]["private"][view]["error"], PROTOCOL.format(method=chosen, view=view.replace("_", " "))),
    ], recipe=plan.but(pretrained=options.start.name).to_dict(), seeds=[options.seed], wall_s=seconds, chosen=chosen, view=view, weights=rows, counts=faces.counts().to_dict())


if __name__ == "__main__":
    main()
