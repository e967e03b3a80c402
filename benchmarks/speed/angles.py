"""Cost of angular separation: one large layer, and an epoch of ResNet-34 with every convolution watched.

    .venv/bin/python benchmarks/speed/angles.py

Both in one run on this machine. The share is the callback's seconds over the epoch's, at the default cadence: once per
epoch, on 128 faces.

Needs: FER2013
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from fer_fastai.data.readers import load_fer2013
from fer_fastai.interpret.angles import AngularSeparation
from fer_fastai.models.activations import angles
from fer_fastai.train.recipes import Stage, get_recipe
from fer_fastai.train.training import read_history, train

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Parser, claim, write_result

CHANNELS, VALUES, TIMES = 512, 10_000, 30


def time_large_layer():
    "Return the milliseconds of each of many repetitions"
    vectors, found = torch.randn(CHANNELS, VALUES), []
    for _ in range(TIMES):
        start = time.perf_counter()
        angles(vectors)
        found.append(1000 * (time.perf_counter() - start))
    return found


def main():
    parser = Parser(__doc__)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    torch.set_num_threads(2)
    milliseconds = time_large_layer()
    plan = get_recipe("resnet34", stages=(Stage(1, size=48, lr=3e-3),), seed=options.seed).replace(name="angles")
    watch = AngularSeparation(layers=nn.Conv2d)
    with TemporaryDirectory() as folder:
        train(load_fer2013().drop_leaked(), plan, folder, cbs=(watch,))
        epoch = float(read_history(folder).seconds.sum())
    each, layers = watch.seconds / len({record.epoch for record in watch.records}), len(watch.names)
    claims = [
        claim(
            "angles_512_channels_ms",
            np.median(milliseconds),
            f"Time for all angles between {CHANNELS} channels of {VALUES:,} values",
            "ms",
            "lower",
            "speed",
            note=f"Median of {TIMES}, 2 threads.",
        ),
        claim(
            "angles_overhead_share",
            each / epoch,
            f"Share of an epoch spent on the angles of {layers} convolutions",
            "fraction",
            "lower",
            "speed",
            seeds=[options.seed],
            note="ResNet-34 on FER2013 at 48 px, once per epoch on 128 faces. One run.",
        ),
    ]
    found = {"milliseconds": milliseconds, "seconds_each": each, "epoch_s": epoch, "layers": layers}
    table = watch.frame().round(3).to_dict("list")
    write_result("angles", claims, recipe=plan.to_dict(), seeds=[options.seed], wall_s=epoch, **found, table=table)


if __name__ == "__main__":
    main()
