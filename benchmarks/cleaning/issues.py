"""Average precision of label-error rankings against FER+ votes and against planted label noise.

    .venv/bin/python benchmarks/cleaning/issues.py [--recipe fold] [--second fold-softened] [--folds 5] [--epochs 16]

Reference 1: FER+ votes. A label is wrong when at most 1 of 10 voters chose it and at least 5 agree on another emotion.

  folds: Training by cross-validation. second folds: the same by networks trained on soft labels, the label posterior by
  the first networks. both: the two averaged. first fold, ...: the first fold alone, where two larger networks exist,
  trained on the other folds: one on labels, one on the label posterior by both. heldout: PublicTest + PrivateTest by
  networks trained on Training alone.
Reference 2: labels of held-out faces that FER+ confirms, changed uniformly or along the network's own confusions, for
  5, 10 and 20 % of the faces, three seeds.

The networks that score the held-out faces are selected on Training's first fold, out of sample: the best average
precision of those that are at least 1.1 times as good as top loss and cleanlab there. The constants of the combined
ranking (EXPONENTS, RESTING, LIKENESS) were selected with FER+ votes of Training. Votes are never an input of a ranking.
703 faces of Training are exact copies of held-out faces: no network is trained on them, all networks score them.

Needs: FER2013
"""

import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.metrics import average_precision_score, roc_auc_score

from fer_fastai.clean.issues import find_outliers
from fer_fastai.clean.pred_probs import average_pred_probs, load_pred_probs, predict_pred_probs
from fer_fastai.clean.ranking import RANKING_METHODS, denoised_soft_labels
from fer_fastai.core import settings
from fer_fastai.data.emotions import FERPLUS_CLASSES
from fer_fastai.data.readers import load_fer2013
from fer_fastai.train.recipes import get_recipe
from fer_fastai.train.training import load_run, train

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import RUNS, Parser, claim, out_of_fold, write_result

NETWORKS = {
    "folds": "{0} cross-validation networks",
    "second folds": "{0} cross-validation networks on soft labels",
    "big": "{1} on labels",
    "third": "{1} on soft labels by both cross-validations",
}
TOGETHER = {  # logarithms averaged
    "both": ("folds", "second folds"),
    "first and third": ("folds", "third"),
    "last two": ("second folds", "third"),
    "big and third": ("big", "third"),
    "first, big and third": ("folds", "big", "third"),
    "all": ("folds", "second folds", "big", "third"),
}
SOFTENS = (1, 2)  # weights of the first and second folds in the soft labels of "third"
THIRD = get_recipe("resnet34-distilled").replace(name="resnet34-softened", note="")
BIG = THIRD.replace(name="resnet34-labels", target="label", label_smoothing=0.1, class_weights="effective")
AHEAD = 1.1  # required ratio to top loss and cleanlab
QUALITY = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
FILTERS = ("prune_by_class", "prune_by_noise_rate", "both", "confident_learning", "predicted_neq_given")
NOISE = {"uniform": "uniform noise", "confusions": "noise along confusions"}
SHARES, SEEDS = (0.05, 0.1, 0.2), (1, 2, 3)
IN_JSON = ("label_loss", "combined")  # methods shown for every set of networks; all are in issues.parquet


def wrong_by_votes(faces) -> np.ndarray:
    "Mark labels that at most one of ten voters chose while five agree on another emotion: bool (n,)"
    votes = faces.votes.reindex(columns=list(FERPLUS_CLASSES)).fillna(0).to_numpy()
    rows, columns = np.arange(len(votes)), [FERPLUS_CLASSES.index(name) for name in faces.table.label]
    others = votes.copy()
    others[rows, columns] = -1
    return (votes[rows, columns] <= 1) & (others.max(1) >= 5)


def judge(wrong: np.ndarray, value: np.ndarray) -> dict:
    "Return the scores of a ranking, highest value first"
    order = np.argsort(-value, kind="stable")
    precision = {f"precision_at_{n}": wrong[order[:n]].mean() for n in (100, 500, 1000) if n <= len(wrong)}
    return {"ap": average_precision_score(wrong, value), "auroc": roc_auc_score(wrong, value), **precision}


def cleanlab_values(labels, probabilities) -> dict:
    "Return every ranking that cleanlab offers"
    found = {}
    for method in QUALITY:
        for adjusted in (False, True) if method != "confidence_weighted_entropy" else (False,):
            quality = get_label_quality_scores(labels, probabilities, method=method, adjust_pred_probs=adjusted)
            found[f"cleanlab {method}{' adjusted' * adjusted}"] = 1 - quality
    for rule in FILTERS:
        issues = find_label_issues(labels, probabilities, filter_by=rule, n_jobs=1)
        for method in QUALITY[:2]:
            quality = get_label_quality_scores(labels, probabilities, method=method)
            found[f"cleanlab {rule}, {method}"] = issues + 1 - quality
    return found


def judge_all(faces, scores, wrong, labels=None) -> dict:
    "Return the scores of every ranking against one reference"
    scores = scores.select(faces)
    labels = faces.codes if labels is None else labels
    probabilities = scores.probabilities.to_numpy(dtype=np.float64)
    absent = {"area_under_margin"} if scores.margins is None else set()
    absent |= {"neighbours", "knn_disagreement"} if scores.features is None else set()
    values = {
        name: method(labels, probabilities, scores) for name, method in RANKING_METHODS.items() if name not in absent
    }
    values |= cleanlab_values(labels, probabilities)
    return {name: judge(wrong, value) for name, value in values.items()}


def confusion_rates(labels, probabilities) -> np.ndarray:
    "Return how the network's errors of each class are distributed: (k, k), rows sum to 1"
    k = probabilities.shape[1]
    table = np.zeros((k, k))
    np.add.at(table, (labels, probabilities.argmax(1)), 1)
    np.fill_diagonal(table, 0)
    return (table + 1e-9) / (table + 1e-9).sum(1, keepdims=True)


def judge_planted(faces, scores, share: float, kind: str, seed: int) -> dict:
    "Return the scores of every ranking on planted label noise"
    scores, rng = scores.select(faces), np.random.default_rng(seed)
    labels, probabilities = faces.codes.copy(), scores.probabilities.to_numpy(dtype=np.float64)
    k = probabilities.shape[1]
    table = confusion_rates(labels, probabilities) if kind == "confusions" else (1 - np.eye(k)) / (k - 1)
    rows = rng.permutation(len(labels))[: round(share * len(labels))]
    wrong = np.isin(np.arange(len(labels)), rows)
    labels[rows] = [rng.choice(k, p=table[label]) for label in labels[rows]]
    return judge_all(faces, scores, wrong, labels)


def kept(name, make):
    "Load scores that an earlier call kept, or make and keep them"
    folder = RUNS / name
    if not folder.exists():
        make().save(folder)
    return load_pred_probs(folder)


def train_on_other_folds(training, plan, epochs: int):
    "Train a network on all folds of Training but the first"
    assigned, (stage,) = pd.read_parquet(RUNS / "kfold-fold" / "folds.parquet"), plan.stages
    used = (assigned.fold != 0) & ~assigned.unseen
    rest = training.subset(used[training.ids].to_numpy())
    rest = rest.with_columns(split="train", group=assigned.group[rest.ids]).random_split(valid=0.05, seed=1)
    return train(rest, plan.replace(stages=(replace(stage, epochs=epochs),)), RUNS / plan.name)


def combine(ways: dict, name: str):
    "Return the scores of one set of networks, or the average of several"
    return average_pred_probs([ways[one] for one in TOGETHER[name]], geometric=True) if name in TOGETHER else ways[name]


def describe(name: str, *words) -> str:
    "Return which networks a set has"
    return "; ".join(NETWORKS[one].format(*words) for one in TOGETHER.get(name, [name]))


def best_other(rows: dict) -> str:
    "Return the best of top loss and cleanlab's rankings"
    others = [name for name in rows if name.startswith("cleanlab") or name == "label_loss"]
    return max(others, key=lambda name: rows[name]["ap"])


def best_single(rows: dict) -> str:
    "Return the best ranking other than the combined one"
    return max((name for name in rows if name != "combined"), key=lambda name: rows[name]["ap"])


def ratio_to_others(rows: dict) -> float:
    "Return the average precision of `combined` over the better of top loss and cleanlab"
    return rows["combined"]["ap"] / rows[best_other(rows)]["ap"]


def select_networks(found: dict) -> str:
    "Return the set with the best average precision, of those AHEAD of top loss and cleanlab where there are such"
    ahead = {name: rows for name, rows in found.items() if ratio_to_others(rows) >= AHEAD} or found
    return max(ahead, key=lambda name: ahead[name]["combined"]["ap"])


def ranking_table(found: dict, planted: dict) -> pd.DataFrame:
    "Return every ranking in one long table: reference, networks, method, metric, value, standard deviation"
    rows = []
    for networks, methods in found.items():
        for method, scores in methods.items():
            rows += [("FER+ votes", networks, method, metric, value, None) for metric, value in scores.items()]
    for noise, methods in planted.items():
        for method, scores in methods.items():
            sd = scores["sd"]
            rows += [(noise, "heldout", method, metric, scores[metric], sd[metric]) for metric in sd]
    columns = ["reference", "networks", "method", "metric", "value", "sd"]
    return pd.DataFrame(rows, columns=columns).astype({"value": float, "sd": float})


def mean_scores(runs: list) -> dict:
    "Return means and standard deviations over seeds, by method"
    table = pd.concat([pd.DataFrame(run).T for run in runs], keys=range(len(runs)))
    by_method = table.groupby(level=1, sort=False)
    means, spread = by_method.mean().round(4), by_method.std().round(4)
    return {name: means.loc[name].to_dict() | {"sd": spread.loc[name].to_dict()} for name in means.index}


def summary(rows: dict) -> dict:
    "Return the methods that the JSON file shows: combined, top loss, and the best other ranking"
    return {name: rows[name] for name in dict.fromkeys((*IN_JSON, best_single(rows)))}


def votes_claims(rows: dict, faces: int, wrong: float) -> list:
    "Return the claims against FER+ votes"
    best = best_other(rows)
    common = {
        "topic": "cleaning",
        "better": "higher",
        "seeds": [settings().seed],
        "tta": "flip",
        "split": f"PublicTest + PrivateTest ({faces:,} faces, {wrong:.1%} wrong by FER+ votes)",
        "selected_on": "Training: networks and constants, with its FER+ votes",
        "note": "Votes are never an input, but constants were selected with FER+ votes of Training. One seed.",
    }
    metric = "{}, combined ranking of label errors by FER+ votes"
    scores = {
        "ap": ("issues_ferplus_ap", "Average precision", "score"),
        "auroc": ("issues_ferplus_auroc", "AUROC", "score"),
        "precision_at_500": ("issues_ferplus_precision_at_500", "Precision at 500", "fraction"),
    }
    claims = []
    for name, (id, quantity, unit) in scores.items():
        value, reference = rows["combined"][name], rows[best][name]
        claims.append(
            claim(
                id,
                value,
                metric.format(quantity),
                unit,
                reference=reference,
                reference_source=f"{best} (best of cleanlab and top loss)",
                **common,
            )
        )
    ratio, source = ratio_to_others(rows), f"{best} (best of cleanlab and top loss)"
    return [
        *claims,
        claim(
            "issues_vs_cleanlab_best_ap_ratio",
            ratio,
            metric.format("Average precision ratio"),
            "ratio",
            reference=1.0,
            reference_source=source,
            **common,
        ),
    ]


def planted_claims(planted: dict) -> list:
    "Return the claims on planted noise: combined ranking against the best single ranking"
    claims = []
    for kind, words in NOISE.items():
        for share in SHARES:
            rows = planted[f"{kind} {share:.0%}"]
            best = best_single(rows)
            claims.append(
                claim(
                    f"issues_planted_{kind}_{round(100 * share)}_ap",
                    rows["combined"]["ap"],
                    f"Average precision, combined ranking, {words} in {share:.0%} of labels",
                    "score",
                    "higher",
                    "cleaning",
                    split="PublicTest + PrivateTest faces that FER+ confirms",
                    tta="flip",
                    selected_on="Training: networks and constants, with its FER+ votes",
                    seeds=SEEDS,
                    reference=rows[best]["ap"],
                    reference_source=f"best single ranking: {best}",
                    note=f"Mean over three noise seeds, standard deviation {rows['combined']['sd']['ap']:.3f}.",
                )
            )
    return claims


def train_large(options, training, ways):
    "Train both large networks; return name -> (learner, recipe)"
    soft = denoised_soft_labels(training, average_pred_probs(list(ways.values()), weights=SOFTENS))
    return {
        "third": (train_on_other_folds(soft, THIRD, options.epochs), THIRD),
        "big": (train_on_other_folds(training, BIG, options.epochs), BIG),
    }


def predict_large(large, name, faces, prefix):
    "Predict faces by a large network; predictions are kept"
    learner, plan = large[name]
    denoised = plan.target == "votes"
    return kept(f"{prefix}-{plan.name}", lambda: predict_pred_probs(learner, faces, source=name, denoised=denoised))


def predict_by_folds(name, plan, options, faces, tested):
    "Predict the held-out faces by all cross-validation networks of a recipe, averaged"
    found = []
    for n in range(options.folds):
        folder = RUNS / f"kfold-{plan.name}" / f"fold-{n}"

        def make(folder=folder, n=n):
            learner = load_run(folder, faces.drop_leaked())
            return predict_pred_probs(learner, tested, source=f"{name}, {n}", denoised=name != "folds")

        found.append(kept(f"scores-heldout-{plan.name}-{n}", make))
    return average_pred_probs(found)


def main():
    parser = Parser(__doc__)
    parser.add_argument("--recipe", default="fold")
    parser.add_argument("--second", default="fold-soft", help="recipe of the networks on soft labels")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=16, help="of the large networks")
    options = parser.parse_args()
    faces, plans = load_fer2013(), {"folds": get_recipe(options.recipe), "second folds": get_recipe(options.second)}
    tested, training = faces.subset((faces.table.split != "train").to_numpy()), faces.split("train")

    # Networks on Training, and the selection on its first fold
    ways = {"folds": out_of_fold(faces, plans["folds"], options.folds).select(training)}
    soft = denoised_soft_labels(training, ways["folds"])
    ways["second folds"] = out_of_fold(faces, plans["second folds"], options.folds, training=soft).select(training)
    large = train_large(options, training, ways)
    ways["both"] = combine(ways, "both")
    found = {name: judge_all(training, way, wrong_by_votes(training)) for name, way in ways.items()}
    first = training.subset((ways["folds"].model_ids == 0).to_numpy())
    ways = {name: way.select(first) for name, way in ways.items()}
    ways |= {name: predict_large(large, name, first, "scores") for name in large}
    ways |= {name: combine(ways, name) for name in TOGETHER}
    on_first = {name: judge_all(first, way, wrong_by_votes(first)) for name, way in ways.items()}
    found |= {f"first fold, {name}": rows for name, rows in on_first.items()}
    chosen = select_networks(on_first)

    # The held-out faces
    predicted = {}
    for name in TOGETHER.get(chosen, [chosen]):
        if name in large:
            predicted[name] = predict_large(large, name, tested, "scores-heldout")
        else:
            predicted[name] = predict_by_folds(name, plans[name], options, faces, tested)
    heldout = combine(predicted, chosen)
    heldout.save(RUNS / "scores-heldout")
    wrong = wrong_by_votes(tested)
    found["heldout"] = judge_all(tested, heldout, wrong)
    confirmed, planted = tested.subset(~wrong), {}
    for kind in NOISE:
        for share in SHARES:
            runs = [judge_planted(confirmed, heldout, share, kind, seed) for seed in SEEDS]
            planted[f"{kind} {share:.0%}"] = mean_scores(runs)
    odd = find_outliers(tested, heldout, fraction=0.02)
    nobody = (tested.votes.not_a_face > 5).to_numpy()
    hits = int(tested.subset(nobody).ids.isin(odd.face_id).sum())
    write_result(
        "issues",
        votes_claims(found["heldout"], len(tested), wrong.mean()) + planted_claims(planted),
        recipe=options.recipe,
        seeds=list(SEEDS),
        second=options.second,
        third=THIRD.name,
        networks={"selected": chosen, "are": describe(chosen, options.folds, THIRD.arch)},
        cleanlab=version("cleanlab"),
        heldout=found["heldout"],
        rankings={name: summary(rows) for name, rows in found.items()},
        planted={name: summary(rows) for name, rows in planted.items()},
        not_a_face={"faces": int(nobody.sum()), "asked": len(odd), "found": hits},
        tables=ranking_table(found, planted),
    )


if __name__ == "__main__":
    main()
