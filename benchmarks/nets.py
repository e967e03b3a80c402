"""The papers' networks and our compact one on FER2013, from scratch, each by its recipe.

    python benchmarks/nets.py [fer_kd mini_xception sequential_cnn compact] [--teacher runs/resnet34_best-42] [--share 0.7]

Training targets are the label and, for `share` of them, what our ResNet-34 answers to the face: it was trained on Training alone, as here.
The epoch is chosen on PublicTest, PrivateTest is scored once, no test face is cleaned; the claim is a single centre view.
An interrupted run goes on. Each system writes benchmarks/results/<system>.json.
"""

import argparse
from pathlib import Path

from common import RUNS, claim, told, write_result
from fer_fastai.data.groups import without_leaks
from fer_fastai.data.sources import fer2013
from fer_fastai.train.evaluation import report
from fer_fastai.train.models import parameters
from fer_fastai.train.recipes import read_history, recipe, train

SYSTEMS = {  # recipe and claim of each
    "fer_kd": ("fer-kd", "fer_kd_test_accuracy"),
    "mini_xception": ("mini-xception", "mini_xception_private_accuracy"),
    "sequential_cnn": ("sequential-cnn", "sequential_cnn_private_accuracy"),
    "compact": ("compact", "compact_private_accuracy"),
}
PROTOCOL = "{arch}, {parameters:,} parameters, from scratch; FER2013's Training without exact copies of test faces, label and, for {share:g} of the target, the answers of a ResNet-34 that was trained on the same faces (and their FER+ votes); epoch chosen on PublicTest; PrivateTest, no face cleaned, single view; 1 seed"
VIEWS = ("single", "flip")


def measure(system, faces, taught, options):
    "Train one, report it"
    name, claimed = SYSTEMS[system]
    plan = recipe(name, target="votes", smoothing=0.0, seed=options.seed)
    folder = RUNS / f"{system}-{options.seed}"
    learner = train(taught, plan, folder)
    tuned, found = (report(learner, faces, split, VIEWS, title=system) for split in ("valid", "test"))
    for split, reported in (("public", tuned), ("private", found)):
        reported.predictions().to_parquet(folder / f"{split}_predictions.parquet")
    history = read_history(folder)
    protocol = PROTOCOL.format(arch=plan.arch, parameters=parameters(learner.model), share=options.share)
    write_result(system, [claim(claimed, found.metrics["FER2013 labels", "single"].accuracy, protocol)], recipe=plan.to_dict(), seeds=[options.seed], wall_s=history.seconds.sum(),
                 parameters=parameters(learner.model), public=tuned.to_dict(), private=found.to_dict(), history=history.to_dict("list"))  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", choices=list(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--teacher", type=Path, default=RUNS / "resnet34_best-42")
    parser.add_argument("--share", type=float, default=0.7, help="of the teacher in the targets")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    faces = without_leaks(fer2013())
    taught = told(faces, options.teacher, options.share)
    for system in options.systems:
        measure(system, faces, taught, options)


if __name__ == "__main__":
    main()
