"""The models that ship inside the package, from the runs of benchmarks/nets.py: saved, calibrated, measured as they will be used.

    python benchmarks/embed.py [compact mini]

compact is the default, mini (mini-Xception) the fast one. Temperature from PublicTest; PrivateTest is scored once through onnxruntime,
single view. Weights are kept in 16 bits. Writes fer_fastai/deploy/weights/<name> and benchmarks/results/embedded.json.
"""

import argparse
import shutil
from pathlib import Path

from common import RUNS, claim, write_result
from fer_fastai.data.groups import without_leaks
from fer_fastai.data.sources import fer2013
from fer_fastai.deploy.model_folder import load_model, save_model
from fer_fastai.deploy.predictor import Predictor
from fer_fastai.train.evaluation import report
from fer_fastai.train.recipes import load_run

SHIPPED = {"compact": "compact-42", "mini": "mini_xception-42"}
WEIGHTS = Path(__file__).resolve().parent.parent / "fer_fastai/deploy/weights"
PROTOCOL = "Trained on FER2013's Training split without exact copies of test faces, on its labels and on what our ResNet-34 (trained on the same faces) answers; epoch and temperature chosen on PublicTest; PrivateTest scored once, no face cleaned; one seed."
DATA = "FER2013 (Goodfellow et al., 2013; collected from the web, for research use): 28,709 training faces of 48 x 48 grey pixels, about one label in five of them doubtful. The ResNet-34 that taught it also saw FER+'s votes (Barsoum et al., 2016) of these faces. No face of PublicTest or PrivateTest, nor an exact copy of one, was trained on."
LICENCE = "Apache-2.0 for what is ours in the weights; FER2013 itself is for research use"


def embed(name, run, faces):
    "One model folder, and its figures"
    learner, to = load_run(run, faces), WEIGHTS / name
    shutil.rmtree(to, ignore_errors=True)
    found = [report(learner, faces, split, ("single", "flip"), title=name) for split in ("test", "valid")]
    save_model(learner, to, name, found, PROTOCOL, faces.split("valid"), DATA, LICENCE, half=True)
    test = faces.split("test")
    predictor = Predictor(to, threads=2)
    accuracy = float((predictor.probabilities(test.pixels).argmax(1) == test.codes).mean())
    rows = {"accuracy": accuracy, "parameters": load_model(to).facts["parameters"], "bytes": sum(path.stat().st_size for path in to.iterdir()), "temperature": load_model(to).facts["temperature"]}
    print(name, rows, flush=True)
    return rows | {"report": found[0].to_dict()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=list(SHIPPED), default=list(SHIPPED))
    options = parser.parse_args()
    faces = without_leaks(fer2013())
    found = {name: embed(name, RUNS / SHIPPED[name], faces) for name in options.names}
    default = found["compact"]
    write_result("embedded", [
        claim("embedded_private_accuracy", default["accuracy"], "the package's default model through onnxruntime, PrivateTest, single view, no face cleaned; epoch chosen on PublicTest; 1 seed"),
        claim("embedded_parameters", default["parameters"], "of the package's default model"),
    ], models=found)  # fmt: skip


if __name__ == "__main__":
    main()
