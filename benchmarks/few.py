"""What helps where there are few faces: a network that knows FER2013's Training, or none; its last layers, or all; one cycle, or three steps.

    python benchmarks/few.py [--epochs 30] [--splits 3]

Some 650 faces of PublicTest, at most 100 an emotion, as many as SFEW has. Three random 80/20 splits and three that keep near copies
together, a tenth of each training part choosing the epoch. The network is the swift one, the model of that name that ships with the package its start:
it learned from Training alone (its epoch was chosen on PublicTest), so that the rows compare and no level is to be quoted. Every row changes
one thing. An interrupted run goes on. Writes benchmarks/results/few.json.
"""

import argparse
from functools import partial

import numpy as np
from common import RUNS, write_result
from fer_fastai.data.duplicates import group_duplicates, drop_leaked
from fer_fastai.data.loaders import NO_AUGMENT, Augment
from fer_fastai.data.sources import load_fer2013
from fer_fastai.deploy.predictor import pretrained_model
from fer_fastai.papers import fine_tune, run_on_splits, summary
from fer_fastai.train.recipes import Recipe, Stage

TURNS = Augment(rotate=15, shift=0, zoom=0, brightness=0, contrast=0)


def few(each):
    "The first faces of every emotion in PublicTest, copies in one group"
    faces = drop_leaked(load_fer2013()).split("valid")
    rows = np.sort(np.concatenate([np.flatnonzero(faces.codes == code)[:each] for code in range(len(faces.vocab))]))
    return group_duplicates(faces.subset(rows))


def ways(epochs):
    "Name -> recipe"
    start = str(pretrained_model("swift"))
    base = Recipe("few", (Stage(epochs, size=48, lr=2e-3),), arch="swift", batch_size=32, augment=TURNS, weight_decay=0.05)
    known, whole = base.replace(pretrained=start), Stage(epochs, size=48, lr=1e-3, lr_mult=3)
    third = max(1, epochs // 3)
    slow = tuple(Stage(n, size=48, lr=rate, trainable_layers=last) for n, rate, last in ((third, 2e-3, 1), (third, 1e-3, 6), (epochs - 2 * third, 5e-4, None)))
    return {
        "from scratch": base,
        "from scratch, no augmentation": base.replace(augment=NO_AUGMENT),
        "from scratch, SGD in three steps": base.replace(optimizer="sgd", stages=(Stage(epochs, size=48, lr=2e-2, schedule="steps"),)),
        "FER2013's, last layer only (feature extraction)": known.replace(stages=(Stage(epochs, size=48, lr=2e-3, trainable_layers=1),)),
        "FER2013's, last six layers": known.replace(stages=(Stage(epochs, size=48, lr=1e-3, trainable_layers=6),)),
        "FER2013's, unfrozen step by step": known.replace(stages=slow),
        "FER2013's, whole": known.replace(stages=(whole,)),
        "FER2013's, whole, no augmentation": known.replace(stages=(whole,), augment=NO_AUGMENT),
        "FER2013's, whole, SGD in three steps": known.replace(optimizer="sgd", stages=(Stage(epochs, size=48, lr=2e-3, schedule="steps"),)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--each", type=int, default=100, help="faces of an emotion at most")
    parser.add_argument("--splits", type=int, default=3, help="of each kind")
    options = parser.parse_args()
    faces, plans = few(options.each), ways(options.epochs)
    systems = {name: (faces, partial(fine_tune, plan=plan, folder=RUNS / "few" / name.replace(" ", "-").replace(",", ""))) for name, plan in plans.items()}
    splits = run_on_splits(systems, 0.2, options.splits)
    print(summary(splits).round(1))
    write_result("few", [], recipe={name: plan.replace(pretrained=plan.pretrained and "swift").to_dict() for name, plan in plans.items()}, seeds=list(range(options.splits)), faces=faces.counts()["valid"].to_dict(),
                 splits=splits.to_dict("records"), protocol="faces of PublicTest; 80/20 splits at random, and with near copies together; a tenth of the training part chooses the epoch; both views of a face")  # fmt: skip


if __name__ == "__main__":
    main()
