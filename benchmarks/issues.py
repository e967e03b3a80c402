"""Does the ranking find the wrong labels? Every ranking against FER+ votes and against planted noise.

    python benchmarks/issues.py [--recipe fold] [--second fold-softened] [--folds 5] [--epochs 16]

Truth 1: FER+ votes; a label is wrong when at most 1 of 10 voters shares it and at least 5 agree on another emotion.
  folds: Training, fold by fold. second folds: the same by networks that learned softened labels, what each face probably is by the first
  networks. both: the two together. first fold, ...: the same on the first fold alone, where there are two networks more, big ones:
  one learned the other folds' labels, one what these faces probably are by both. heldout: PublicTest + PrivateTest by networks trained on Training alone.
Truth 2: labels of the held-out faces made wrong on purpose (those that FER+ calls right), uniformly and along the confusions that
  the network's own mistakes show, 5, 10 and 20 %, three seeds.
Which networks judge the held-out faces is chosen on Training's first fold, out of sample: the best average precision of those that are
at least 1.1 times as good as top loss and cleanlab there. The exponents of `combined`, RESTING and LIKENESS were chosen on Training, too.
The claims are the held-out faces'. Votes are never an input. Training as it is distributed holds 703 exact copies of held-out faces:
no network learns them, all score them.
"""

import argparse
from dataclasses import replace

import numpy as np
import pandas as pd
from cleanlab.rank import get_label_quality_scores
from cleanlab.filter import find_label_issues
from common import RUNS, claim, out_of_fold, write_result
from fer_fastai.clean.issues import METHODS, find_outliers, denoised_soft_labels
from fer_fastai.clean.pred_probs import average_pred_probs, load_pred_probs, predict_pred_probs
from fer_fastai.core import versions
from fer_fastai.data.emotions import FERPLUS_CLASSES
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.train.training import load_run, train
from fer_fastai.train.recipes import get_recipe
from sklearn.metrics import average_precision_score, roc_auc_score

PROTOCOL = "PublicTest + PrivateTest, {n:,} faces, {wrong:.1%} wrong by FER+ votes (at most 1 of 10 for the label, 5 for another emotion); {networks} trained on Training alone (without the 703 of its faces that are exact copies of held-out ones), {views}; votes never an input"

NETWORKS = {"folds": "the {0} folds' networks", "second folds": "{0} folds' networks on softened labels", "big": "a {1}", "third": "a {1} on labels that the {0} folds' networks and their {0} successors softened"}
TOGETHER = {"both": ("folds", "second folds"), "first and third": ("folds", "third"), "last two": ("second folds", "third"), "big and third": ("big", "third"), "first, big and third": ("folds", "big", "third"), "all": ("folds", "second folds", "big", "third")}
SOFTENS = (1, 2)    # weights of the folds' networks and of their successors in what the big one learns
THIRD = get_recipe("resnet34-student").replace(name="resnet34-softened", note="")    # the big one on softened labels, and the same on labels
BIG = THIRD.replace(name="resnet34-labels", target="label", label_smoothing=0.1, class_weights="effective")
AHEAD = 1.1  # asked of the ratio to top loss and cleanlab


def wrong_by_votes(faces) -> np.ndarray:
    "At most one voter of ten shares the label, five agree on another emotion: bool (n,)"
    votes = faces.votes.reindex(columns=list(FERPLUS_CLASSES)).fillna(0)
    own = votes.to_numpy()[np.arange(len(votes)), [FERPLUS_CLASSES.index(name) for name in faces.table.label]]
    others = votes.to_numpy().copy()
    others[np.arange(len(votes)), [FERPLUS_CLASSES.index(name) for name in faces.table.label]] = -1
    return (own <= 1) & (others.max(1) >= 5)


def judged(wrong: np.ndarray, value: np.ndarray) -> dict:
    "How well a ranking finds them"
    order = np.argsort(-value, kind="stable")
    return {"ap": average_precision_score(wrong, value), "auroc": roc_auc_score(wrong, value), **{f"precision_at_{n}": wrong[order[:n]].mean() for n in (100, 500, 1000) if n <= len(wrong)}}


def cleanlab_ways(codes, shares) -> dict:
    "Every ranking that cleanlab itself offers"
    found = {f"cleanlab {m}{' adjusted' if a else ''}": 1 - get_label_quality_scores(codes, shares, method=m, adjust_pred_probs=a)
             for m in ("self_confidence", "normalized_margin", "confidence_weighted_entropy") for a in (False, True) if not (a and m == "confidence_weighted_entropy")}
    for by in ("prune_by_class", "prune_by_noise_rate", "both", "confident_learning", "predicted_neq_given"):
        for m in ("self_confidence", "normalized_margin"):
            found[f"cleanlab {by}, {m}"] = find_label_issues(codes, shares, filter_by=by, n_jobs=1) + 1 - get_label_quality_scores(codes, shares, method=m)
    return found


def every_way(faces, scores, wrong, codes=None) -> dict:
    "Each ranking's figures on one truth"
    scores = scores.of(faces)
    codes, shares = faces.codes if codes is None else codes, scores.probabilities.to_numpy(dtype=np.float64)
    have = {"area_under_margin": scores.margins is not None, "neighbours": scores.features is not None}
    values = {name: way(codes, shares, scores) for name, way in METHODS.items() if have.get(name, True)} | cleanlab_ways(codes, shares)
    return {name: judged(wrong, value) for name, value in values.items()}


def confusions(codes, shares) -> np.ndarray:
    "Share of each class's faces that the network calls something else, by that something: (k, k), rows sum to 1"
    k = shares.shape[1]
    table = np.zeros((k, k))
    np.add.at(table, (codes, shares.argmax(1)), 1)
    np.fill_diagonal(table, 0)
    return (table + 1e-9) / (table + 1e-9).sum(1, keepdims=True)


def planted(faces, scores, share: float, along: str, seed: int) -> dict:
    "Each ranking's figures on noise of our own"
    scores, rng = scores.of(faces), np.random.default_rng(seed)
    codes, shares = faces.codes.copy(), scores.probabilities.to_numpy(dtype=np.float64)
    k = shares.shape[1]
    table = confusions(codes, shares) if along == "confusions" else (1 - np.eye(k)) / (k - 1)
    rows = rng.permutation(len(codes))[:round(share * len(codes))]
    wrong = np.isin(np.arange(len(codes)), rows)
    codes[rows] = [rng.choice(k, p=table[c]) for c in codes[rows]]
    return every_way(faces, scores, wrong, codes)


def mean_of(runs: list[dict]) -> dict:
    "Means and deviations over seeds"
    table = pd.concat([pd.DataFrame(run).T for run in runs], keys=range(len(runs)))
    means, spread = table.groupby(level=1, sort=False).mean(), table.groupby(level=1, sort=False).std()
    return {name: means.loc[name].round(4).to_dict() | {"sd": spread.loc[name].round(4).to_dict()} for name in means.index}


def kept(name, make):
    "Scores that an earlier call kept, or new ones"
    folder = RUNS / name
    if not folder.exists(): make().save(folder)
    return load_pred_probs(folder)


def on_other_folds(training, plan, epochs: int):
    "A network trained on all folds of Training but the first"
    assigned, (stage,) = pd.read_parquet(RUNS / "kfold-fold" / "folds.parquet"), plan.stages
    rest = training.subset(((assigned.fold != 0) & ~assigned.unseen)[training.ids].to_numpy())
    return train(rest.with_columns(split="train", group=assigned.group[rest.ids]).random_split(valid=0.05, seed=1), plan.replace(stages=(replace(stage, epochs=epochs),)), RUNS / plan.name)


def mixed(ways: dict, name: str):
    "The scores of one way, or of several together"
    return average_pred_probs([ways[one] for one in TOGETHER[name]], logs=True) if name in TOGETHER else ways[name]


def described(name: str, *words) -> str:
    "Which networks a way is"
    return " and ".join(NETWORKS[one].format(*words) for one in TOGETHER.get(name, [name])) + " (their logarithms averaged)" * (name in TOGETHER)


def against_others(rows: dict) -> float:
    "AP of `combined` against the better of top loss and cleanlab's best ranking"
    return rows["combined"]["ap"] / max(row["ap"] for name, row in rows.items() if name.startswith("cleanlab") or name == "label_loss")


def chosen_way(found: dict) -> str:
    "The networks that rank best, of those that rank AHEAD times as well as top loss and cleanlab where there are such"
    ahead = {name: rows for name, rows in found.items() if against_others(rows) >= AHEAD} or found
    return max(ahead, key=lambda name: ahead[name]["combined"]["ap"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="fold")
    parser.add_argument("--second", default="fold-softened", help="recipe of the networks on softened labels")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=16, help="of the big network")
    options = parser.parse_args()
    faces, plans = load_fer2013(), {"folds": get_recipe(options.recipe), "second folds": get_recipe(options.second)}
    tested, training = faces.subset((faces.table.split != "train").to_numpy()), faces.split("train")
    ways = {"folds": out_of_fold(faces, plans["folds"], options.folds).of(training)}
    ways["second folds"] = out_of_fold(faces, plans["second folds"], options.folds, taught=denoised_soft_labels(training, ways["folds"])).of(training)
    soft = denoised_soft_labels(training, average_pred_probs(list(ways.values()), weights=SOFTENS))
    big = {"third": (on_other_folds(soft, THIRD, options.epochs), THIRD), "big": (on_other_folds(training, BIG, options.epochs), BIG)}

    def asked_one(name, some, where):
        "What a big network says of some faces"
        learner, plan = big[name]
        return kept(f"{where}-{plan.name}", lambda: predict_pred_probs(learner, some, source=name, denoised=plan.target == "votes"))

    ways["both"] = mixed(ways, "both")
    doubtful = wrong_by_votes(training)
    found = {name: every_way(training, way, doubtful) for name, way in ways.items()}
    first = training.subset((ways["folds"].parts == 0).to_numpy())
    ways = {name: way.of(first) for name, way in ways.items()} | {name: asked_one(name, first, "scores") for name in big}
    ways |= {name: mixed(ways, name) for name in TOGETHER}
    on_first = {name: every_way(first, way, wrong_by_votes(first)) for name, way in ways.items()}
    found |= {f"first fold, {name}": rows for name, rows in on_first.items()}
    chosen = chosen_way(on_first)

    def asked(name):
        "The held-out faces by all networks of a recipe"
        if name in big: return asked_one(name, tested, "scores-heldout")
        folder = RUNS / f"kfold-{plans[name].name}"
        return average_pred_probs([kept(f"scores-heldout-{plans[name].name}-{n}", lambda n=n: predict_pred_probs(load_run(folder / f"fold-{n}", drop_leaked(faces)), tested, source=f"{name}, {n}", denoised=name != "folds")) for n in range(options.folds)])

    heldout = mixed({name: asked(name) for name in TOGETHER.get(chosen, [chosen])}, chosen)
    heldout.save(RUNS / "scores-heldout")
    wrong = wrong_by_votes(tested)
    found["heldout"] = every_way(tested, heldout, wrong)
    right = tested.subset(~wrong)
    noise = {f"{along} {share:.0%}": mean_of([planted(right, heldout, share, along, seed) for seed in (1, 2, 3)]) for along in ("uniform", "confusions") for share in (0.05, 0.1, 0.2)}
    odd = find_outliers(tested, heldout, share=0.02)
    nobody = (tested.votes.not_a_face > 5).to_numpy()
    ours, others = found["heldout"]["combined"], {name: row["ap"] for name, row in found["heldout"].items() if name.startswith("cleanlab")}
    best = max(others, key=others.get)
    protocol = PROTOCOL.format(n=len(tested), wrong=wrong.mean(), tta="each face and its mirror image", networks=described(chosen, options.folds, THIRD.arch))
    write_result("issues", [
        claim("issues_ferplus_ap", ours["ap"], protocol), claim("issues_ferplus_auroc", ours["auroc"], protocol), claim("issues_ferplus_precision_at_500", ours["precision_at_500"], protocol),
        claim("issues_vs_cleanlab_best_ap_ratio", ours["ap"] / max(others[best], found["heldout"]["label_loss"]["ap"]), protocol + f"; against the better of top loss and cleanlab's best of {len(others)} rankings ({best}) on the same probabilities"),
    ], recipe=options.recipe, second=options.second, third=THIRD.name, seeds=[1, 2, 3], networks=chosen, cleanlab=versions().get("cleanlab"), rankings=found, planted=noise,
        not_a_face={"faces": int(nobody.sum()), "asked": len(odd), "found": int(tested.subset(nobody).ids.isin(odd.face_id).sum())})


if __name__ == "__main__":
    main()
