"""For one GPU: teachers, then students of all of them together, each phase's networks side by side in processes of their own.

    python benchmarks/gpu.py teachers students [--epochs 40] [--out FOLDER]
    python benchmarks/gpu.py --results

The teachers learn FER2013's labels and FER+'s votes together (train.joint) and are cut to FER2013's seven classes. The students learn each face's label and,
for most of the target, what the teachers answer to it on the average. All learn from Training alone, without exact copies of test faces; a student's epoch is
chosen on PublicTest, a teacher's by its loss there. Every network keeps its probabilities for PublicTest and PrivateTest in three views in runs/<name>-42.
`--results` compares them: of the ResNet-34s PublicTest chooses network and view, and PrivateTest is scored for the chosen one. An interrupted run goes on.
Writes benchmarks/results/gpu.json, what each has, and of those that looked at PrivateTest resnet34_gpu.json and compact_gpu.json; ensemble.py puts all of them together, chosen.py holds them against those of the CPUs,
nets.py teaches mini-Xception with the teachers.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from common import RUNS, answers, claim, one_of, told, write_result
from fer_fastai.io import read_json
from fer_fastai.data.emotions import FER2013_CLASSES
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.loaders import Augment
from fer_fastai.data.sources import load_fer2013
from fer_fastai.evaluate.metrics import report_on
from fer_fastai.train.multitask import split_head, join_label_sets
from fer_fastai.train.recipes import Stage
from fer_fastai.train.training import load_run, read_history, train
from fer_fastai.train.recipes import get_recipe
from fer_fastai.train.autotune import ComputeMode
from fer_fastai.evaluate.labels import ferplus_soft_labels
from fer_fastai.evaluate.tta import predict_faces

SPLITS, VIEWS = {"public": "valid", "private": "test"}, ("single", "flip", "ten_crop")
HALF = ComputeMode(bfloat16=True, channels_last=True)
STRONG = Augment(rotate=14, shift=0.08, zoom=0.14, brightness=0.15, contrast=0.3, erase=0.3)
PLAN, TEACHING = "resnet34-gpu", 24  # a teacher's epochs
PHASES = {  # name: changes of the recipe, share of the teachers in the targets (None: a teacher)
    "teachers": {
        "gpu_teacher_resnet34_a": ({}, None),
        "gpu_teacher_resnet34_b": (dict(augment=STRONG), None),
        "gpu_teacher_resnet18_a": (dict(arch="resnet18"), None),
        "gpu_teacher_resnet18_b": (dict(arch="resnet18", augment=STRONG), None),
        "gpu_teacher_fer_kd_a": (dict(arch="fer_kd", channels=3), None),
        "gpu_teacher_fer_kd_b": (dict(arch="fer_kd", channels=3, augment=STRONG), None),
        "gpu_teacher_compact": (dict(arch="compact"), None),
    },
    "students": {
        "gpu_resnet34_a": ({}, 0.7),
        "gpu_resnet34_b": (dict(augment=STRONG), 0.7),
        "gpu_resnet34_c": (dict(augment=STRONG, dropout=0.4), 0.85),
        "gpu_compact": (dict(arch="compact"), 0.8),
    },
}
ALL = {name: way for phase in PHASES.values() for name, way in phase.items()}
FAMILIES = {"resnet34": "resnet34_gpu", "compact": "compact_gpu"}  # architecture: claim and file
PROTOCOL = ("{arch}, {parameters:,} parameters, from scratch on a GPU; FER2013's Training without exact copies of test faces, targets {share:.0%} the mean answers of {teachers} teachers trained on the same faces and their FER+ votes, "
            "the rest the label; epoch and network ({name} of {networks}) chosen on PublicTest; PrivateTest, no face cleaned, {view}; 1 seed")


def folder(name): return RUNS / f"{name}-42"


def plan_of(name, epochs):
    "A network's recipe"
    changes, share = ALL[name]
    plan = get_recipe(PLAN, seed=42 + list(ALL).index(name))
    stage = plan.stages[0]
    times = epochs.get(name, epochs.get("all", TEACHING if share is None else stage.epochs))
    return plan.replace(name=name, stages=(Stage(times, stage.size, stage.start_size, lr=stage.lr),), monitor="valid_loss" if share is None else "accuracy", **changes)


def keep_views(learner, faces, place):
    "Probabilities for both test splits"
    for split, part in SPLITS.items():
        there = faces.split(part)
        found = {view: predict_faces(learner, there, view, 1024) for view in VIEWS}
        pd.concat([pd.DataFrame(p, there.ids, [f"{view}_{emotion}" for emotion in FER2013_CLASSES]) for view, p in found.items()], axis=1).to_parquet(place / f"{split}_predictions.parquet")


def one(name, epochs):
    "Train one network; keep what it says of the test faces and, a teacher, of the training faces"
    share = ALL[name][1]
    faces, plan, place, begun = drop_leaked(load_fer2013()), plan_of(name, epochs), folder(name), time.perf_counter()
    torch.backends.cudnn.benchmark = True
    out = RUNS / f"joint_{name}-42" if share is None else place
    if share is None:
        seen = faces.subset((faces.table.split != "test").to_numpy())
        train(join_label_sets(seen, ferplus_soft_labels(seen)), plan, out, speed=HALF)
        split_head(out, FER2013_CLASSES, place)
        answers(place, faces)
    else:
        missing = [teacher for teacher in PHASES["teachers"] if not (folder(teacher) / "training_answers.parquet").exists()]
        if missing: raise SystemExit(f"{name}: no answers of {', '.join(missing)}; run the teachers to their end first")
        train(told(faces, [folder(teacher) for teacher in PHASES["teachers"]], share), plan, out, speed=HALF)
    trained = time.perf_counter() - begun
    keep_views(load_run(place, faces), faces, place)
    print(f"{name}: {plan.epochs} epochs, {trained:.0f} s, last epoch {read_history(out).seconds.iloc[-1]:.1f} s; PublicTest", {view: round(right(p, faces, "public"), 4) for view, p in views_of(name, "public", faces).items()}, flush=True)


def side_by_side(names, options):
    "Each network in a process of its own, all at once"
    RUNS.mkdir(exist_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "2", "PYTHONUNBUFFERED": "1", "TQDM_DISABLE": "1"}
    logs = {name: (RUNS / f"{name}.log").open("w") for name in names}
    running = {name: subprocess.Popen([sys.executable, __file__, "--one", name, *[f"--epochs={pair}" for pair in options.epochs]], stdout=log, stderr=subprocess.STDOUT, env=environment) for name, log in logs.items()}
    until = time.monotonic() + options.seconds
    for process in running.values():
        try: process.wait(max(1.0, until - time.monotonic()))
        except subprocess.TimeoutExpired: process.kill(); process.wait()
    failed = [name for name, process in running.items() if process.returncode]
    for name, process in running.items():
        lines = (RUNS / f"{name}.log").read_text().splitlines()
        print(*([line for line in lines if line.startswith(name)] or [f"{name}: exit {process.returncode}", *lines[-12:]]), sep="\n", flush=True)
    return failed


def pack(names, out):
    "What fits through a narrow door, a file a network: predictions, answers, histories, and the weights of the small ones"
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        with tarfile.open(out / f"{name}.tar", "w") as tar:
            for path in sorted(p for place in (folder(name), RUNS / f"joint_{name}-42") for p in place.glob("*") if p.suffix in (".parquet", ".json", ".csv") or p.name == "model.safetensors" and p.stat().st_size < 5e6):
                tar.add(path, path.relative_to(RUNS))
            tar.add(RUNS / f"{name}.log", f"{name}.log")


def views_of(name, split, faces):
    "view -> a network's probabilities for a split; of one stopped before it looked at all views, the single one of PublicTest that training ends with"
    kept, named = folder(name) / f"{split}_predictions.parquet", {view: [f"{view}_{emotion}" for emotion in FER2013_CLASSES] for view in VIEWS}
    if not kept.exists():
        kept, named = folder(name) / "predictions.parquet", {"single": [f"p_{emotion}" for emotion in FER2013_CLASSES]} if split == "public" else {}
    table = pd.read_parquet(kept) if kept.exists() else pd.DataFrame()
    return {view: table.loc[faces.split(SPLITS[split]).ids, columns].to_numpy() for view, columns in named.items() if set(columns) <= set(table)}


def right(shares, faces, split):
    "Accuracy against FER2013's labels"
    return float((shares.argmax(1) == faces.split(SPLITS[split]).codes).mean())


def each(faces):
    "What each network has on both test splits, and the teachers together: benchmarks/results/gpu.json"
    views, plain = {name: found for name in ALL if (found := views_of(name, "public", faces))}, {}
    for name in views:
        joint = RUNS / f"joint_{name}-42"
        history = read_history(joint if joint.exists() else folder(name))
        plain[name] = {"epochs": len(history), "seconds": round(history.seconds.sum(), 1)}
        plain[name] |= {split: {view: right(p, faces, split) for view, p in views_of(name, split, faces).items()} for split in SPLITS}
    teachers = [found["flip"] for name, found in views.items() if name in PHASES["teachers"] and "flip" in found]
    grown = [name for name in views if ALL[name][1] is not None and "arch" not in ALL[name][0]]
    best = max(grown, key=lambda name: plain[name]["public"]["single"])
    run = read_json(folder(best) / "run.json", ("commit", "hardware", "versions"))
    protocol = "PublicTest, which chose its epoch{}; {} view; no PrivateTest is behind this figure"
    mean, codes = sum(teachers) / len(teachers), faces.split("valid").codes
    of_teachers = f"mean of {len(teachers)} teachers; " + protocol.format("s", "flip")
    write_result("gpu", [
        claim("gpu_teachers_public_accuracy", right(mean, faces, "public"), of_teachers),
        claim("gpu_teachers_public_nll", -np.log(mean[np.arange(len(codes)), codes]).mean(), "negative log-likelihood of FER2013's labels; " + of_teachers),
        claim("gpu_resnet34_public_accuracy", plain[best]["public"]["single"], f"ResNet-34, {best} of {len(grown)}; " + protocol.format(" and the network", "single")),
    ], seeds=[42], commit=run["commit"], hardware=run["hardware"], versions=run["versions"], wall_s=sum(one["seconds"] for one in plain.values()), networks=plain)  # fmt: skip


def results(faces):
    "Choose on PublicTest, score PrivateTest"
    for arch, system in FAMILIES.items():
        family = [name for name, (changes, share) in ALL.items() if share is not None and changes.get("arch", "resnet34") == arch and views_of(name, "private", faces)]
        if not family: continue
        asked = VIEWS if arch == "resnet34" else VIEWS[:1]  # of small nets a single crop is asked
        public = {(name, view): report_on({view: p}, faces, "valid", resamples=10).headline.accuracy for name in family for view, p in views_of(name, "public", faces).items() if view in asked}
        name, view = max(public, key=public.get)
        tuned, found = (report_on({v: p[v] for v in (view, *(v for v in p if v != view))}, faces, part, title=name) for split, part in SPLITS.items() for p in [views_of(name, split, faces)])
        run, history = read_json(folder(name) / "run.json", ("recipe", "parameters")), read_history(folder(name))
        protocol = PROTOCOL.format(arch=arch, parameters=run["parameters"], share=ALL[name][1], teachers=len(PHASES["teachers"]), name=name, networks=len(family), view="single view" if len({view for _, view in public}) == 1 else f"view ({view.replace('_', ' ')}) chosen on PublicTest too")
        write_result(system, [claim(f"{system}_private_accuracy", found.headline.accuracy, protocol)], recipe=run["recipe"], view=view, teachers=list(PHASES["teachers"]), commit=run["commit"], seeds=[run["seed"]], wall_s=history.seconds.sum(), parameters=run["parameters"],
                     hardware=run["hardware"], versions=run["versions"], public_choice={f"{n} {v}": a for (n, v), a in public.items()}, public=tuned.to_dict(), private=found.to_dict(), history=history.to_dict("list"))  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phases", nargs="*", type=one_of(PHASES), help=", ".join(PHASES))
    parser.add_argument("--epochs", action="append", default=[], help="of all, or NAME=EPOCHS; default: the recipe's")
    parser.add_argument("--seconds", type=float, default=1e6, help="of a phase, after which its networks are stopped; they go on when called again")
    parser.add_argument("--out", type=Path, help="a folder for what is kept of each phase")
    parser.add_argument("--one", choices=list(ALL), help="train this network alone")
    parser.add_argument("--results", action="store_true", help="write the results files")
    options = parser.parse_args()
    if options.one:
        epochs = dict((pair if "=" in pair else f"all={pair}").split("=") for pair in options.epochs)
        strange = sorted(set(epochs) - {"all", *ALL})
        if strange: parser.error(f"--epochs {strange[0]}: no such network; one of {', '.join(ALL)}")
        one(options.one, {name: int(value) for name, value in epochs.items()})
    for phase in options.phases:
        failed = side_by_side(list(PHASES[phase]), options)
        if options.out: pack(list(PHASES[phase]), options.out)
        if failed: raise SystemExit(f"not finished: {', '.join(failed)}; call again, and they go on")
    if options.results:
        faces = drop_leaked(load_fer2013())
        each(faces)
        results(faces)


if __name__ == "__main__":
    main()
