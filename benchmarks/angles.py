"""What angular separation costs: one large layer, and a whole epoch of ResNet-34 with every convolution watched.

    python benchmarks/angles.py

Both in one run on this machine; the share is the callback's own seconds over the epoch's, at the default cadence (each epoch, 128 faces).
"""

import argparse
import time
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from common import claim, write_result
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.interpret.angles import AngularSeparation, angles
from fer_fastai.train.recipes import Stage
from fer_fastai.train.training import read_history, train
from fer_fastai.train.recipes import get_recipe


def large_layer(channels=512, values=10_000, times=30):
    "Milliseconds of each of many turns"
    vectors, found = torch.randn(channels, values), []
    for _ in range(times):
        start = time.perf_counter()
        angles(vectors)
        found.append(1000 * (time.perf_counter() - start))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    torch.set_num_threads(2)
    milliseconds = large_layer()
    plan = get_recipe("resnet34", stages=(Stage(1, size=48, lr=3e-3),), seed=options.seed).replace(name="angles")
    watch = AngularSeparation(layers=nn.Conv2d)
    with TemporaryDirectory() as folder:
        train(drop_leaked(load_fer2013()), plan, folder, cbs=(watch,))
        epoch = float(read_history(folder).seconds.sum())
    each = watch.seconds / len({r.epoch for r in watch.records})
    write_result("angles", [
        claim("angles_512_channels_ms", np.median(milliseconds), "median of 30: 512 channels, 10,000 values each, every angle, 2 threads"),
        claim("angles_overhead_share", each / epoch, f"ResNet-34 on FER2013 at 48 px, all {len(watch.names)} convolutions watched once an epoch on 128 faces: seconds of the callback over seconds of the epoch, one run"),
    ], recipe=plan.to_dict(), seeds=[options.seed], wall_s=epoch, milliseconds=milliseconds, seconds_each=each, epoch_s=epoch, layers=len(watch.names), table=watch.frame().round(3).to_dict("records"))


if __name__ == "__main__":
    main()
