"""Accuracy of transfer learning with few faces: start weights, trainable layers, augmentation and schedule.

    .venv/bin/python benchmarks/accuracy/few.py [--epochs 30] [--splits 3]

Some 650 faces of PublicTest, at most 100 per emotion, as many as SFEW has. Three random 80/20 splits, and three that
keep near-duplicates together; a tenth of each training part selects the epoch. The network is swift. Its start weights
are the bundled ones, trained on Training with the epoch selected on PublicTest: compare rows, do not quote a level.
Each row changes one thing. An interrupted run is resumed.

Needs: FER2013
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np

from fer_fastai.data.augment import NO_AUGMENT, Augment
from fer_fastai.data.readers import load_fer2013
from fer_fastai.deploy.predictor import pretrained_model
from fer_fastai.papers.sfew import fine_tune, run_on_splits, summary
from fer_fastai.train.recipes import Recipe, Stage

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import RUNS, Parser, write_result

TURNS = Augment(rotate=15, shift=0, zoom=0, brightness=0, contrast=0)
PROTOCOL = (
    "PublicTest faces; 80/20 splits at random, and with near-duplicates together; a tenth of the training part "
    "selects the epoch; each face and its mirror image"
)


def few(each):
    "Select the first faces of every emotion in PublicTest, with duplicates in one group"
    faces = load_fer2013().drop_leaked().split("valid")
    rows = [np.flatnonzero(faces.codes == code)[:each] for code in range(len(faces.vocab))]
    return faces.subset(np.sort(np.concatenate(rows))).group_duplicates()


def gradual_stages(epochs):
    "Return three stages that train one layer, six layers, and the whole network"
    third = max(1, epochs // 3)
    parts = ((third, 2e-3, 1), (third, 1e-3, 6), (epochs - 2 * third, 5e-4, None))
    return tuple(Stage(n, size=48, lr=rate, trainable_layers=last) for n, rate, last in parts)


def make_recipes(epochs):
    "Return name -> recipe"
    start = str(pretrained_model("swift"))
    first = Stage(epochs, size=48, lr=2e-3)
    base = Recipe("few", (first,), arch="swift", batch_size=32, augment=TURNS, weight_decay=0.05)
    known, whole = base.replace(pretrained=start), Stage(epochs, size=48, lr=1e-3, lr_mult=3)
    last, six = (Stage(epochs, size=48, lr=rate, trainable_layers=n) for rate, n in ((2e-3, 1), (1e-3, 6)))
    fast, slow = (Stage(epochs, size=48, lr=rate, schedule="step_decay") for rate in (2e-2, 2e-3))
    return {
        "from scratch": base,
        "from scratch, no augmentation": base.replace(augment=NO_AUGMENT),
        "from scratch, SGD in three steps": base.replace(optimizer="sgd", stages=(fast,)),
        "FER2013's, last layer only (feature extraction)": known.replace(stages=(last,)),
        "FER2013's, last six layers": known.replace(stages=(six,)),
        "FER2013's, unfrozen step by step": known.replace(stages=gradual_stages(epochs)),
        "FER2013's, whole": known.replace(stages=(whole,)),
        "FER2013's, whole, no augmentation": known.replace(stages=(whole,), augment=NO_AUGMENT),
        "FER2013's, whole, SGD in three steps": known.replace(optimizer="sgd", stages=(slow,)),
    }


def main():
    parser = Parser(__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--each", type=int, default=100, help="most faces per emotion")
    parser.add_argument("--splits", type=int, default=3, help="of each kind")
    options = parser.parse_args()
    faces, plans, systems = few(options.each), make_recipes(options.epochs), {}
    for name, plan in plans.items():
        folder = RUNS / "few" / name.replace(" ", "-").replace(",", "")
        systems[name] = (faces, partial(fine_tune, recipe=plan, folder=folder))
    splits = run_on_splits(systems, 0.2, options.splits)
    print(summary(splits).round(1))
    write_result(
        "few",
        [],
        recipe={name: plan.replace(pretrained=plan.pretrained and "swift").to_dict() for name, plan in plans.items()},
        seeds=list(range(options.splits)),
        faces=faces.counts()["valid"].to_dict(),
        splits=splits.to_dict("records"),
        protocol=PROTOCOL,
    )


if __name__ == "__main__":
    main()
