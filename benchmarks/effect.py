"""What does reviewing the first N suspects give? Top-loss order, ours and a random one, with a simulated annotator.

    python benchmarks/effect.py [--recipe fold] [--steps 500 1000 2000 4000] [--seeds 1]

Training faces are ranked by their scores fold by fold (benchmarks/issues.py makes them), reviewed by an annotator who answers with
FER+'s majority, and the same plan is trained anew; votes never choose which faces are reviewed. Accuracy is on PrivateTest against
FER+'s majority: labels that no review touches. Then before and after with all suspects of all splits reviewed, on each truth apart.
"""

import argparse

import numpy as np
from common import RUNS, claim, write_result
from fer_fastai.clean.effect import answers_of, effect, gain_curve, reviewed, reviews_needed
from fer_fastai.clean.issues import rank
from fer_fastai.clean.scores import kfold_scores, load_scores
from fer_fastai.data.groups import without_leaks
from fer_fastai.data.sources import fer2013
from fer_fastai.train.recipes import recipe

PROTOCOL = ("Training without exact copies of test faces, reviewed in each order at {steps} faces by an annotator who answers as FER+'s majority; {recipe} trained anew; "
            "accuracy on PrivateTest against FER+'s majority, {seeds} seed(s); half of the gain of reviewing all; straight lines between the steps; ours by top loss's number of reviews")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="fold")
    parser.add_argument("--scores", default="fold", help="recipe of the folds")
    parser.add_argument("--steps", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--review", type=int, default=6000, help="training suspects reviewed for the before / after table")
    options = parser.parse_args()
    every = fer2013()
    faces, trained = without_leaks(every), every.split("train")
    folds = kfold_scores(trained, options.scores, 5, RUNS / f"kfold-{options.scores}")
    mine = faces.split("train").ids
    orders = {name: [face_id for face_id in rank(trained, folds, method).index if face_id in set(mine)] for name, method in (("ours", "combined"), ("top loss", "label_loss"))}
    orders["random"] = list(np.random.default_rng(0).permutation(mine))
    curve = gain_curve(faces, orders, options.steps, recipe(options.recipe), options.seeds, RUNS / f"gain-{options.recipe}")
    needed = reviews_needed(curve)
    heldout = load_scores(RUNS / "scores-heldout")
    tested = faces.subset((faces.table.split != "train").to_numpy())
    suspects = [*orders["ours"][:options.review], *rank(tested, heldout, "combined").index[:round(options.review / len(mine) * len(tested))]]
    found = effect(faces, reviewed(faces, suspects, answers_of(faces)), recipe(options.recipe), options.seeds, RUNS / f"effect-{options.recipe}")
    write_result("effect", [
        claim("effect_faces_reviewed_for_half_the_gain_vs_top_loss_ratio", needed["ours"] / needed["top loss"],
              PROTOCOL.format(steps=", ".join(map(str, options.steps)), recipe=options.recipe, seeds=len(options.seeds))),
    ], recipe=recipe(options.recipe).to_dict(), seeds=options.seeds, curve=curve.round(5).to_dict("list"), reviews_for_half_the_gain={k: float(v) for k, v in needed.items()},
        before_after={"table": found.table().reset_index().round(5).to_dict("list"), "macro_f1": found.table("macro_f1").reset_index().round(5).to_dict("list"),
                      "flattery": found.flattery, "changed": found.changed, "reviewed": len(suspects)})


if __name__ == "__main__":
    main()
