"""Distinctiveness pruning of our ResNet-34: the paper's head, then the whole network beside L1 magnitude and random removal.

    python benchmarks/pruning.py [--start runs/resnet34_student-42] [--shares 0.7 0.5 0.3] [--epochs 1] [--rates 1e-4 1e-3]

Whole network: at equal multiply-adds, before and after the same short retraining (same seed, targets, averaged weights). How ours spreads a budget over the
layers, and the rate at which each network is retrained, are chosen by the loss on PublicTest; PrivateTest is scored once for each network, single
view. L1 and random removal are Torch-Pruning's own. Head: ResNet-34 with the paper's 128 sigmoid neurons, the published rule at 15 and 165 degrees, no retraining.
Latency in onnxruntime on 2 cores, networks in turns. Networks that were cut and retrained are kept, so an interrupted run goes on. Writes
pruning.json.
"""

import argparse
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
import torch_pruning as tp
from fastai.basics import Learner

from common import RUNS, claim, told, write_result
from fer_fastai.core import set_seeds
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.deploy.predictor import pretrained_model
from fer_fastai.models.backbones import fit_shapes
from fer_fastai.compress.channels import macs
from fer_fastai.compress.pruning import probe_batches, prune_model
from fer_fastai.deploy.export import size_table
from fer_fastai.train.losses import SoftCrossEntropy, soft_accuracy
from fer_fastai.train.callbacks import EMA
from fer_fastai.models.backbones import save_weights
from fer_fastai.train.recipes import Stage
from fer_fastai.train.training import load_run, recipe_dls, train
from fer_fastai.train.recipes import get_recipe
from fer_fastai.train.autotune import UseComputeMode, autotune
from fer_fastai.evaluate.tta import predict_faces
from safetensors.torch import load_file

NAMES = {"ours": "span", "l1": "L1 magnitude", "random": "random"}


def scored(learner, model, faces, split):
    "Accuracy and loss of a model on a split, single view"
    part, was = faces.split(split), learner.model
    learner.model = model.eval()
    with learner.no_bar(), learner.no_logging():
        answers = predict_faces(learner, part)
    learner.model = was
    right = answers[np.arange(len(part)), part.codes]
    return {"accuracy": float((answers.argmax(1) == part.codes).mean()), "loss": float(-np.log(right.clip(1e-9)).mean())}


def chosen(learner, models, faces):
    "Key of the one with the least loss on PublicTest, and all the losses"
    losses = {key: scored(learner, model, faces, "valid")["loss"] for key, model in models.items()}
    return min(losses, key=losses.get), losses


def by_importance(model, example, share, importance):
    "Torch-Pruning at the largest ratio of channels that fits the budget of multiply-adds"
    whole, low, high, best = sum(macs(model, example).values()), 0.0, 1.0, None
    last = [m for m in model.modules() if isinstance(m, torch.nn.Linear)][-1:]
    names = {m: n for n, m in model.named_modules()}
    for _ in range(12):
        ratio, smaller = (low + high) / 2, deepcopy(model)
        kept = [dict(smaller.named_modules())[names[m]] for m in last]
        set_seeds(0)
        tp.pruner.MagnitudePruner(smaller.eval(), example, importance=importance, pruning_ratio=ratio, ignored_layers=kept, round_to=8).step()
        if sum(macs(smaller, example).values()) <= share * whole:
            best, high = smaller, ratio
        else:
            low = ratio
    return best


def retrain(model, taught, plan, epochs, rate, path):
    "A short one-cycle on the targets that it learned from, or what was kept of it"
    if path.exists():
        return fit_shapes(deepcopy(model), load_file(path))
    set_seeds(plan.seed)
    learner = Learner(recipe_dls(taught, plan, 48), deepcopy(model), loss_func=SoftCrossEntropy(), metrics=soft_accuracy, wd=plan.weight_decay)
    with learner.no_bar():
        learner.fit_one_cycle(epochs, rate, cbs=[UseComputeMode(autotune(learner)[0]), EMA(0.99)])
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(learner.model, path)
    return learner.model


def head(taught, faces, options):
    "The paper's case: 128 sigmoid neurons, 15 and 165 degrees, no retraining"
    plan = get_recipe("resnet34", head="sigmoid", pretrained=str(options.start), target="votes", smoothing=0.0, class_weights="none", seed=options.seed,
                  stages=(Stage(1, size=48, frozen=True, lr=3e-3), Stage(1, size=48, lr=3e-4, lr_mult=3))).replace(name="resnet34-sigmoid")  # fmt: skip
    learner = train(taught, plan, RUNS / f"pruning-head-{options.seed}")
    batches = probe_batches(learner, options.probe)
    last = [name for name, m in learner.model.named_modules() if isinstance(m, torch.nn.Linear)][-2]
    rows = []
    for rule in ("published", "clusters"):
        pruned = prune_model(learner.model, batches, layers=last, rule=rule)
        rows.append({"rule": rule, "neurons": 128, "kept": len(pruned.keep[last]), "change_of_answers": pruned.change, "before": scored(learner, learner.model, faces, "test")["accuracy"],
                     "after": scored(learner, pruned.model, faces, "test")["accuracy"], "actions": pruned.table().round(2).to_dict("records")})  # fmt: skip
        print(rows[-1]["rule"], rows[-1]["kept"], rows[-1]["before"], rows[-1]["after"], flush=True)
    return rows


def cut_by(learner, batches, share, spread, path):
    "Ours at a budget, or what was kept of it"
    if path.exists():
        return fit_shapes(deepcopy(learner.model), load_file(path))
    found = prune_model(learner.model, batches, budget=share, spread=spread).model
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(found, path)
    return found


def before_and_after(learner, model, name, taught, faces, plan, options):
    "What a network says, what it says after retraining at the rate that suits it, and the retrained one"
    by_rate = {rate: retrain(model, taught, plan, options.epochs, rate, options.folder / f"{name}-{rate:g}.safetensors") for rate in options.rates}
    rate, losses = chosen(learner, by_rate, faces)
    row = {"rate": rate, "public_loss_by_rate": losses}
    for when, each in (("before", model), ("after", by_rate[rate])):
        for split, part in (("public", "valid"), ("private", "test")):
            row |= {f"{split}_{when}" if key == "accuracy" else f"{split}_{key}_{when}": value for key, value in scored(learner, each, faces, part).items()}
    print(name, {key: round(value, 4) for key, value in row.items() if not isinstance(value, dict)}, flush=True)
    return row, by_rate[rate]


def whole(learner, taught, faces, plan, options):
    "Three ways at each budget, before and after retraining"
    batches, example = probe_batches(learner, options.probe), probe_batches(learner, 2)[0]
    rows, models = [], {}
    for share in options.shares:
        ours = {spread: cut_by(learner, batches, share, spread, options.folder / f"cut-{spread}-{share:g}.safetensors") for spread in ("error", "even")}
        spread, losses = chosen(learner, ours, faces)
        made = {"ours": ours[spread], "l1": by_importance(learner.model, example, share, tp.importance.MagnitudeImportance(p=1)), "random": by_importance(learner.model, example, share, tp.importance.RandomImportance())}
        for name, model in made.items():
            row, models[name, share] = before_and_after(learner, model, f"{name}-{share:g}", taught, faces, plan, options)
            rows.append({"share": share, "way": NAMES[name], "spread": spread if name == "ours" else None, "public_loss_by_spread": losses if name == "ours" else None,
                         "macs": sum(macs(model, example).values()), "parameters": sum(p.numel() for p in model.parameters()), **row})  # fmt: skip
    return rows, models, example


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, default=RUNS / "resnet34_student-42")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.7, 0.5, 0.3], help="of the multiply-adds that are left")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-4, 1e-3], help="of retraining: each network takes what suits it on PublicTest")
    parser.add_argument("--probe", type=int, default=512, help="training faces that say what is superfluous")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--folder", type=Path, default=RUNS / "pruning")
    options = parser.parse_args()
    torch.set_num_threads(2)
    faces = drop_leaked(load_fer2013())
    taught = told(faces, [pretrained_model("compact")], 0.7)  # the targets that it learned from: its own answers would have it learn by heart what it knows by heart
    learner = load_run(options.start, faces)
    plan = get_recipe("resnet34", target="votes", smoothing=0.0, class_weights="none", seed=options.seed)
    rows, models, example = whole(learner, taught, faces, plan, options)
    unpruned, _ = before_and_after(learner, learner.model, "unpruned", taught, faces, plan, options)  # what the retraining alone gives
    unpruned |= {"macs": sum(macs(learner.model, example).values()), "parameters": sum(p.numel() for p in learner.model.parameters())}
    half = next(row for row in rows if row["share"] == 0.5 and row["way"] == "span")
    sizes = size_table({"unpruned": learner.model} | {f"{name} {share:g}": m for (name, share), m in models.items()}, example, seconds=3.0)
    won = sum(a[key] > b[key] for a in rows if a["way"] == "span" for b in rows if b["way"] == "L1 magnitude" and b["share"] == a["share"] for key in ("private_before", "private_after"))
    heads = head(taught, faces, options)
    write_result("pruning", [
        claim("prune_head_accuracy_change", heads[0]["after"] - heads[0]["before"], "ResNet-34 with 128 sigmoid neurons, the published rule at 15 and 165 degrees on them, no retraining; PrivateTest, single view"),
        claim("prune_half_macs_accuracy_change", half["private_after"] - unpruned["private_before"], f"ResNet-34, half of the multiply-adds left, {options.epochs} epoch{'s' * (options.epochs > 1)} of retraining; PrivateTest, single view, against the unpruned (which the same retraining changes by {unpruned['private_after'] - unpruned['private_before']:+.4f})"),
        claim("prune_half_macs_latency_ratio", sizes.faster_1["ours 0.5"], "the same, milliseconds at batch 1 in onnxruntime on 2 threads, in turns in one run"),
        claim("prune_beats_l1_at_30_50_70", won, "accuracy on PrivateTest above Torch-Pruning's L1 magnitude at 30, 50 and 70 % of the multiply-adds removed, before and after retraining: how many of 6"),
    ], recipe={"epochs": options.epochs, "rates": options.rates, "probe": options.probe, "start": options.start.name}, seeds=[options.seed], rows=rows, unpruned=unpruned, head=heads, sizes=sizes.round(4).reset_index().to_dict("records"))  # fmt: skip


if __name__ == "__main__":
    main()
