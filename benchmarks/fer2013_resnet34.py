"""FER2013, seven classes, ResNet-34 from scratch on this machine.

    python benchmarks/fer2013_resnet34.py [--recipe resnet34] [--seeds 42]

Protocol: trained on Training without the faces that have an exact copy in PublicTest or PrivateTest, the best epoch chosen on
PublicTest, PrivateTest scored once. An interrupted run goes on. Beside the labels of FER2013: FER+ majority.
"""

import argparse
import json

from common import RUNS, claim, write_result
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.evaluate.metrics import summarize_seeds, report
from fer_fastai.train.training import read_history, train
from fer_fastai.train.recipes import get_recipe

PROTOCOL = "Training without exact copies of test faces; best epoch on PublicTest; PrivateTest scored once, {view}; {n} seed(s)"


def run(plan, faces, folder) -> tuple:
    "Train, or go on, or load; then report on PrivateTest"
    learner = train(faces, plan, folder)
    found = report(learner, faces, "test", title=folder.name)
    found.predictions().to_parquet(folder / "private_predictions.parquet")
    return found, json.loads((folder / "run.json").read_text()), read_history(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="resnet34")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    options = parser.parse_args()
    faces = drop_leaked(load_fer2013())
    done = {seed: run(get_recipe(options.recipe, seed=seed), faces, RUNS / f"fer2013-{options.recipe}-{seed}") for seed in options.seeds}
    reports = [found for found, _, _ in done.values()]
    single, crops = ([r.metrics["FER2013 labels", view] for r in reports] for view in ("single", "ten_crop"))
    mean = {name: sum(m.accuracy for m in metrics) / len(metrics) for name, metrics in (("single", single), ("ten_crop", crops))}
    protocol = {view: PROTOCOL.format(view=view.replace("_", " "), n=len(done)) for view in mean}
    write_result("fer2013_resnet34", [
        claim("fer2013_resnet34_private_accuracy", mean["single"], protocol["single"]),
        claim("fer2013_resnet34_private_accuracy_ten_crop", mean["ten_crop"], protocol["ten_crop"]),
    ], recipe=get_recipe(options.recipe).to_dict(), seeds=options.seeds, wall_s=sum(h.seconds.sum() for _, _, h in done.values()),
        reports={seed: r.to_dict() for seed, r in zip(done, reports)}, runs={seed: {k: info[k] for k in ("best", "seconds", "speed", "probe", "parameters")} for seed, (_, info, _) in done.items()},
        history={seed: h.round(4).to_dict("list") for seed, (_, _, h) in done.items()}, counts=faces.counts().to_dict(),
        over_seeds=summarize_seeds(single).to_dict() if len(done) > 1 else None)


if __name__ == "__main__":
    main()
