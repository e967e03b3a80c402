"""Our two small nets and the papers' networks on FER2013, from scratch, each by its recipe; a further cycle of a ResNet-34 and of mini-Xception; a ResNet-34 grown out of our compact net.

    python benchmarks/nets.py [compact resnet34_taught resnet34_student resnet34_grown fer_kd mini_xception mini_xception_early mini_xception_64 mini_xception_relu mini_xception_relu_on mini_xception_taught sequential_cnn facenet_fer2013 swift] [--share 0.7]

Training targets are the label and, for `share` of them, what trained networks answer to the face: joint.py's ResNet-34 alone teaches the compact
net, which passes it, and the two together teach mini-Xception, swift and the ResNet-34 itself. Of the others, gpu.py's seven teachers and
the compact model that ships together teach mini_xception_taught; that model alone teaches the rest, which need none of these runs. All of them trained on Training alone, as here.
The epoch is chosen on PublicTest, PrivateTest is scored once, no test face is cleaned; the claim is a single centre view, of the ResNet-34 the better of two views on PublicTest.
An interrupted run goes on. Each system writes benchmarks/results/<system>.json; chosen.py says which ResNet-34 and which mini-Xception is ours.
"""

import argparse
from pathlib import Path

import torch
from common import RUNS, claim, one_of, told, write_result
from fer_fastai.io import atomic_path
from fer_fastai.core import set_seeds
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.deploy.model_folder import as_learner, load_model
from fer_fastai.deploy.predictor import pretrained_model
from fer_fastai.evaluate.metrics import report
from fer_fastai.models.net2net import net2net
from fer_fastai.models.backbones import count_parameters, save_weights
from fer_fastai.train.training import read_history, train
from fer_fastai.train.recipes import get_recipe
from gpu import PHASES

FIRST, BOTH, SHIPPED = ("resnet34_best",), ("resnet34_best", "compact"), (pretrained_model("compact"),)
MANY = (*PHASES["teachers"], *SHIPPED)
SYSTEMS = {  # recipe, claim and teachers of each
    "compact": ("compact", "compact_private_accuracy", FIRST),
    "resnet34_taught": ("resnet34-taught", "resnet34_taught_private_accuracy", BOTH),
    "resnet34_student": ("resnet34-student", "resnet34_student_private_accuracy", SHIPPED),
    "resnet34_grown": ("resnet34-grown", "resnet34_grown_private_accuracy", SHIPPED),
    "fer_kd": ("fer-kd", "fer_kd_test_accuracy", SHIPPED),
    "mini_xception": ("mini-xception", "mini_xception_published_private_accuracy", BOTH),
    "mini_xception_early": ("mini-xception-early", "mini_xception_early_private_accuracy", SHIPPED),
    "mini_xception_64": ("mini-xception-64", "mini_xception_64_private_accuracy", SHIPPED),
    "mini_xception_relu": ("mini-xception-relu", "mini_xception_relu_private_accuracy", SHIPPED),
    "mini_xception_relu_on": ("mini-xception-relu-on", "mini_xception_relu_on_private_accuracy", SHIPPED),
    "mini_xception_taught": ("mini-xception-relu", "mini_xception_taught_private_accuracy", MANY),
    "sequential_cnn": ("sequential-cnn", "sequential_cnn_private_accuracy", SHIPPED),
    "facenet_fer2013": ("facenet-fer2013", "facenet_fer2013_private_accuracy", SHIPPED),
    "swift": ("swift", "swift_private_accuracy", BOTH),
}
SHARES = {"mini_xception_relu": 0.9, "mini_xception_relu_on": 0.9, "mini_xception_taught": 0.9}  # of the teacher in the targets, where not the usual one: what is too small to learn wrong labels by heart only hears noise in them
GOES_ON = {"resnet34_taught": "resnet34_best", "mini_xception_64": "mini_xception_early", "mini_xception_relu_on": "mini_xception_relu", "resnet34_grown": "grown-compact"}  # from these weights, not from scratch
PROTOCOL = "{arch}, {parameters:,} parameters, {start}; FER2013's Training without exact copies of test faces, label and, for {share:g} of the target, the answers of {teachers}, trained on the same faces (and their FER+ votes); epoch chosen on PublicTest; PrivateTest, no face cleaned, {view}; 1 seed"
VIEWS = ("single", "flip")


def grow(faces, seed, folder):
    "The compact model that ships, as a ResNet-34 of the same answers"
    if not folder.exists():
        set_seeds(seed)
        model = as_learner(load_model(pretrained_model("compact")), faces)
        x = torch.cat([model.dls.train.one_batch()[0].as_subclass(torch.Tensor) for _ in range(4)])
        with atomic_path(folder) as part:
            part.mkdir()
            save_weights(net2net(model.model, x), part / "model.safetensors")


def measure(system, faces, taught, share, options):
    "Train one, report it"
    name, claimed, teachers = SYSTEMS[system]
    start = GOES_ON.get(system)
    if start == "grown-compact":
        grow(faces, options.seed, RUNS / f"{start}-{options.seed}")
    plan = get_recipe(name, target="votes", smoothing=0.0, seed=options.seed, pretrained=start and str(RUNS / f"{start}-{options.seed}"))
    folder = RUNS / f"{system}-{options.seed}"
    learner = train(taught, plan, folder)
    tuned, found = (report(learner, faces, split, VIEWS, title=system) for split in ("valid", "test"))
    for split, reported in (("public", tuned), ("private", found)):
        reported.predictions().to_parquet(folder / f"{split}_predictions.parquet")
    history, names = read_history(folder), [teacher.name if isinstance(teacher, Path) else teacher for teacher in teachers]
    chosen = "single" if plan.arch != "resnet34" else max(VIEWS, key=lambda view: tuned.metrics["FER2013 labels", view].accuracy)  # of small nets a single crop is asked
    protocol = PROTOCOL.format(view="single view" if plan.arch != "resnet34" else f"view ({chosen}) chosen on PublicTest", arch=plan.arch, parameters=count_parameters(learner.model), share=share, start=f"from {start}'s weights" if start else "from scratch", teachers=" and ".join(names))
    write_result(system, [claim(claimed, found.metrics["FER2013 labels", chosen].accuracy, protocol)], recipe=plan.replace(pretrained=start).to_dict(), view=chosen, teachers=names, seeds=[options.seed], wall_s=history.seconds.sum(),
                 parameters=count_parameters(learner.model), public=tuned.to_dict(), private=found.to_dict(), history=history.to_dict("list"))  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", type=one_of(SYSTEMS), help="default: all; of those that gpu.py's networks teach, where these have answered")
    parser.add_argument("--share", type=float, default=0.7, help="of the teacher in the targets")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    faces = drop_leaked(load_fer2013())
    taught = {}
    answered = all((RUNS / f"{teacher}-{options.seed}/training_answers.parquet").exists() for teacher in PHASES["teachers"])
    for system in options.systems or [name for name, (*_, teachers) in SYSTEMS.items() if answered or teachers is not MANY]:
        teachers, share = SYSTEMS[system][2], SHARES.get(system, options.share)
        if (teachers, share) not in taught:
            taught[teachers, share] = told(faces, [teacher if isinstance(teacher, Path) else RUNS / f"{teacher}-{options.seed}" for teacher in teachers], share)
        measure(system, faces, taught[teachers, share], share, options)


if __name__ == "__main__":
    main()
