"""Accuracy of teachers trained on one GPU (PublicTest) and of the students of their mean prediction (PrivateTest).

    .venv/bin/python benchmarks/accuracy/gpu.py teachers students [--epochs 40] [--out FOLDER]
    .venv/bin/python benchmarks/accuracy/gpu.py --results

The networks of a phase run side by side, each in its own process. Teachers are trained on FER2013's labels and FER+
votes together (train.multitask) and reduced to FER2013's seven classes. Students are trained on each face's label and,
with most of the weight, on the teachers' mean prediction. All use Training alone, without exact copies of test faces. A
student's epoch is selected on PublicTest by accuracy, a teacher's by loss. Every network keeps its probabilities for
PublicTest and PrivateTest, by test-time augmentation, in runs/<name>-42. An interrupted run is resumed.

`--results` selects network and test-time augmentation on PublicTest and scores PrivateTest for the selected one. It
writes gpu.json, and resnet34_gpu.json and compact_gpu.json for those with PrivateTest predictions. ensemble.py,
chosen.py and nets.py read the runs and results.

Needs: FER2013, one GPU
"""

import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fer_fastai.data.augment import Augment
from fer_fastai.data.emotions import FER2013_CLASSES
from fer_fastai.data.readers import load_fer2013
from fer_fastai.evaluate.labels import ferplus_soft_labels
from fer_fastai.evaluate.report import report_from_pred_probs
from fer_fastai.evaluate.tta import predict_faces
from fer_fastai.io import read_json
from fer_fastai.train.autotune import ComputeMode
from fer_fastai.train.multitask import join_label_sets, split_head
from fer_fastai.train.recipes import Stage, get_recipe
from fer_fastai.train.training import load_run, read_history, train

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import (
    PRIVATE,
    RUNS,
    Parser,
    accuracy_claim,
    claim,
    distillation_targets,
    history_columns,
    metric_rows,
    metric_tables,
    one_of,
    training_predictions,
    write_result,
)

SPLITS, TTA = {"public": "valid", "private": "test"}, ("single", "flip", "ten_crop")
HALF = ComputeMode(bfloat16=True, channels_last=True)
STRONG = Augment(rotate=14, shift=0.08, zoom=0.14, brightness=0.15, contrast=0.3, erase=0.3)
PLAN, TEACHER_EPOCHS = "resnet34-gpu", 24
PHASES = {  # name: architecture, changes of the recipe, weight of the teachers in the targets (None: a teacher)
    "teachers": {
        "gpu_teacher_resnet34_a": ("resnet34", lambda plan: plan, None),
        "gpu_teacher_resnet34_b": ("resnet34", lambda plan: plan.replace(augment=STRONG), None),
        "gpu_teacher_resnet18_a": ("resnet18", lambda plan: plan, None),
        "gpu_teacher_resnet18_b": ("resnet18", lambda plan: plan.replace(augment=STRONG), None),
        "gpu_teacher_fer_kd_a": ("fer_kd", lambda plan: plan.replace(n_in=3), None),
        "gpu_teacher_fer_kd_b": ("fer_kd", lambda plan: plan.replace(n_in=3, augment=STRONG), None),
        "gpu_teacher_compact": ("compact", lambda plan: plan, None),
    },
    "students": {
        "gpu_resnet34_a": ("resnet34", lambda plan: plan, 0.7),
        "gpu_resnet34_b": ("resnet34", lambda plan: plan.replace(augment=STRONG), 0.7),
        "gpu_resnet34_c": ("resnet34", lambda plan: plan.replace(augment=STRONG, dropout=0.4), 0.85),
        "gpu_compact": ("compact", lambda plan: plan, 0.8),
    },
}
ALL = {name: network for phase in PHASES.values() for name, network in phase.items()}
FAMILIES = {  # architecture of students: claim and file, metric
    "resnet34": ("resnet34_gpu", "Accuracy, ResNet-34 trained on one GPU, FER2013"),
    "compact": ("compact_gpu", "Accuracy, compact (967,015 parameters) trained on one GPU, FER2013"),
}
NOTE = "Teachers: {} networks that learned labels and FER+ votes. One seed."


def folder(name):
    return RUNS / f"{name}-42"


def is_teacher(name):
    return ALL[name][2] is None


def make_recipe(name, epochs):
    "Return the recipe of a network"
    arch, change, _ = ALL[name]
    plan = get_recipe(PLAN, seed=42 + list(ALL).index(name)).replace(arch=arch)
    stage = plan.stages[0]
    default = TEACHER_EPOCHS if is_teacher(name) else stage.epochs
    stage = Stage(epochs.get(name, epochs.get("all", default)), stage.size, stage.start_size, lr=stage.lr)
    monitor = "valid_loss" if is_teacher(name) else "accuracy"
    return change(plan.replace(name=name, stages=(stage,), monitor=monitor))


def keep_predictions(learner, faces, place):
    "Write the probabilities for both test splits, by test-time augmentation"
    for split, part in SPLITS.items():
        some, tables = faces.split(part), []
        for tta in TTA:
            columns = [f"{tta}_{emotion}" for emotion in FER2013_CLASSES]
            tables.append(pd.DataFrame(predict_faces(learner, some, tta, 1024), some.ids, columns))
        pd.concat(tables, axis=1).to_parquet(place / f"{split}_predictions.parquet")


def train_teacher(name, faces, plan, out):
    "Train on both label sets, reduce to FER2013's classes, and predict the training faces"
    seen = faces.subset((faces.table.split != "test").to_numpy())
    train(join_label_sets(seen, ferplus_soft_labels(seen)), plan, out, compute_mode=HALF)
    split_head(out, FER2013_CLASSES, folder(name))
    training_predictions(folder(name), faces)


def train_student(name, faces, plan, out):
    "Train on labels and the teachers' mean prediction"
    teachers = [folder(teacher) for teacher in PHASES["teachers"]]
    missing = [place.name for place in teachers if not (place / "training_answers.parquet").exists()]
    if missing:
        raise SystemExit(f"{name}: no predictions of {', '.join(missing)}; train the teachers first")
    train(distillation_targets(faces, teachers, ALL[name][2]), plan, out, compute_mode=HALF)


def train_one(name, epochs):
    "Train one network and keep its predictions"
    faces, plan, place, begun = (
        load_fer2013().drop_leaked(),
        make_recipe(name, epochs),
        folder(name),
        time.perf_counter(),
    )
    torch.backends.cudnn.benchmark = True
    out = RUNS / f"joint_{name}-42" if is_teacher(name) else place
    (train_teacher if is_teacher(name) else train_student)(name, faces, plan, out)
    trained = time.perf_counter() - begun
    keep_predictions(load_run(place, faces), faces, place)
    public = {tta: round(accuracy(p, faces, "public"), 4) for tta, p in predictions(name, "public", faces).items()}
    last = read_history(out).seconds.iloc[-1]
    print(f"{name}: {plan.epochs} epochs, {trained:.0f} s, last epoch {last:.1f} s; PublicTest", public, flush=True)


def side_by_side(names, options):
    "Train networks at once, each in its own process; return the names of those that failed"
    RUNS.mkdir(exist_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "2", "PYTHONUNBUFFERED": "1", "TQDM_DISABLE": "1"}
    running = {}
    for name in names:
        command = [sys.executable, __file__, "--one", name, *[f"--epochs={pair}" for pair in options.epochs]]
        log = (RUNS / f"{name}.log").open("w")
        running[name] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    until = time.monotonic() + options.seconds
    for process in running.values():
        try:
            process.wait(max(1.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for name, process in running.items():
        lines = (RUNS / f"{name}.log").read_text().splitlines()
        own = [line for line in lines if line.startswith(name)]
        print(*(own or [f"{name}: exit {process.returncode}", *lines[-12:]]), sep="\n", flush=True)
    return [name for name, process in running.items() if process.returncode]


def is_packed(path):
    "Return whether a file of a run is small enough to be copied from the GPU machine"
    small_weights = path.name == "model.safetensors" and path.stat().st_size < 5e6
    return path.suffix in (".parquet", ".json", ".csv") or small_weights


def pack(names, out):
    "Write one archive per network: predictions, histories, and the weights of small networks"
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        files = [path for place in (folder(name), RUNS / f"joint_{name}-42") for path in place.glob("*")]
        with tarfile.open(out / f"{name}.tar", "w") as tar:
            for path in sorted(path for path in files if is_packed(path)):
                tar.add(path, path.relative_to(RUNS))
            tar.add(RUNS / f"{name}.log", f"{name}.log")


def predictions(name, split, faces):
    """Return a network's probabilities for a split, by test-time augmentation

    A network that was stopped early has only the single view of PublicTest, which training ends with.
    """
    path = folder(name) / f"{split}_predictions.parquet"
    columns = {tta: [f"{tta}_{emotion}" for emotion in FER2013_CLASSES] for tta in TTA}
    if not path.exists():
        path = folder(name) / "predictions.parquet"
        columns = {"single": [f"p_{emotion}" for emotion in FER2013_CLASSES]} if split == "public" else {}
    table = pd.read_parquet(path) if path.exists() else pd.DataFrame()
    ids = faces.split(SPLITS[split]).ids
    return {tta: table.loc[ids, names].to_numpy() for tta, names in columns.items() if set(names) <= set(table)}


def accuracy(probabilities, faces, split):
    "Return the accuracy against FER2013's labels"
    return float((probabilities.argmax(1) == faces.split(SPLITS[split]).codes).mean())


def network_rows(faces):
    "Return epochs, seconds and accuracies of each network"
    rows = {}
    for name in ALL:
        if not predictions(name, "public", faces):
            continue
        joint = RUNS / f"joint_{name}-42"
        history = read_history(joint if joint.exists() else folder(name))
        rows[name] = {"epochs": len(history), "seconds": round(history.seconds.sum(), 1)}
        for split in SPLITS:
            found = predictions(name, split, faces)
            rows[name][split] = {tta: accuracy(p, faces, split) for tta, p in found.items()}
    return rows


def write_networks(faces):
    "Write gpu.json: every network on both test splits, and the teachers together"
    rows = network_rows(faces)
    found = {name: predictions(name, "public", faces) for name in rows}
    teachers = [found[name]["flip"] for name in rows if is_teacher(name) and "flip" in found[name]]
    students = [name for name in rows if not is_teacher(name) and ALL[name][0] == "resnet34"]
    best = max(students, key=lambda name: rows[name]["public"]["single"])
    run = read_json(folder(best) / "run.json", ("commit", "hardware", "versions"))
    mean, labels = sum(teachers) / len(teachers), faces.split("valid").codes
    nll = -np.log(mean[np.arange(len(labels)), labels]).mean()
    metric = f"{{}}, mean of {len(teachers)} teachers trained on one GPU, FER2013"
    of_teachers = {
        "split": "PublicTest",
        "selected_on": "PublicTest: epochs",
        "tta": "flip",
        "seeds": [42],
        "note": "The split that selected the epochs; no PrivateTest. Learned labels and FER+ votes. One seed each.",
    }
    public, single = accuracy(mean, faces, "public"), rows[best]["public"]["single"]
    claims = [
        claim(
            "gpu_teachers_public_accuracy",
            public,
            metric.format("Accuracy"),
            "fraction",
            "higher",
            "accuracy",
            **of_teachers,
        ),
        claim(
            "gpu_teachers_public_nll",
            nll,
            metric.format("Negative log-likelihood"),
            "nats",
            "lower",
            "accuracy",
            **of_teachers,
        ),
        claim(
            "gpu_resnet34_public_accuracy",
            single,
            "Accuracy, best ResNet-34 trained on one GPU, FER2013",
            "fraction",
            "higher",
            "accuracy",
            split="PublicTest",
            selected_on=f"PublicTest: epoch, network ({best})",
            tta="single",
            seeds=[42],
            note="The split that selected epoch and network; PrivateTest was not scored. One seed.",
        ),
    ]
    facts = {key: run[key] for key in ("commit", "hardware", "versions")}
    seconds = sum(row["seconds"] for row in rows.values())
    arguments = ["teachers", "students", "--results"]
    write_result("gpu", claims, seeds=[42], wall_s=seconds, arguments=arguments, networks=rows, **facts)


def write_family(arch, faces):
    "Select on PublicTest among the students of an architecture, and write the PrivateTest scores of the selected one"
    system, metric = FAMILIES[arch]
    family = [name for name in ALL if not is_teacher(name) and ALL[name][0] == arch]
    family = [name for name in family if predictions(name, "private", faces)]
    if not family:
        return
    allowed = TTA if arch == "resnet34" else TTA[:1]  # small networks are compared in a single view
    public = {}
    for name in family:
        for tta, p in predictions(name, "public", faces).items():
            if tta in allowed:
                public[name, tta] = accuracy(p, faces, "public")
    name, tta = max(public, key=public.get)
    reports = {}
    for split, part in SPLITS.items():
        found = predictions(name, split, faces)
        reports[system, split] = report_from_pred_probs({tta: found.pop(tta), **found}, faces, part, title=name)
    run = read_json(folder(name) / "run.json", ("recipe", "parameters", "commit", "seed", "hardware", "versions"))
    selected = f"PublicTest: epoch, {'TTA, ' * (len(allowed) > 1)}network (of {len(family)})"
    claims = [
        accuracy_claim(
            f"{system}_private_accuracy",
            reports[system, "private"].headline,
            metric,
            split=PRIVATE,
            selected_on=selected,
            tta=tta,
            seeds=[run["seed"]],
            note=NOTE.format(len(PHASES["teachers"])),
        )
    ]
    history = read_history(folder(name))
    write_result(
        system,
        claims,
        seeds=[run["seed"]],
        wall_s=history.seconds.sum(),
        arguments=["teachers", "students", "--results"],
        tta=tta,
        teachers=list(PHASES["teachers"]),
        public_choice={f"{other} {each}": value for (other, each), value in public.items()},
        **{split: metric_rows(reports[system, split]) for split in SPLITS},
        **{key: run[key] for key in ("recipe", "parameters", "commit", "hardware", "versions")},
        history=history_columns(history),
        tables=metric_tables(reports),
    )


def parse_epochs(parser, pairs):
    "Return name -> epochs from NAME=EPOCHS or EPOCHS"
    epochs = dict((pair if "=" in pair else f"all={pair}").split("=") for pair in pairs)
    unknown = sorted(set(epochs) - {"all", *ALL})
    if unknown:
        parser.error(f"--epochs {unknown[0]}: no such network; expected one of {', '.join(ALL)}")
    return {name: int(value) for name, value in epochs.items()}


def main():
    parser = Parser(__doc__)
    parser.add_argument("phases", nargs="*", type=one_of(PHASES), help=", ".join(PHASES))
    parser.add_argument("--epochs", action="append", default=[], help="EPOCHS or NAME=EPOCHS; default: the recipe's")
    parser.add_argument(
        "--seconds", type=float, default=1e6, help="limit of a phase; a later call resumes its networks"
    )
    parser.add_argument("--out", type=Path, help="folder for an archive of each network")
    parser.add_argument("--one", choices=list(ALL), help="train this network alone")
    parser.add_argument("--results", action="store_true", help="write the results files")
    options = parser.parse_args()
    epochs = parse_epochs(parser, options.epochs)
    if options.one:
        train_one(options.one, epochs)
    for phase in options.phases:
        failed = side_by_side(list(PHASES[phase]), options)
        if options.out:
            pack(list(PHASES[phase]), options.out)
        if failed:
            raise SystemExit(f"not finished: {', '.join(failed)}; the same command resumes them")
    if options.results:
        faces = load_fer2013().drop_leaked()
        write_networks(faces)
        for arch in FAMILIES:
            write_family(arch, faces)


if __name__ == "__main__":
    main()
