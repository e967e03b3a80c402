"""What each training option gives a small network, one at a time, on PublicTest.

    python benchmarks/options.py [--epochs 12] [--teacher runs/resnet34_student-42] [--seed 42]

The base is the sequential net at 32 pixels, labels as they are, small turns and flips, one cycle. Every row changes one thing and has the
same epochs and seed. Its best epoch is chosen on PublicTest, where it is also reported: good enough to compare rows, not to quote one.
PrivateTest is not touched. The two FER+ rows learn eight classes and are scored against FER+ majority.
An interrupted run goes on. Writes benchmarks/results/options.json.
"""

import argparse
from pathlib import Path

from common import RUNS, out_of_fold, told, write_result
from fer_fastai.clean.issues import blend_soft_labels, denoised_soft_labels
from fer_fastai.clean.pred_probs import PredProbs
from fer_fastai.data.emotions import FER2013_CLASSES, FERPLUS_CLASSES
from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.loaders import NO_AUGMENT, Augment
from fer_fastai.data.sources import load_fer2013
from fer_fastai.evaluate.metrics import report, report_on
from fer_fastai.train.multitask import split_head, join_label_sets
from fer_fastai.train.recipes import Stage
from fer_fastai.train.training import load_run, read_history, train
from fer_fastai.train.recipes import get_recipe
from fer_fastai.evaluate.labels import ferplus_majority, ferplus_soft_labels

VIEWS = ("single", "flip", "ten_crop")
SOFT = {"target": "votes"}
CHANGES = {  # of the recipe alone, labels as they are
    "base": {},
    "no augmentation": dict(augment=NO_AUGMENT),
    "flip and 15 degrees only": dict(augment=Augment(rotate=15, shift=0, zoom=0, brightness=0, contrast=0)),
    "label smoothing 0.1": dict(smoothing=0.1),
    "class weights": dict(class_weights="effective"),
    "mixup 0.3": dict(mixup=0.3),
    "averaged weights": dict(average=0.995),
    "generalized cross entropy": dict(loss="gce"),
    "SGD in three steps": dict(optimizer="sgd", stage=dict(schedule="steps", rate=2e-2)),
}


def eight(faces):
    "The faces by FER+'s eight classes: those with a majority, and (to train on) all that somebody voted on"
    truth, shares = ferplus_majority(faces, FERPLUS_CLASSES), ferplus_soft_labels(faces)
    labels = truth.labels.where(truth.kept, shares.idxmax(axis=1))
    some = FaceSet(faces.table.assign(label=labels), FERPLUS_CLASSES, faces.pixels)
    every = some.subset((truth.kept | ((faces.table.split == "train") & (shares.sum(axis=1) > 0)).to_numpy()))
    return some.subset(truth.kept), every.with_votes(shares.loc[every.ids])


def ways(whole, faces, options):
    "Name -> training faces, changes of the recipe, classes that are scored, faces to score"
    folds, votes = out_of_fold(whole, get_recipe("fold"), folder=options.folds), ferplus_soft_labels(faces)
    clean = PredProbs(denoised_soft_labels(faces.split("train"), folds).votes[list(FER2013_CLASSES)])
    clear, every = eight(faces)
    table = {name: (faces, changes, None, faces) for name, changes in CHANGES.items()}
    for name, taught in {"opinions out of fold": blend_soft_labels(faces, folds, 0.5), "cleaned labels": blend_soft_labels(faces, clean, 1.0), "a teacher's answers, kept": told(faces, [options.teacher], 0.7)}.items():
        table[name] = (taught, SOFT, None, faces)
    table["a teacher beside the student"] = (faces, dict(teacher=str(options.teacher), teacher_share=0.7), None, faces)
    table["FER+ votes beside the labels"] = (join_label_sets(faces, votes), SOFT | {"monitor": "valid_loss"}, FER2013_CLASSES, faces)
    return table | {"FER+ majority": (clear, {}, None, clear), "FER+ soft labels": (every, SOFT, None, clear)}


def measure(name, way, options):
    "Train one way, score it: a row, and its probabilities in a single view"
    taught, changes, vocab, scored = way
    changes = dict(changes)
    stage = Stage(options.epochs, size=options.size, **({"rate": 4e-3} | changes.pop("stage", {})))
    plan = get_recipe("sequential-cnn", stages=(stage,), average=changes.pop("average", 0.0), seed=options.seed, **changes).replace(name=name)
    folder = RUNS / "options" / f"{name.replace(' ', '-')}-{options.seed}"
    learner, history = train(taught, plan, folder), read_history(folder)
    if vocab: learner = load_run(split_head(folder, vocab, folder / "cut"), scored)
    found = report(learner, scored, "valid", VIEWS)
    metrics = {view: next(m for (_, v), m in found.metrics.items() if v == view) for view in VIEWS}
    return {"option": name, "faces": metrics["single"].faces, **{view: m.accuracy for view, m in metrics.items()}, "macro_f1": metrics["single"].macro_f1, "nll": metrics["single"].nll,
            "seconds": history.seconds.sum(), "history": history[["train_loss", "valid_loss", "accuracy"]].round(4).to_dict("list"), "recipe": plan.replace(teacher=plan.teacher and Path(plan.teacher).name).to_dict()}, found.probabilities["single"]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--folds", type=Path, default=RUNS / "kfold-fold")
    parser.add_argument("--teacher", type=Path, default=RUNS / "resnet34_student-42")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    whole = load_fer2013()
    faces = drop_leaked(whole)
    rows, said = [], []
    for name, way in ways(whole, faces, options).items():
        row, shares = measure(name, way, options)
        rows.append(row)
        if shares.shape[1] == len(FER2013_CLASSES): said.append(shares)
        print(name, round(row["single"], 4), flush=True)
    together = report_on({"single": sum(said) / len(said)}, faces, "valid").headline
    rows.append({"option": f"ensemble of these {len(said)}", "faces": together.faces, "single": together.accuracy, "macro_f1": together.macro_f1, "nll": together.nll})
    write_result("options", [], recipe=rows[0]["recipe"], seeds=[options.seed], wall_s=sum(row.get("seconds", 0) for row in rows), rows=rows, protocol="PublicTest, epoch chosen there; Training without exact copies of test faces; 1 seed")


if __name__ == "__main__":
    main()
