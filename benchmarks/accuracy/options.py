"""PublicTest accuracy of a small network under one training option at a time.

    .venv/bin/python benchmarks/accuracy/options.py [--epochs 12] [--teacher runs/resnet34_student-42] [--seed 42]

The base is the sequential net at 32 pixels: original labels, small rotations and flips, one cycle. Each row changes one
thing and has the same epochs and seed. The epoch is selected on PublicTest, where it is also reported: compare rows, do
not quote a level. PrivateTest is not used. The two FER+ rows have eight classes and are scored against FER+ majority.
An interrupted run is resumed.

Needs: FER2013, the run resnet34_student of nets.py
"""

import sys
from pathlib import Path

from fer_fastai.clean.pred_probs import PredProbs
from fer_fastai.clean.ranking import blend_soft_labels, denoised_soft_labels
from fer_fastai.data.augment import NO_AUGMENT, Augment
from fer_fastai.data.emotions import FER2013_CLASSES, FERPLUS_CLASSES
from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.readers import load_fer2013
from fer_fastai.evaluate.labels import ferplus_label_set, ferplus_soft_labels
from fer_fastai.evaluate.report import report, report_from_pred_probs
from fer_fastai.train.multitask import join_label_sets, split_head
from fer_fastai.train.recipes import Stage, get_recipe
from fer_fastai.train.training import load_run, read_history, train

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import RUNS, Parser, distillation_targets, out_of_fold, write_result

TTA = ("single", "flip", "ten_crop")
TURNS = Augment(rotate=15, shift=0, zoom=0, brightness=0, contrast=0)
PROTOCOL = "PublicTest, epoch selected there; Training without exact copies of test faces; one seed"


def steps(plan):
    "Return a recipe with SGD in three steps"
    (stage,) = plan.stages
    return plan.replace(optimizer="sgd", stages=(Stage(stage.epochs, size=stage.size, schedule="step_decay", lr=2e-2),))


CHANGES = {  # changes of the recipe alone, with the original labels
    "base": lambda plan: plan,
    "no augmentation": lambda plan: plan.replace(augment=NO_AUGMENT),
    "flip and 15 degrees only": lambda plan: plan.replace(augment=TURNS),
    "label smoothing 0.1": lambda plan: plan.replace(label_smoothing=0.1),
    "class weights": lambda plan: plan.replace(class_weights="effective"),
    "mixup 0.3": lambda plan: plan.replace(mixup=0.3),
    "averaged weights": lambda plan: plan.replace(ema_decay=0.995),
    "generalized cross entropy": lambda plan: plan.replace(loss="gce"),
    "SGD in three steps": steps,
}


def soft(plan):
    "Return a recipe that learns soft labels"
    return plan.replace(target="votes")


def eight_classes(faces):
    "Return faces by FER+'s classes: those with a majority, and those plus all training faces with a vote"
    truth, votes = ferplus_label_set(faces, FERPLUS_CLASSES), ferplus_soft_labels(faces)
    labels = truth.labels.where(truth.kept, votes.idxmax(axis=1))
    some = FaceSet(faces.table.assign(label=labels), FERPLUS_CLASSES, faces.pixels)
    voted = (faces.table.split == "train") & (votes.sum(axis=1) > 0)
    every = some.subset((truth.kept | voted).to_numpy())
    return some.subset(truth.kept), every.with_votes(votes.loc[every.ids])


def make_ways(whole, faces, options):
    "Return name -> training faces, change of the recipe, scored classes, faces to score"
    folds, votes = out_of_fold(whole, get_recipe("fold"), folder=options.folds), ferplus_soft_labels(faces)
    clean = PredProbs(denoised_soft_labels(faces.split("train"), folds).votes[list(FER2013_CLASSES)])
    majority, every = eight_classes(faces)
    taught = distillation_targets(faces, [options.teacher], 0.7)
    teacher = str(options.teacher)
    return {name: (faces, change, None, faces) for name, change in CHANGES.items()} | {
        "out-of-fold predictions in the targets": (blend_soft_labels(faces, folds, 0.5), soft, None, faces),
        "cleaned labels": (blend_soft_labels(faces, clean, 1.0), soft, None, faces),
        "a teacher's kept predictions": (taught, soft, None, faces),
        "a teacher during training": (
            faces,
            lambda plan: plan.replace(teacher=teacher, distill_weight=0.7),
            None,
            faces,
        ),
        "FER+ votes beside the labels": (
            join_label_sets(faces, votes),
            lambda plan: soft(plan).replace(monitor="valid_loss"),
            FER2013_CLASSES,
            faces,
        ),
        "FER+ majority": (majority, lambda plan: plan, None, majority),
        "FER+ soft labels": (every, soft, None, majority),
    }


def measure(name, way, options):
    "Train and score one option; return its row and its single-view probabilities"
    training, change, vocab, scored = way
    stage = Stage(options.epochs, size=options.size, lr=4e-3)
    base = get_recipe("sequential-cnn", stages=(stage,), ema_decay=0.0, seed=options.seed)
    plan = change(base).replace(name=name)
    folder = RUNS / "options" / f"{name.replace(' ', '-')}-{options.seed}"
    learner, history = train(training, plan, folder), read_history(folder)
    if vocab:
        learner = load_run(split_head(folder, vocab, folder / "cut"), scored)
    found = report(learner, scored, "valid", TTA)
    metrics = {}
    for (_, tta), each in found.metrics.items():
        metrics.setdefault(tta, each)
    single = metrics["single"]
    row = {"option": name, "faces": single.faces, **{tta: metrics[tta].accuracy for tta in TTA}}
    row |= {"macro_f1": single.macro_f1, "nll": single.nll, "seconds": history.seconds.sum()}
    row |= {"history": history[["train_loss", "valid_loss", "accuracy"]].round(4).to_dict("list")}
    return row | {"recipe": plan.replace(teacher=plan.teacher and Path(plan.teacher).name)}, found.pred_probs["single"]


def differing(plan, base):
    "Return the recipe fields that differ from the base"
    return {name: value for name, value in plan.to_dict().items() if value != base.to_dict()[name]}


def main():
    parser = Parser(__doc__)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--size", type=int, default=32, help="pixels per side")
    parser.add_argument("--folds", type=Path, default=RUNS / "kfold-fold", help="run folder of the five folds")
    parser.add_argument("--teacher", type=Path, default=RUNS / "resnet34_student-42")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    whole = load_fer2013()
    faces = whole.drop_leaked()
    rows, kept = [], []
    for name, way in make_ways(whole, faces, options).items():
        row, probabilities = measure(name, way, options)
        rows.append(row)
        if probabilities.shape[1] == len(FER2013_CLASSES):
            kept.append(probabilities)
        print(name, round(row["single"], 4), flush=True)
    base = rows[0]["recipe"]
    rows = [row | {"recipe": differing(row["recipe"], base)} for row in rows]
    together = report_from_pred_probs({"single": sum(kept) / len(kept)}, faces, "valid").headline
    row = {"option": f"ensemble of these {len(kept)}", "faces": together.faces, "single": together.accuracy}
    rows.append(row | {"macro_f1": together.macro_f1, "nll": together.nll})
    seconds = sum(row.get("seconds", 0) for row in rows)
    found = {"seeds": [options.seed], "wall_s": seconds, "rows": rows, "protocol": PROTOCOL}
    write_result("options", [], recipe=base.to_dict(), **found)


if __name__ == "__main__":
    main()
