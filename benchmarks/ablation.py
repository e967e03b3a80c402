"""FER_KD's ablation: every variant by the same short recipe and seed, accuracy on PublicTest.

    python benchmarks/ablation.py [--epochs 5] [--only=-1conv ...]

PublicTest chooses nothing here but the epoch (the last is reported), and PrivateTest is not touched. An interrupted run goes on;
`--only` trains some of the variants and writes no result, so that two cores can share the work.
"""

import argparse

from common import RUNS, write_result
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.models.backbones import count_parameters
from fer_fastai.models.nets import KD_ABLATIONS
from fer_fastai.train.recipes import Stage
from fer_fastai.train.training import read_history, train
from fer_fastai.train.recipes import get_recipe


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--only", action="append", choices=list(KD_ABLATIONS))
    options = parser.parse_args()
    faces, rows, seconds = drop_leaked(load_fer2013()), [], 0.0
    plan = get_recipe("fer-kd", stages=(Stage(options.epochs, size=options.size, lr=2e-3),), average=0.0, seed=options.seed)
    for ablation in options.only or KD_ABLATIONS:
        learner = train(faces, plan.replace(name=f"fer-kd{ablation}", arch=f"fer_kd{ablation}"), RUNS / f"ablation{ablation or '-as-published'}-{options.seed}")
        history = read_history(learner.path)
        seconds += history.seconds.sum()
        rows.append({"variant": ablation or "as published", "parameters": count_parameters(learner.model), "public_accuracy": history.accuracy.iloc[-1], "public_loss": history.valid_loss.iloc[-1], "train_loss": history.train_loss.iloc[-1]})
    if options.only: return
    write_result("ablation", [], recipe=plan.to_dict(), seeds=[options.seed], wall_s=seconds, variants=rows, protocol="Training without exact copies of test faces, PublicTest after the last epoch, labels as they are; 1 seed")


if __name__ == "__main__":
    main()
