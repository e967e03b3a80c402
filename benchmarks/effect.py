"""What does reviewing the first N suspects give? Top-loss order, ours and a random one, with a simulated annotator.

    python benchmarks/effect.py [--start runs/kfold-fold/fold-0] [--steps 500 1000 2000 4000 8000 16000] [--seeds 1]

Training faces are ranked by their scores fold by fold (benchmarks/issues.py makes them), reviewed by an annotator who answers with
FER+'s majority, and the network that there was is trained one more cycle, with the same plan and seed each time (from scratch, each
point would take ten minutes); votes never choose which faces are reviewed, but a handful of
constants of `combined` was chosen by them on these faces (see benchmarks/issues.py). Accuracy is on PrivateTest against
FER+'s majority: labels that no review touches. Then before and after with all suspects of all splits reviewed, on each truth apart.
"""

import argparse
from pathlib import Path

import numpy as np
from common import RUNS, claim, out_of_fold, write_result
from fer_fastai.clean.impact import simulated_annotator, measure_impact, gain_curve, review_all, reviews_needed
from fer_fastai.clean.issues import rank_label_issues
from fer_fastai.clean.pred_probs import load_pred_probs
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.train.recipes import Stage, get_recipe

PROTOCOL = ("Training without exact copies of test faces, reviewed in each order at {steps} faces by an annotator who answers as FER+'s majority; {recipe} trained one cycle more from the same weights; "
            "accuracy on PrivateTest against FER+'s majority, {seeds} seed(s); half of the gain of reviewing all; straight lines between the steps; ours by top loss's number of reviews")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, default=RUNS / "kfold-fold" / "fold-0", help="the run before the review")
    parser.add_argument("--scores", default="fold", help="recipe of the folds")
    parser.add_argument("--steps", type=int, nargs="+", default=[500, 1000, 2000, 4000, 8000, 16000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--review", type=int, default=6000, help="training suspects reviewed for the before / after table")
    options = parser.parse_args()
    plan = get_recipe(options.scores).replace(name="again", stages=(Stage(1, size=40, lr=1e-3),), pretrained=str(options.start))
    every = load_fer2013()
    faces, trained = drop_leaked(every), every.split("train")
    folds = out_of_fold(every, get_recipe(options.scores))
    mine = faces.split("train").ids
    ranked = {"ours": rank_label_issues(trained, folds, "combined").index, "top loss": rank_label_issues(trained, folds, "label_loss").index}
    orders = {name: list(ids[ids.isin(mine)]) for name, ids in ranked.items()}
    orders["random"] = list(np.random.default_rng(0).permutation(mine))
    curve = gain_curve(faces, orders, options.steps, plan, options.seeds, RUNS / "gain")
    needed = reviews_needed(curve)
    heldout = load_pred_probs(RUNS / "scores-heldout")
    tested = faces.subset((faces.table.split != "train").to_numpy())
    suspects = [*orders["ours"][:options.review], *rank_label_issues(tested, heldout, "combined").index[:round(options.review / len(mine) * len(tested))]]
    found = measure_impact(faces, review_all(faces, suspects, simulated_annotator(faces)), plan, options.seeds, RUNS / "effect")
    write_result("effect", [
        claim("effect_faces_reviewed_for_half_the_gain_vs_top_loss_ratio", needed["ours"] / needed["top loss"],
              PROTOCOL.format(steps=", ".join(map(str, options.steps)), recipe=plan.arch, seeds=len(options.seeds))),
    ], recipe=plan.replace(pretrained=options.start.name).to_dict(), seeds=options.seeds, curve=curve.round(5).to_dict("list"), reviews_for_half_the_gain={k: float(v) for k, v in needed.items()},
        before_after={"table": found.table().reset_index().round(5).to_dict("list"), "macro_f1": found.table("macro_f1").reset_index().round(5).to_dict("list"),
                      "flattery": found.relabeling_bias, "changed": found.changed, "reviewed": len(suspects)})


if __name__ == "__main__":
    main()
