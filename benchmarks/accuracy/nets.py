"""Accuracy of small networks and of the papers' networks on FER2013, each by its recipe.

    .venv/bin/python benchmarks/accuracy/nets.py [compact resnet34_taught resnet34_student resnet34_grown fer_kd ...]

Systems: compact, resnet34_taught, resnet34_student, resnet34_grown, fer_kd, mini_xception, mini_xception_early,
mini_xception_64, mini_xception_relu, mini_xception_relu_on, mini_xception_taught, sequential_cnn, facenet_fer2013,
swift. Each writes <system>.json; chosen.py selects among the ResNet-34s and the mini-Xceptions.

Training targets are the label and, with a weight per system (mostly 0.7), the mean prediction of trained networks. The
teacher of compact is joint.py's ResNet-34. mini_xception, swift and resnet34_taught are distilled from both.
mini_xception_taught is distilled from gpu.py's seven teachers and the bundled compact, the others from the bundled
compact alone. All teachers were trained on Training alone, without exact copies of test faces. The epoch is selected on
PublicTest, PrivateTest is scored once, no test face is cleaned. The claim is a single view; for a ResNet-34, the better
of two test-time augmentations on PublicTest. An interrupted run is resumed.

Needs: FER2013 and, for some systems, runs of joint.py or gpu.py
"""

import sys
from pathlib import Path
from typing import NamedTuple

import torch

from fer_fastai.core import set_seeds
from fer_fastai.data.readers import load_fer2013
from fer_fastai.deploy.model_folder import as_learner, load_model_folder
from fer_fastai.deploy.predictor import pretrained_model
from fer_fastai.evaluate.report import report
from fer_fastai.io import atomic_path
from fer_fastai.models.backbones import count_parameters
from fer_fastai.models.net2net import net2net
from fer_fastai.models.weights import save_weights
from fer_fastai.train.recipes import get_recipe
from fer_fastai.train.training import read_history, train

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import (
    FER_LABELS,
    FER_PACKAGE,
    PRIVATE,
    RESNET34_PUBLISHED,
    RUNS,
    Parser,
    accuracy_claim,
    distillation_targets,
    history_columns,
    metric_rows,
    metric_tables,
    one_of,
    write_result,
)
from gpu import PHASES

TTA = ("single", "flip")
SPLITS = {"public": "valid", "private": "test"}
BUNDLED = pretrained_model("compact")
TAUGHT_BY_COMPACT = "Teacher: bundled compact, whose own teacher learned FER+ votes. One seed."
FROM_VOTES = "Teacher: a ResNet-34 that learned labels and FER+ votes. One seed."
NO_REFERENCE = (None, None)
ARRIAGA = (0.66, "Arriaga et al. 2017, as published")


class System(NamedTuple):
    "A network of this benchmark"

    recipe: str
    claim: str
    name: str  # in the metric; {:,} stands for the number of parameters
    teachers: tuple = (BUNDLED,)  # names of runs, or model folders
    weight: float = 0.7  # fraction of the teachers in the targets; with more, tiny networks overfit wrong labels less
    start: str | None = None  # run that the weights come from; None: from scratch
    reference: tuple = NO_REFERENCE
    note: str = TAUGHT_BY_COMPACT


SYSTEMS = {
    "compact": System(
        "compact",
        "compact_private_accuracy",
        "compact ({:,} parameters)",
        ("resnet34_best",),
        reference=(0.6707, "TinyFER-Lite, 932,000 parameters, ImageNet weights, as published"),
        note=FROM_VOTES,
    ),
    "resnet34_taught": System(
        "resnet34-distilled-cycle2",
        "resnet34_taught_private_accuracy",
        "ResNet-34 after a further cycle of joint training",
        ("resnet34_best", "compact"),
        start="resnet34_best",
        reference=RESNET34_PUBLISHED,
        note="Start weights and one teacher learned FER+ votes; compact is the other teacher. One seed.",
    ),
    "resnet34_student": System(
        "resnet34-distilled",
        "resnet34_student_private_accuracy",
        "ResNet-34 from scratch, taught by compact",
        reference=RESNET34_PUBLISHED,
    ),
    "resnet34_grown": System(
        "resnet34-net2net",
        "resnet34_grown_private_accuracy",
        "ResNet-34 grown from compact by Net2Net",
        start="grown-compact",
        reference=RESNET34_PUBLISHED,
        note="Second recipe, after PrivateTest of a first. compact's teacher learned FER+ votes. One seed.",
    ),
    "fer_kd": System(
        "fer-kd",
        "fer_kd_test_accuracy",
        "FER_KD ({:,} parameters)",
        reference=(0.6442, "Barbagallo et al., selected on PrivateTest"),
    ),
    "mini_xception": System(
        "mini-xception",
        "mini_xception_published_private_accuracy",
        "mini-Xception as published ({:,} parameters)",
        ("resnet34_best", "compact"),
        reference=ARRIAGA,
        note="Published weights score 65.4 % here. One of two teachers learned FER+ votes. One seed.",
    ),
    "mini_xception_early": System(
        "mini-xception-early",
        "mini_xception_early_private_accuracy",
        "mini-Xception, weights in the first blocks",
        reference=ARRIAGA,
    ),
    "mini_xception_64": System(
        "mini-xception-64",
        "mini_xception_64_private_accuracy",
        "mini-Xception, weights in the first blocks, 64 px",
        start="mini_xception_early",
        reference=ARRIAGA,
    ),
    "mini_xception_relu": System(
        "mini-xception-relu",
        "mini_xception_relu_private_accuracy",
        "mini-Xception, ReLU after each block, 64 px",
        weight=0.9,
        reference=ARRIAGA,
        note="Second recipe, after PrivateTest of a first. compact's teacher learned FER+ votes. One seed.",
    ),
    "mini_xception_relu_on": System(
        "mini-xception-relu-cycle2",
        "mini_xception_relu_on_private_accuracy",
        "mini-Xception with ReLU, a further cycle",
        weight=0.9,
        start="mini_xception_relu",
        reference=ARRIAGA,
    ),
    "mini_xception_taught": System(
        "mini-xception-relu",
        "mini_xception_taught_private_accuracy",
        "mini-Xception with ReLU, eight teachers",
        (*PHASES["teachers"], BUNDLED),
        weight=0.9,
        reference=ARRIAGA,
        note="Teachers: seven that learned labels and FER+ votes, and compact. One seed.",
    ),
    "sequential_cnn": System(
        "sequential-cnn",
        "sequential_cnn_private_accuracy",
        "sequential net ({:,} parameters)",
        reference=ARRIAGA,
    ),
    "facenet_fer2013": System("facenet-fer2013", "facenet_fer2013_private_accuracy", "FaceNet from scratch, 80 px"),
    "swift": System(
        "swift",
        "swift_private_accuracy",
        "swift ({:,} parameters)",
        ("resnet34_best", "compact"),
        reference=FER_PACKAGE,
        note="Teachers: a ResNet-34 that learned labels and FER+ votes, and compact. One seed.",
    ),
}


def grow(faces, seed, folder):
    "Write the bundled compact model as a ResNet-34 with the same predictions"
    if not folder.exists():
        set_seeds(seed)
        model = as_learner(load_model_folder(BUNDLED), faces)
        x = torch.cat([model.dls.train.one_batch()[0].as_subclass(torch.Tensor) for _ in range(4)])
        with atomic_path(folder) as part:
            part.mkdir()
            save_weights(net2net(model.model, x), part / "model.safetensors")


def measure(name, faces, training, seed):
    "Train one system and write its result"
    system, folder = SYSTEMS[name], RUNS / f"{name}-{seed}"
    if system.start == "grown-compact":
        grow(faces, seed, RUNS / f"{system.start}-{seed}")
    start = system.start and str(RUNS / f"{system.start}-{seed}")
    plan = get_recipe(system.recipe, target="votes", label_smoothing=0.0, seed=seed, pretrained=start)
    learner = train(training, plan, folder)
    reports = {split: report(learner, faces, part, TTA, title=name) for split, part in SPLITS.items()}
    for split, found in reports.items():
        found.predictions().to_parquet(folder / f"{split}_predictions.parquet")
    candidates = TTA if plan.arch == "resnet34" else TTA[:1]  # small networks are compared in a single view
    tta = max(candidates, key=lambda each: reports["public"].metrics[FER_LABELS, each].accuracy)
    size, history = count_parameters(learner.model), read_history(folder)
    claims = [
        accuracy_claim(
            system.claim,
            reports["private"].metrics[FER_LABELS, tta],
            f"Accuracy, {system.name.format(size)}, FER2013",
            split=PRIVATE,
            selected_on="PublicTest: epoch" + ", TTA" * (len(candidates) > 1),
            tta=tta,
            seeds=[seed],
            reference=system.reference[0],
            reference_source=system.reference[1],
            note=system.note,
        )
    ]
    write_result(
        name,
        claims,
        recipe=plan.replace(pretrained=system.start).to_dict(),
        seeds=[seed],
        wall_s=history.seconds.sum(),
        arguments=[name],
        tta=tta,
        teachers=[Path(teacher).name for teacher in system.teachers],
        teacher_weight=system.weight,
        parameters=size,
        **{split: metric_rows(found) for split, found in reports.items()},
        history=history_columns(history),
        tables=metric_tables({(name, split): found for split, found in reports.items()}),
    )


def run_folder(teacher, seed):
    "Return the folder of a teacher: a model folder, or a run of the same seed"
    return teacher if isinstance(teacher, Path) else RUNS / f"{teacher}-{seed}"


def is_ready(teacher, seed):
    "Return whether a teacher of gpu.py has predicted the training faces; other teachers count as ready"
    folder = run_folder(teacher, seed)
    return teacher not in PHASES["teachers"] or (folder / "training_answers.parquet").exists()


def main():
    parser = Parser(__doc__)
    parser.add_argument(
        "systems", nargs="*", type=one_of(SYSTEMS), help="default: all whose teachers of gpu.py are ready"
    )
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    faces, seed, targets = load_fer2013().drop_leaked(), options.seed, {}
    ready = [name for name, system in SYSTEMS.items() if all(is_ready(each, seed) for each in system.teachers)]
    for name in options.systems or ready:
        system = SYSTEMS[name]
        key = system.teachers, system.weight
        if key not in targets:
            teachers = [run_folder(teacher, seed) for teacher in system.teachers]
            targets[key] = distillation_targets(faces, teachers, system.weight)
        measure(name, faces, targets[key], seed)


if __name__ == "__main__":
    main()
