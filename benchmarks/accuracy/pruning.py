"""Accuracy and latency of ResNet-34 after pruning by distinctiveness, beside L1 magnitude and random removal.

    .venv/bin/python benchmarks/accuracy/pruning.py [--start runs/resnet34_student-42] [--shares 0.7 0.5 0.3]

Whole network: at equal multiply-adds, before and after the same short retraining (same seed, targets and averaged
weights). The spread of the budget over the layers, and each network's learning rate in retraining, are selected by the
loss on PublicTest. PrivateTest is scored once for each network, in a single view. L1 and random removal are
Torch-Pruning's own; they do not reconstruct the remaining weights before retraining. Head: ResNet-34 with the paper's
128 sigmoid neurons, the published rule at 15 and 165 degrees, no retraining. Latency in ONNX Runtime on 2 threads,
networks in turns. Pruned and retrained networks are kept, so an interrupted run is resumed.

Needs: FER2013, the run resnet34_student of nets.py
"""

import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
import torch_pruning as tp
from fastai.basics import Learner
from safetensors.torch import load_file

from fer_fastai.compress.channels import macs
from fer_fastai.compress.pruning import probe_batches, prune_model
from fer_fastai.core import set_seeds
from fer_fastai.data.readers import load_fer2013
from fer_fastai.deploy.export import size_table
from fer_fastai.deploy.predictor import pretrained_model
from fer_fastai.evaluate.tta import predict_faces
from fer_fastai.models.weights import fit_shapes, save_weights
from fer_fastai.train.autotune import UseComputeMode, autotune
from fer_fastai.train.callbacks import EMA
from fer_fastai.train.losses import SoftCrossEntropy, soft_accuracy
from fer_fastai.train.recipes import Stage, get_recipe
from fer_fastai.train.training import load_run, recipe_dls, train

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import PRIVATE, RUNS, Parser, claim, distillation_targets, write_result

METHODS = {"span": "span", "l1": "L1 magnitude", "random": "random"}
IMPORTANCE = {"l1": tp.importance.MagnitudeImportance(p=1), "random": tp.importance.RandomImportance()}
SPLITS = {"public": "valid", "private": "test"}


def score(learner, model, faces, split):
    "Return accuracy and loss of a model on a split, in a single view"
    part, before = faces.split(split), learner.model
    learner.model = model.eval()
    with learner.no_bar(), learner.no_logging():
        probabilities = predict_faces(learner, part)
    learner.model = before
    likelihood = probabilities[np.arange(len(part)), part.codes]
    accuracy = float((probabilities.argmax(1) == part.codes).mean())
    return {"accuracy": accuracy, "loss": float(-np.log(likelihood.clip(1e-9)).mean())}


def select(learner, models, faces):
    "Return the key of the model with the lowest loss on PublicTest, and all losses"
    losses = {key: score(learner, model, faces, "valid")["loss"] for key, model in models.items()}
    return min(losses, key=losses.get), losses


def total_macs(model, example):
    "Return the multiply-adds of one face"
    return sum(macs(model, example).values())


def prune_by_importance(model, example, share, importance):
    "Prune with Torch-Pruning at the largest ratio of channels that fits the budget of multiply-adds"
    whole, low, high, best = total_macs(model, example), 0.0, 1.0, None
    last = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)][-1]
    for _ in range(12):
        ratio, smaller = (low + high) / 2, deepcopy(model)
        set_seeds(0)
        options = {"importance": importance, "pruning_ratio": ratio, "round_to": 8}
        ignored = [dict(smaller.named_modules())[last]]
        tp.pruner.MagnitudePruner(smaller.eval(), example, ignored_layers=ignored, **options).step()
        if total_macs(smaller, example) <= share * whole:
            best, high = smaller, ratio
        else:
            low = ratio
    return best


def retrain(model, training, plan, epochs, rate, path):
    "Retrain by one short cycle on the original targets, or load what was kept"
    if path.exists():
        return fit_shapes(deepcopy(model), load_file(path))
    set_seeds(plan.seed)
    dls = recipe_dls(training, plan, 48)
    loss = SoftCrossEntropy()
    learner = Learner(dls, deepcopy(model), loss_func=loss, metrics=soft_accuracy, wd=plan.weight_decay)
    with learner.no_bar():
        learner.fit_one_cycle(epochs, rate, cbs=[UseComputeMode(autotune(learner)[0]), EMA(0.99)])
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(learner.model, path)
    return learner.model


def prune_head(training, faces, options):
    "Return rows of the paper's case: 128 sigmoid neurons, 15 and 165 degrees, no retraining"
    stages = (Stage(1, size=48, frozen=True, lr=3e-3), Stage(1, size=48, lr=3e-4, lr_mult=3))
    plan = get_recipe("resnet34", head="sigmoid", pretrained=str(options.start), stages=stages, seed=options.seed)
    plan = plan.replace(target="votes", label_smoothing=0.0, class_weights="none", name="resnet34-sigmoid")
    learner = train(training, plan, RUNS / f"pruning-head-{options.seed}")
    batches, rows = probe_batches(learner, options.probe), []
    last = [name for name, module in learner.model.named_modules() if isinstance(module, torch.nn.Linear)][-2]
    before = score(learner, learner.model, faces, "test")["accuracy"]
    for rule in ("pairwise", "clusters"):
        pruned = prune_model(learner.model, batches, layers=last, rule=rule)
        row = {"rule": rule, "neurons": 128, "kept": len(pruned.keep[last]), "changed_predictions": pruned.change}
        row |= {"before": before, "after": score(learner, pruned.model, faces, "test")["accuracy"]}
        rows.append(row | {"actions": pruned.table().round(2).to_dict("records")})
        print(rule, row["kept"], row["before"], row["after"], flush=True)
    return rows


def prune_by_span(learner, batches, share, spread, path):
    "Prune by distinctiveness to a budget, or load what was kept"
    if path.exists():
        return fit_shapes(deepcopy(learner.model), load_file(path))
    found = prune_model(learner.model, batches, budget=share, allocation=spread).model
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(found, path)
    return found


def before_and_after(learner, model, name, training, faces, plan, options):
    "Return scores before and after retraining at the selected learning rate, and the retrained model"
    by_rate = {}
    for rate in options.rates:
        path = options.folder / f"{name}-{rate:g}.safetensors"
        by_rate[rate] = retrain(model, training, plan, options.epochs, rate, path)
    rate, losses = select(learner, by_rate, faces)
    row = {"lr": rate, "public_loss_by_lr": losses}
    for when, each in (("before", model), ("after", by_rate[rate])):
        for split, part in SPLITS.items():
            scores = score(learner, each, faces, part)
            row |= {f"{split}_{when}": scores["accuracy"], f"{split}_loss_{when}": scores["loss"]}
    print(name, {key: round(value, 4) for key, value in row.items() if not isinstance(value, dict)}, flush=True)
    return row, by_rate[rate]


def prune_network(learner, training, faces, plan, options):
    "Return rows, models and an example batch of the three methods at each budget, before and after retraining"
    batches, example = probe_batches(learner, options.probe), probe_batches(learner, 2)[0]
    rows, models = [], {}
    for share in options.shares:
        by_spread = {}
        for spread in ("error", "uniform"):
            path = options.folder / f"cut-{spread}-{share:g}.safetensors"
            by_spread[spread] = prune_by_span(learner, batches, share, spread, path)
        spread, losses = select(learner, by_spread, faces)
        made = {"span": by_spread[spread]}
        made |= {name: prune_by_importance(learner.model, example, share, each) for name, each in IMPORTANCE.items()}
        for name, model in made.items():
            file = f"{name}-{share:g}"
            scores, models[name, share] = before_and_after(learner, model, file, training, faces, plan, options)
            chosen = {"spread": spread, "public_loss_by_spread": losses} if name == "span" else {"spread": None}
            size = {"macs": total_macs(model, example), "parameters": sum(p.numel() for p in model.parameters())}
            rows.append({"share": share, "method": METHODS[name], **chosen, **size, **scores})
    return rows, models, example


def make_claims(rows, unpruned, sizes, heads, options):
    "Return the claims; each states what it is compared with"
    half = next(row for row in rows if row["share"] == 0.5 and row["method"] == "span")
    won = 0
    for one in (row for row in rows if row["method"] == "span"):
        l1 = next(row for row in rows if row["method"] == "L1 magnitude" and row["share"] == one["share"])
        won += sum(one[key] > l1[key] for key in ("private_before", "private_after"))
    epochs = f"{options.epochs} epoch{'s' * (options.epochs > 1)} of retraining"
    tested = {"split": PRIVATE, "tta": "single", "seeds": [options.seed]}
    selected = {"selected_on": "PublicTest: spread over layers, lr"}
    change, metric = ("difference", "higher", "compression"), "half of the multiply-adds, ResNet-34"
    latency = {"split": None, "reference": 1.0, "reference_source": "the unpruned network, in turns in one run"}
    return [
        claim(
            "prune_head_accuracy_change",
            heads[0]["after"] - heads[0]["before"],
            "Accuracy change, 128 sigmoid neurons pruned as published",
            *change,
            **tested,
            reference=0.0,
            reference_source="the unpruned network",
            note=f"{heads[0]['kept']} neurons left, no retraining. One seed.",
        ),
        claim(
            "prune_half_macs_accuracy_change",
            half["private_after"] - unpruned["private_before"],
            f"Accuracy change, {metric}, against the original",
            *change,
            **tested,
            **selected,
            reference=0.0,
            reference_source="the unpruned network without retraining",
            note=f"After {epochs}. One seed.",
        ),
        claim(
            "prune_half_macs_accuracy_change_vs_retrained",
            half["private_after"] - unpruned["private_after"],
            f"Accuracy change, {metric}, against the retrained original",
            *change,
            **tested,
            **selected,
            reference=0.0,
            reference_source="the unpruned network, retrained in the same way",
            note=f"After {epochs}. One seed.",
        ),
        claim(
            "prune_half_macs_latency_ratio",
            sizes.faster_1["span 0.5"],
            f"Speed-up at batch 1, {metric}",
            "ratio",
            "higher",
            "compression",
            **latency,
            note="ONNX Runtime, 2 threads.",
        ),
        claim(
            "prune_half_macs_latency_batch64_ratio",
            sizes.faster_64["span 0.5"],
            f"Speed-up at batch 64, {metric}",
            "ratio",
            "higher",
            "compression",
            **latency,
            note="ONNX Runtime, 2 threads.",
        ),
        claim(
            "prune_beats_l1_at_30_50_70",
            won,
            "Comparisons won against L1 magnitude (3 budgets, before and after retraining)",
            "of 6",
            "higher",
            "compression",
            **tested,
            **selected,
            note="PrivateTest accuracy, ResNet-34. L1 before retraining has no reconstruction. One seed.",
        ),
    ]


def main():
    parser = Parser(__doc__)
    parser.add_argument("--start", type=Path, default=RUNS / "resnet34_student-42")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.7, 0.5, 0.3], help="multiply-adds that are left")
    parser.add_argument("--epochs", type=int, default=1, help="of retraining")
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-4, 1e-3], help="learning rates to select from")
    parser.add_argument("--probe", type=int, default=512, help="training faces that determine redundancy")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--folder", type=Path, default=RUNS / "pruning", help="pruned and retrained networks")
    options = parser.parse_args()
    torch.set_num_threads(2)
    faces = load_fer2013().drop_leaked()
    # The network's original targets; its own predictions would only repeat what it memorized
    training = distillation_targets(faces, [pretrained_model("compact")], 0.7)
    learner = load_run(options.start, faces)
    plan = get_recipe("resnet34", target="votes", label_smoothing=0.0, class_weights="none", seed=options.seed)
    rows, models, example = prune_network(learner, training, faces, plan, options)
    # Effect of retraining alone
    unpruned, _ = before_and_after(learner, learner.model, "unpruned", training, faces, plan, options)
    size = sum(p.numel() for p in learner.model.parameters())
    unpruned |= {"macs": total_macs(learner.model, example), "parameters": size}
    named = {f"{name} {share:g}": model for (name, share), model in models.items()}
    sizes = size_table({"unpruned": learner.model} | named, example, seconds=3.0)
    heads = prune_head(training, faces, options)
    settings = {"epochs": options.epochs, "lrs": options.rates, "probe": options.probe, "start": options.start.name}
    table = sizes.round(4).reset_index().rename(columns={"macs": "macs"}).to_dict("records")
    found = {"seeds": [options.seed], "rows": rows, "unpruned": unpruned, "head": heads, "sizes": table}
    write_result("pruning", make_claims(rows, unpruned, sizes, heads, options), recipe=settings, **found)


if __name__ == "__main__":
    main()
