"""The in-memory loader against stock fastai over PNG files, and how much of a training step it takes.

    python benchmarks/loader.py [--faces 8192]

Both loaders read the same faces and do the same work: flip, rotation, zoom, brightness and contrast, normalisation. Stock
fastai reads PNG files with 0 and 2 worker processes, and the faster of the two counts. Every figure is from this one run.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch
from fastai.vision.augment import Brightness, Contrast, Flip, Rotate, Zoom
from fastai.vision.data import ImageDataLoaders
from fastai.data.transforms import Normalize
from fastai.vision.core import PILImageBW

from common import claim, write_result
from fer_fastai.core import set_seeds
from fer_fastai.data.loaders import Augment, face_dls
from fer_fastai.data.sources import load_fer2013
from fer_fastai.models.backbones import face_learner
from fer_fastai.train.autotune import UseComputeMode, autotune
from fer_fastai.train.losses import weighted_loss

AUGMENT = Augment(flip=0.5, rotate=10, shift=0, zoom=0.1, crop=0, brightness=0.2, contrast=0.2, erase=0)


def images_per_second(dl, at_least: float = 3.0) -> float:
    "Whole epochs of a loader until enough time has gone by, the first not counted"
    for _ in dl: pass
    faces, start = 0, time.perf_counter()
    while time.perf_counter() - start < at_least:
        for batch in dl: faces += len(batch[0])
    return faces / (time.perf_counter() - start)


def stock_dls(folder: Path, workers: int):
    "fastai's own ImageDataLoaders over the same faces as PNG files, with the equivalent of AUGMENT"
    tfms = [Flip(0.5), Rotate(10, p=1.0), Zoom(0.9, 1.1, p=1.0), Brightness(0.2, p=1.0), Contrast(0.2, p=1.0), Normalize.from_stats([0.5], [0.25], cuda=False)]
    return ImageDataLoaders.from_folder(folder, train="train", valid="valid", bs=128, num_workers=workers, img_cls=PILImageBW, batch_tfms=tfms)


def step_seconds(learner, batches, steps: int) -> float:
    "Median seconds of a training step over batches that come one by one"
    optimizer, seconds = torch.optim.AdamW(learner.model.parameters(), 1e-4), []
    learner.model.train()
    start = time.perf_counter()
    for x, y in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=learner.use_speed.speed.bfloat16):
            prediction = learner.model(torch.Tensor(x).contiguous(memory_format=torch.channels_last))
        learner.loss_func(prediction.float(), y).backward()
        optimizer.step(); optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        if len(seconds) == steps: break
    return sorted(seconds[2:])[len(seconds[2:]) // 2]


def repeat(batch):
    while True: yield batch


def fed_against_repeated(faces, steps: int) -> dict:
    "Steps of ResNet-34 fed by the loader against the same steps on one batch, in turns"
    learner = face_learner(face_dls(faces, 48, 128, AUGMENT), "resnet34", loss_func=weighted_loss([1] * 7))
    speed, _ = autotune(learner)
    learner.add_cb(UseComputeMode(speed)); learner.use_speed.before_fit()
    one, fed, repeated = learner.dls.train.one_batch(), [], []
    for _ in range(3):
        repeated.append(step_seconds(learner, repeat(one), steps))
        fed.append(step_seconds(learner, learner.dls.train, steps))
    return {"fed_step_s": min(fed), "repeated_step_s": min(repeated), "ratio": min(repeated) / min(fed), "fed": fed, "repeated": repeated, "speed": str(speed)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=8192)
    parser.add_argument("--steps", type=int, default=12)
    options = parser.parse_args()
    set_seeds(0)
    faces = load_fer2013()
    train = faces.split("train").subset(list(range(options.faces)))
    some = faces.subset([*train.ids, *faces.split("valid").ids[:256]])
    with tempfile.TemporaryDirectory() as folder:
        files = some.to_folder(Path(folder, "faces"))
        stock = {workers: images_per_second(stock_dls(files, workers).train) for workers in (0, 2)}
    ours = images_per_second(face_dls(some, 48, 128, AUGMENT).train)
    best = max(stock.values())
    step = fed_against_repeated(faces, options.steps)
    write_result("loader", [
        claim("loader_vs_stock_fastai_ratio", ours / best, f"{options.faces} FER2013 faces, equivalent augmentation, batch 128, the faster of 0 and 2 workers, one run"),
        claim("fed_step_vs_repeated_batch_ratio", step["ratio"], "ResNet-34, 48 px, batch 128: median step on one repeated batch over median step fed by the loader, in turns, best of three"),
    ], images_per_s={"ours": ours, "stock, 0 workers": stock[0], "stock, 2 workers": stock[2]}, step=step, seeds=[0], cores=os.cpu_count())


if __name__ == "__main__":
    main()
