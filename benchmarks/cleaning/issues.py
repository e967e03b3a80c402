"""Average precision of label-error rankings against FER+ votes and against injected label noise.

    .venv/bin/python benchmarks/cleaning/issues.py        5 minutes on two cores

PublicTest and PrivateTest are scored by the bundled compact network. It was trained on Training, with FER+ votes of
Training through its teachers. The first condition is FER+ votes. In the other six, labels that FER+ confirms are
changed uniformly or along the network's confusions. Changed are 5, 10 and 20 % of the labels, with three seeds
(conditions.py).
Votes are never an input of a ranking.

Constants of the combined ranking were chosen on Training. Weights of facts about expressions were chosen with its FER+
votes, the weight of systematic errors with all seven conditions on cross-validated networks. During development the
method was also tried on PublicTest; rows of PrivateTest alone are in issues.parquet.

Non-faces: images that at least six of ten voters call not a face, among the 2 % that find_outliers returns. The
detector's settings were chosen on Training.

Needs: FER2013, YuNet (data.detection downloads it once)
"""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from fer_fastai.clean.outliers import find_outliers
from fer_fastai.data.readers import load_fer2013

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Parser, claim, write_result
from conditions import (
    NOISE,
    SHARES,
    VOTES,
    best_other,
    best_single,
    bundled_predictions,
    conditions,
    judge,
    ranking_values,
)

SEEDS = (1, 2, 3)
SPLIT = "PublicTest + PrivateTest"
CHOSEN = "Training: constants of the ranking"
DRAWS = 200  # bootstrap samples
IN_JSON = (
    "label_loss",
    "systematic_errors",
    "combined",
)  # methods shown for every condition; all are in issues.parquet


def judge_conditions(faces, pred_probs, part: np.ndarray | None = None) -> dict:
    "Return name of the condition -> method -> scores, averaged over seeds, of all faces or of a part"
    runs: dict = {}
    for condition in conditions(faces, pred_probs, SEEDS):
        inside = np.ones(len(condition.wrong), bool) if part is None else condition.faces.ids.isin(part)
        rows = {
            name: judge(condition.wrong[inside], value[inside]) for name, value in ranking_values(condition).items()
        }
        runs.setdefault(condition.name, []).append(rows)
        print(condition.name, condition.seed, {name: round(rows[name]["ap"], 3) for name in IN_JSON}, flush=True)
    return {name: mean_scores(each) for name, each in runs.items()}


def mean_scores(runs: list) -> dict:
    "Return means and standard deviations over seeds, by method"
    table = pd.concat([pd.DataFrame(run).T for run in runs], keys=range(len(runs)))
    by_method = table.groupby(level=1, sort=False)
    means, spread = by_method.mean(), by_method.std().fillna(0)
    return {name: means.loc[name].to_dict() | {"sd": spread.loc[name].to_dict()} for name in means.index}


def ranking_table(found: dict) -> pd.DataFrame:
    "Return every ranking in one long table: faces, condition, method, metric, value, standard deviation"
    rows = []
    for faces, by_condition in found.items():
        for condition, methods in by_condition.items():
            for method, scores in methods.items():
                rows += [(faces, condition, method, each, scores[each], scores["sd"][each]) for each in scores["sd"]]
    columns = ["faces", "condition", "method", "metric", "value", "sd"]
    return pd.DataFrame(rows, columns=columns).astype({"value": float, "sd": float})


def bootstrap_ratio(condition, other: str) -> tuple[float, float]:
    "Return a 95 % interval of the combined ranking's average precision over another ranking's"
    values, rng = ranking_values(condition), np.random.default_rng(0)
    ratios = []
    for _ in range(DRAWS):
        rows = rng.integers(0, len(condition.wrong), len(condition.wrong))
        aps = [judge(condition.wrong[rows], values[name][rows])["ap"] for name in ("combined", other)]
        ratios.append(aps[0] / aps[1])
    return tuple(np.quantile(ratios, (0.025, 0.975)))


def votes_claims(rows: dict, condition) -> list:
    "Return the claims against FER+ votes"
    best, n, wrong = best_other(rows), len(condition.wrong), condition.wrong.mean()
    source = f"{best} (best of cleanlab and top loss)"
    common = {
        "topic": "cleaning",
        "better": "higher",
        "seeds": [1],
        "tta": "flip",
        "split": f"{SPLIT} ({n:,} faces, {wrong:.1%} wrong by FER+ votes)",
        "selected_on": CHOSEN,
        "note": "Bundled network, whose teachers learned from FER+ votes of Training. One network.",
    }
    metric = "{}, combined ranking of label errors by FER+ votes"
    scores = {
        "ap": ("issues_ferplus_ap", "Average precision", "score"),
        "auroc": ("issues_ferplus_auroc", "AUROC", "score"),
        "precision_at_500": ("issues_ferplus_precision_at_500", "Precision at 500", "fraction"),
    }
    claims = []
    for name, (id, quantity, unit) in scores.items():
        text, fields = metric.format(quantity), {"reference": rows[best][name], "reference_source": source, **common}
        claims.append(claim(id, rows["combined"][name], text, unit, **fields))
    missed = common | {"better": "lower"}
    text = "False-negative rate at the noise rate, combined ranking, FER+ votes"
    fields = {"reference": rows[best]["fnr"], "reference_source": source, **missed}
    claims.append(claim("issues_ferplus_false_negative_rate", rows["combined"]["fnr"], text, "fraction", **fields))
    ratio, text = rows["combined"]["ap"] / rows[best]["ap"], metric.format("Average precision ratio")
    fields = {"reference": 1.0, "reference_source": source, "interval": bootstrap_ratio(condition, best), **common}
    return [*claims, claim("issues_vs_cleanlab_best_ap_ratio", ratio, text, "ratio", **fields)]


def injected_claims(found: dict) -> list:
    "Return the claims on injected noise: combined ranking against the best single ranking"
    claims = []
    for kind, words in NOISE.items():
        for share in SHARES:
            rows = found[f"{kind} {share:.0%}"]
            best = best_single(rows)
            claims.append(
                claim(
                    f"issues_planted_{kind}_{round(100 * share)}_ap",
                    rows["combined"]["ap"],
                    f"Average precision, combined ranking, {words} in {share:.0%} of labels",
                    "score",
                    "higher",
                    "cleaning",
                    split=f"{SPLIT}, labels that FER+ confirms",
                    tta="flip",
                    selected_on=CHOSEN,
                    seeds=SEEDS,
                    reference=rows[best]["ap"],
                    reference_source=f"best single ranking: {best}",
                    note=f"Mean over three noise seeds, standard deviation {rows['combined']['sd']['ap']:.3f}.",
                )
            )
    return claims


def worst_claim(found: dict) -> dict:
    "Return the claim of the condition in which the combined ranking is worst, relative to the best single ranking"
    ratios = {name: rows["combined"]["ap"] / rows[best_single(rows)]["ap"] for name, rows in found.items()}
    worst = min(ratios, key=ratios.get)
    return claim(
        "ranking_worst_condition_vs_best_single_ratio",
        ratios[worst],
        "Average precision ratio to the best single ranking, worst of 7 conditions",
        "ratio",
        "higher",
        "cleaning",
        split=SPLIT,
        tta="flip",
        selected_on=CHOSEN,
        seeds=SEEDS,
        reference=1.0,
        reference_source="best of 22 rankings, chosen with the wrong labels known",
        note=f"Worst condition: {worst}. Single rankings include systematic_errors and 15 of cleanlab.",
    )


def outlier_claim(faces, pred_probs) -> tuple[dict, dict]:
    "Return the claim of non-faces found, and what was counted"
    odd = find_outliers(faces, pred_probs, fraction=0.02, detector="yunet")
    nobody = faces.subset((faces.votes.not_a_face > 5).to_numpy()).ids
    by_features = find_outliers(faces, pred_probs, fraction=0.02, detector=None)
    counts = {"faces": len(nobody), "asked": len(odd), "found": int(nobody.isin(odd.face_id).sum())}
    counts["found_by_features"] = int(nobody.isin(by_features.face_id).sum())
    return counts, claim(
        "outliers_found_of_26",
        counts["found"],
        f"Non-faces found of {counts['faces']}, among {counts['asked']} images",
        "images",
        "higher",
        "cleaning",
        split=SPLIT,
        selected_on="Training: detector's image size and weight of the features",
        reference=counts["found_by_features"],
        reference_source="distance in the network's features (cleanlab's OutOfDistribution)",
        note="At least six of ten FER+ voters call the image not a face.",
    )


def main():
    Parser(__doc__).parse_args()
    faces = load_fer2013()
    tested = faces.subset((faces.table.split != "train").to_numpy())
    private = tested.split("test").ids
    pred_probs = bundled_predictions(faces).select(tested)
    found = judge_conditions(tested, pred_probs)
    on_private = judge_conditions(tested, pred_probs, private)
    votes = next(conditions(tested, pred_probs, SEEDS))
    outliers, found_claim = outlier_claim(tested, pred_probs)
    shown = {}
    for name, rows in found.items():
        names = dict.fromkeys((*IN_JSON, best_other(rows), best_single(rows)))
        shown[name] = {method: {key: rows[method][key] for key in ("ap", "auroc", "fnr")} for method in names}
    write_result(
        "issues",
        [*votes_claims(found[VOTES], votes), *injected_claims(found), worst_claim(found), found_claim],
        seeds=list(SEEDS),
        cleanlab=version("cleanlab"),
        network="compact",
        rankings=shown,
        worst_on_private=worst_claim(on_private)["value"],
        not_a_face=outliers,
        tables=ranking_table({SPLIT: found, "PrivateTest": on_private}),
    )


if __name__ == "__main__":
    main()
