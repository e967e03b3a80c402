"""Throughput of the in-memory loader against stock fastai over PNG files, and its share of a training step.

    .venv/bin/python benchmarks/speed/loader.py [--faces 8192]

Both loaders read the same faces with equivalent augmentation: flip, rotation, zoom, brightness, contrast,
normalization. Stock fastai decodes PNG files with 0 and 2 worker processes, and the faster of the two counts; the
in-memory loader reads decoded pixels. Every figure is from one run.

Needs: FER2013
"""

import itertools
import os
import sys
import tempfile
import time
from pathlib import Path

import torch
from fastai.data.transforms import Normalize
from fastai.vision.augment import Brightness, Contrast, Flip, Rotate, Zoom
from fastai.vision.core import PILImageBW
from fastai.vision.data import ImageDataLoaders

from fer_fastai.core import set_seeds
from fer_fastai.data.augment import Augment
from fer_fastai.data.loaders import face_dls
from fer_fastai.data.readers import load_fer2013
from fer_fastai.models.backbones import face_learner
from fer_fastai.train.autotune import UseComputeMode, autotune
from fer_fastai.train.losses import weighted_loss

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Parser, claim, write_result

AUGMENT = Augment(flip=0.5, rotate=10, shift=0, zoom=0.1, crop=0, brightness=0.2, contrast=0.2, erase=0)
BATCH = 128


def images_per_second(dl, at_least: float = 3.0) -> float:
    "Return the throughput of a loader over whole epochs, without the first"
    for _ in dl:
        pass
    faces, start = 0, time.perf_counter()
    while time.perf_counter() - start < at_least:
        for batch in dl:
            faces += len(batch[0])
    return faces / (time.perf_counter() - start)


def stock_dls(folder: Path, workers: int):
    "Return fastai's ImageDataLoaders over PNG files, with the equivalent of AUGMENT"
    light = [Brightness(0.2, p=1.0), Contrast(0.2, p=1.0)]
    normalize = Normalize.from_stats([0.5], [0.25], cuda=False)
    tfms = [Flip(0.5), Rotate(10, p=1.0), Zoom(0.9, 1.1, p=1.0), *light, normalize]
    splits = {"train": "train", "valid": "valid"}
    return ImageDataLoaders.from_folder(
        folder, **splits, bs=BATCH, num_workers=workers, img_cls=PILImageBW, batch_tfms=tfms
    )


def step_seconds(learner, bfloat16, batches, steps: int) -> float:
    "Return the median seconds of a training step over batches that arrive one by one"
    optimizer, seconds = torch.optim.AdamW(learner.model.parameters(), 1e-4), []
    learner.model.train()
    start = time.perf_counter()
    for x, y in itertools.islice(batches, steps):
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            prediction = learner.model(torch.Tensor(x).contiguous(memory_format=torch.channels_last))
        learner.loss_func(prediction.float(), y).backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
    return sorted(seconds[2:])[len(seconds[2:]) // 2]


def fed_against_repeated(faces, steps: int) -> dict:
    "Time steps of ResNet-34 fed by the loader, and the same steps on one batch, in turns"
    learner = face_learner(face_dls(faces, 48, BATCH, AUGMENT), "resnet34", loss_func=weighted_loss([1] * 7))
    speed, _ = autotune(learner)
    use = UseComputeMode(speed)
    learner.add_cb(use)
    use.before_fit()
    one, fed, repeated = learner.dls.train.one_batch(), [], []
    for _ in range(3):
        repeated.append(step_seconds(learner, speed.bfloat16, itertools.repeat(one), steps))
        fed.append(step_seconds(learner, speed.bfloat16, learner.dls.train, steps))
    best = {"fed_step_s": min(fed), "repeated_step_s": min(repeated), "ratio": min(repeated) / min(fed)}
    return best | {"fed": fed, "repeated": repeated, "speed": str(speed)}


def main():
    parser = Parser(__doc__)
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
    memory = images_per_second(face_dls(some, 48, BATCH, AUGMENT).train)
    best, step = max(stock.values()), fed_against_repeated(faces, options.steps)
    claims = [
        claim(
            "loader_vs_stock_fastai_ratio",
            memory / best,
            "Images per second, in-memory loader with augmentation",
            "ratio",
            "higher",
            "speed",
            seeds=[0],
            reference=1.0,
            reference_source="stock fastai ImageDataLoaders over PNG files, better of 0 and 2 workers",
            note=f"fastai decodes PNG files; this loader reads memory. {options.faces:,} FER2013 faces. One run.",
        ),
        claim(
            "fed_step_vs_repeated_batch_ratio",
            step["ratio"],
            "Training steps per second fed by the loader, ResNet-34",
            "ratio",
            "higher",
            "speed",
            seeds=[0],
            reference=1.0,
            reference_source="steps on one repeated batch",
            note=f"48 px, batch {BATCH}; best median of three turns.",
        ),
    ]
    speeds = {"in memory": memory} | {f"stock fastai, {n} workers": value for n, value in stock.items()}
    write_result("loader", claims, seeds=[0], images_per_s=speeds, step=step, cores=os.cpu_count())


if __name__ == "__main__":
    main()
