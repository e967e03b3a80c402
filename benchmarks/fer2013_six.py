"""The ResNet34 paper's six classes (FER2013 without disgust): its weights by hand against inverse frequency against none.

    python benchmarks/fer2013_six.py [--start runs/resnet34_taught-42]

Each of the three is fine-tuned by the same recipe and seed from our ResNet-34 (benchmarks/nets.py: Training alone, as here), cut to the six
classes, on each training face's label and, for 0.7 of the target, on what that network's own teachers answer to the face.
The kind of weights and of view (single, flip) is chosen on PublicTest; PrivateTest is scored once each, no test face is cleaned.
"""

import argparse
from pathlib import Path

from common import RUNS, claim, told, write_result
from fer_fastai.data.emotions import SIX_CLASSES
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.evaluate.metrics import report
from fer_fastai.train.multitask import split_head
from fer_fastai.train.training import read_history, train
from fer_fastai.train.recipes import get_recipe

PROTOCOL = "six classes, fine-tuned on labels and, for {share:g} of the target, the answers of {teachers}, from a ResNet-34 that learned the labels and FER+'s votes of the same faces; Training without exact copies of test faces; epoch, class weights ({method}) and view ({view}) chosen on PublicTest; all of PrivateTest but disgust, no face cleaned; 1 seed"
SHARE, TEACHERS = 0.7, ("resnet34_best", "compact")
VIEWS = ("single", "flip")


def by_view(found):
    "Error and macro-F1 of each kind of view, on FER2013's labels"
    return {view: {"error": 1 - m.accuracy, "macro_f1": m.macro_f1} for (truth, view), m in found.metrics.items() if truth == "FER2013 labels"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, default=RUNS / "resnet34_taught-42", help="a finished run")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    whole, rows, seconds = drop_leaked(load_fer2013()), {}, 0.0
    faces = whole.without("disgust")
    taught = told(faces, [RUNS / f"{teacher}-{options.seed}" for teacher in TEACHERS], SHARE, whole)
    start = split_head(options.start, SIX_CLASSES, RUNS / f"{options.start.name}-six")
    plan = get_recipe("resnet34-six", pretrained=str(start), target="votes", smoothing=0.0, seed=options.seed)
    for method in ("none", "inverse", "by_hand"):
        folder = RUNS / f"fer2013-six-{method}"
        learner = train(taught, plan.replace(class_weights=method), folder)
        tuned, found = (report(learner, faces, split, VIEWS, title=folder.name) for split in ("valid", "test"))
        found.predictions().to_parquet(folder / "private_predictions.parquet")
        seconds += read_history(folder).seconds.sum()
        rows[method] = {"public": by_view(tuned), "private": by_view(found), "report": found.to_dict()}
    chosen, view = min(((method, view) for method in rows for view in VIEWS), key=lambda way: rows[way[0]]["public"][way[1]]["error"])
    write_result("fer2013_six", [
        claim("fer2013_six_class_resnet34_error", rows[chosen]["private"][view]["error"], PROTOCOL.format(share=SHARE, teachers=" and ".join(TEACHERS), method=chosen, view=view.replace("_", " "))),
    ], recipe=plan.replace(pretrained=options.start.name).to_dict(), seeds=[options.seed], wall_s=seconds, chosen=chosen, view=view, weights=rows, counts=faces.counts().to_dict())


if __name__ == "__main__":
    main()
