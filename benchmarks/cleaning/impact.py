"""Accuracy gained by reviewing the first N suspected labels, and accuracy before and after a review of all suspects.

    .venv/bin/python benchmarks/cleaning/impact.py        an hour on two cores, of which 15 minutes for the folds

Training is ranked by the predictions of three cross-validation networks (swift, 48 pixels, 15 epochs). A simulated
annotator answers as FER+ majority. The first of these networks is trained one more cycle on the reviewed labels, with
the recipe and seed unchanged. Four orders of review are compared: combined ranking, top losses, random, and an oracle
that reviews wrong labels first. Votes never determine which faces are reviewed, except for the oracle. Accuracy is on
PrivateTest against FER+ majority: labels that no review touches. Then accuracy before and after a review of the
suspects of all splits, against each label set. Three seeds; intervals are the range over seeds.

Needs: FER2013
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from fer_fastai.clean.impact import gain_curve, measure_impact, reviewed_faces, reviews_needed, simulated_annotator
from fer_fastai.clean.issues import rank_label_issues
from fer_fastai.data.readers import load_fer2013
from fer_fastai.train.recipes import Augment, Recipe, Stage

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import PRIVATE, RUNS, Parser, claim, out_of_fold, write_result
from conditions import bundled_predictions, wrong_by_votes

STEPS = [1000, 2000, 4000, 8000, 16000]
ORDERS = ("combined", "top loss", "random", "oracle")
FOLD = Recipe(
    "fold-swift",
    (Stage(15, size=48, lr=8e-3),),
    arch="swift",
    batch_size=128,
    label_smoothing=0.05,
    augment=Augment(rotate=8, shift=0.05, zoom=0.08, brightness=0.1, contrast=0.15),
    weight_decay=0.02,
    seed=1,
    autotune=False,
)
AGAIN = FOLD.replace(name="again", stages=(Stage(1, size=48, lr=1e-3),))
AGAINST = {  # claim: label set, note
    "effect_original_labels_accuracy_change": (
        "original labels",
        "Cleaning moves predictions away from labels that voters reject.",
    ),
    "effect_ferplus_accuracy_change": ("FER+ majority", "The annotator's answers are FER+ majority."),
}


def change_claims(runs: pd.DataFrame, reviewed: int, seeds) -> list:
    "Return the claims of accuracy after cleaning, against the original labels and FER+ majority"
    claims = []
    wide = runs.pivot_table(index=["label_set", "seed"], columns="side", values="accuracy", sort=False)
    for id, (labels, note) in AGAINST.items():
        change = (wide.after - wide.before)[labels]
        claims.append(
            claim(
                id,
                change.mean(),
                f"Accuracy change after {reviewed:,} reviews, against {labels}",
                "difference",
                "higher",
                "cleaning",
                split=PRIVATE,
                tta="single",
                seeds=seeds,
                reference=0.0,
                reference_source="training without cleaning",
                interval=[change.min(), change.max()],
                note=f"{note} Interval: range over seeds.",
            )
        )
    return claims


def needed_claim(curve: pd.DataFrame, seeds) -> tuple[dict, dict]:
    "Return the reviews that each order needs for half of the gain, and the claim of combined against top losses"
    needed = reviews_needed(curve)
    by_seed = [reviews_needed(curve[curve.seed == seed]) for seed in seeds]
    ratios = [each["combined"] / each["top loss"] for each in by_seed]
    shown = ", ".join(f"{name} {needed[name]:,.0f}" for name in ORDERS)
    return {name: float(n) for name, n in needed.items()}, claim(
        "effect_faces_reviewed_for_half_the_gain_vs_top_loss_ratio",
        needed["combined"] / needed["top loss"],
        "Reviews for half of the gain of reviewing all, combined ranking",
        "ratio",
        "lower",
        "cleaning",
        split="PrivateTest against FER+ majority",
        selected_on="Training: constants of the ranking, with its FER+ votes",
        tta="single",
        seeds=seeds,
        reference=1.0,
        reference_source="order of top losses",
        interval=[min(ratios), max(ratios)] if np.isfinite(ratios).all() else None,
        note=f"Reviews: {shown}.",
    )


def seeds_claim(seeds) -> dict:
    "Return the claim of the number of seeds"
    metric = "Seeds of the impact of cleaning"
    return claim("impact_seeds", len(seeds), metric, "seeds", "higher", "cleaning", seeds=seeds)


def main():
    parser = Parser(__doc__)
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS, help="numbers of reviewed faces")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--review", type=int, default=6000, help="training suspects reviewed for before and after")
    options = parser.parse_args()
    every = load_fer2013()
    faces, training = every.drop_leaked(), every.split("train")
    folds = out_of_fold(every, FOLD, 3).select(training)
    recipe = AGAIN.replace(pretrained=str(RUNS / f"kfold-{FOLD.name}" / "fold-0"))
    own = faces.split("train").ids
    ranked = {
        "combined": rank_label_issues(training, folds, "combined").index,
        "top loss": rank_label_issues(training, folds, "label_loss").index,
    }
    orders = {name: list(ids[ids.isin(own)]) for name, ids in ranked.items()}
    orders["random"] = list(np.random.default_rng(0).permutation(own))
    wrong = pd.Series(wrong_by_votes(faces.split("train")), own)
    orders["oracle"] = list(wrong[orders["combined"]].sort_values(ascending=False, kind="stable").index)
    curve = gain_curve(faces, orders, options.steps, recipe, options.seeds, RUNS / "gain")
    tested = faces.subset((faces.table.split != "train").to_numpy())
    most = round(options.review / len(own) * len(tested))
    held_out = rank_label_issues(tested, bundled_predictions(every), "combined").index
    suspects = [*orders["combined"][: options.review], *held_out[:most]]
    cleaned = reviewed_faces(faces, suspects, simulated_annotator(faces))
    found = measure_impact(faces, cleaned, recipe, options.seeds, RUNS / "impact")
    needed, half = needed_claim(curve, options.seeds)
    claims = [half, *change_claims(found.runs, len(suspects), options.seeds), seeds_claim(options.seeds)]
    tables = {"table": found.table(), "macro_f1": found.table("macro_f1")}
    before_after = {name: table.reset_index(names="label_set").to_dict("list") for name, table in tables.items()}
    before_after |= {"relabeling_bias": found.relabeling_bias, "changed": found.changed, "reviewed": len(suspects)}
    write_result(
        "impact",
        claims,
        recipe=recipe.replace(pretrained="fold-0").to_dict(),
        seeds=options.seeds,
        curve=curve.to_dict("list"),
        reviews_for_half_the_gain=needed,
        before_after=before_after,
    )


if __name__ == "__main__":
    main()
