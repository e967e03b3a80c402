"""Accuracy gained by reviewing the first N suspected labels: combined ranking, top losses and random order.

    .venv/bin/python benchmarks/cleaning/effect.py [--start runs/kfold-fold/fold-0] [--seeds 1]

Training faces are ranked by their out-of-fold predictions and reviewed by a simulated annotator who answers as FER+
majority. The network that exists is trained one more cycle, with the same recipe and seed each time. Votes never
determine which faces are reviewed, but constants of the combined ranking were selected with FER+ votes of Training (see
issues.py). Accuracy is on PrivateTest against FER+ majority: labels that no review touches. Then accuracy before and
after a review of all suspects of all splits, against each label set.

Needs: FER2013, runs of issues.py
"""

import sys
from pathlib import Path

import numpy as np

from fer_fastai.clean.impact import gain_curve, measure_impact, reviewed_faces, reviews_needed, simulated_annotator
from fer_fastai.clean.issues import rank_label_issues
from fer_fastai.clean.pred_probs import PredProbs
from fer_fastai.data.readers import load_fer2013
from fer_fastai.train.recipes import Stage, get_recipe

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import PRIVATE, RUNS, Parser, claim, out_of_fold, write_result

STEPS = [500, 1000, 2000, 4000, 8000, 16000]
AGAINST = {  # claim: label set, note
    "effect_original_labels_accuracy_change": (
        "original labels",
        "Cleaning moves predictions away from labels that voters reject. One seed, no interval.",
    ),
    "effect_ferplus_accuracy_change": (
        "FER+ majority",
        "The annotator's answers are FER+ majority. One seed, no interval.",
    ),
}


def change_claims(table, reviewed_faces, seeds):
    "Return the claims of accuracy after cleaning, against the original labels and FER+ majority"
    claims = []
    for id, (labels, note) in AGAINST.items():
        before, after = table.loc[labels, ["before", "after"]]
        claims.append(
            claim(
                id,
                after - before,
                f"Accuracy change after {reviewed_faces:,} reviews, against {labels}",
                "difference",
                "higher",
                "cleaning",
                split=PRIVATE,
                tta="single",
                seeds=seeds,
                reference=0.0,
                reference_source="the same training without cleaning",
                note=note,
            )
        )
    return claims


def main():
    parser = Parser(__doc__)
    parser.add_argument("--start", type=Path, default=RUNS / "kfold-fold" / "fold-0", help="run before the review")
    parser.add_argument("--scores", default="fold", help="recipe of the folds")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS, help="numbers of reviewed faces")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--review", type=int, default=6000, help="training suspects reviewed for before and after")
    options = parser.parse_args()
    stage = Stage(1, size=40, lr=1e-3)
    plan = get_recipe(options.scores).replace(name="again", stages=(stage,), pretrained=str(options.start))
    every = load_fer2013()
    faces, training = every.drop_leaked(), every.split("train")
    folds = out_of_fold(every, get_recipe(options.scores))
    own = faces.split("train").ids
    ranked = {
        "combined": rank_label_issues(training, folds, "combined").index,
        "top loss": rank_label_issues(training, folds, "label_loss").index,
    }
    orders = {name: list(ids[ids.isin(own)]) for name, ids in ranked.items()}
    orders["random"] = list(np.random.default_rng(0).permutation(own))
    curve = gain_curve(faces, orders, options.steps, plan, options.seeds, RUNS / "gain")
    needed = reviews_needed(curve)
    heldout = PredProbs.load(RUNS / "scores-heldout")
    tested = faces.subset((faces.table.split != "train").to_numpy())
    most = round(options.review / len(own) * len(tested))
    suspects = [*orders["combined"][: options.review], *rank_label_issues(tested, heldout, "combined").index[:most]]
    found = measure_impact(
        faces, reviewed_faces(faces, suspects, simulated_annotator(faces)), plan, options.seeds, RUNS / "effect"
    )
    tables = {"table": found.table(), "macro_f1": found.table("macro_f1")}
    falls = tables["table"].change["original labels"]
    claims = [
        claim(
            "effect_faces_reviewed_for_half_the_gain_vs_top_loss_ratio",
            needed["combined"] / needed["top loss"],
            "Reviews for half of the gain of reviewing all, combined ranking",
            "ratio",
            "lower",
            "cleaning",
            split="PrivateTest against FER+ majority",
            selected_on="Training: constants of the ranking, with its FER+ votes",
            tta="single",
            seeds=options.seeds,
            reference=1.0,
            reference_source="order of top losses",
            note=f"One seed, no interval. Accuracy on the original labels changes by {100 * falls:+.2f} points.",
        ),
        *change_claims(tables["table"], len(suspects), options.seeds),
    ]
    before_after = {name: table.reset_index(names="label_set").to_dict("list") for name, table in tables.items()}
    before_after |= {"relabeling_bias": found.relabeling_bias, "changed": found.changed, "reviewed": len(suspects)}
    write_result(
        "effect",
        claims,
        recipe=plan.replace(pretrained=options.start.name).to_dict(),
        seeds=options.seeds,
        curve=curve.rename(columns={"truth": "label_set"}).to_dict("list"),
        reviews_for_half_the_gain={name: float(n) for name, n in needed.items()},
        before_after=before_after,
    )


if __name__ == "__main__":
    main()
