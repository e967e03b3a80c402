"""PublicTest accuracy of FER_KD and its ablations, each trained by the same short recipe and seed.

    .venv/bin/python benchmarks/accuracy/ablation.py [--epochs 5] [--only=-1conv ...]

The last epoch is reported; nothing is selected on PublicTest, and PrivateTest is not used. An interrupted run is
resumed. `--only` trains some variants and writes no result, so that two processes can share the work.

Needs: FER2013
"""

import sys
from pathlib import Path

from fer_fastai.data.readers import load_fer2013
from fer_fastai.models.backbones import count_parameters
from fer_fastai.models.nets import KD_ABLATIONS
from fer_fastai.train.recipes import Stage, get_recipe
from fer_fastai.train.training import read_history, train

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import RUNS, Parser, write_result

PROTOCOL = "Training without exact copies of test faces; PublicTest after the last epoch; original labels; one seed"


def main():
    parser = Parser(__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--size", type=int, default=32, help="pixels per side")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--only", action="append", choices=list(KD_ABLATIONS), help="train this variant; repeatable")
    options = parser.parse_args()
    faces, rows, seconds = load_fer2013().drop_leaked(), [], 0.0
    stage = Stage(options.epochs, size=options.size, lr=2e-3)
    base = get_recipe("fer-kd", stages=(stage,), ema_decay=0.0, seed=options.seed)
    for ablation in options.only or KD_ABLATIONS:
        folder = RUNS / f"ablation{ablation or '-as-published'}-{options.seed}"
        learner = train(faces, base.replace(name=f"fer-kd{ablation}", arch=f"fer_kd{ablation}"), folder)
        history = read_history(learner.path)
        seconds += history.seconds.sum()
        last = history.iloc[-1]
        row = {"variant": ablation or "as published", "parameters": count_parameters(learner.model)}
        row |= {"public_accuracy": last.accuracy, "public_loss": last.valid_loss, "train_loss": last.train_loss}
        rows.append(row)
    if not options.only:
        found = {"seeds": [options.seed], "wall_s": seconds, "variants": rows, "protocol": PROTOCOL}
        write_result("ablation", [], recipe=base.to_dict(), **found)


if __name__ == "__main__":
    main()
