"""The models that ship inside the package, from the runs of benchmarks/nets.py: saved, calibrated, measured as they will be used.

    python benchmarks/embed.py [compact swift] [--shipped]

compact is the default, swift the fast one. Temperature from PublicTest; PrivateTest is scored once, through onnxruntime,
with the weights in 16 bits that ship; the eight-bit network beside it, calibrated on 512 training faces, is scored on PublicTest, and once on
PrivateTest. `--shipped` starts from the folders that ship, not from the runs: weights and model.onnx stay, the eight-bit network and
all figures are made anew. Writes fer_fastai/deploy/weights/<name> and benchmarks/results/embedded.json.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
from common import RUNS, claim, write_result
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013
from fer_fastai.deploy.export import add_int8, save_model
from fer_fastai.deploy.model_folder import load_model, seal
from fer_fastai.deploy.predictor import Predictor
from fer_fastai.evaluate.metrics import report_on
from fer_fastai.train.training import load_run

SHIPPED = {"compact": "compact-42", "swift": "swift-42"}
NOTES = {
    "compact": "The default of the two models that come with fer_fastai: the one that is right more often.",
    "swift": "The fast one of the two models that come with fer_fastai, for cut faces by the million and for small machines. Where a photo's faces have to be found first, that takes longer than naming them: take compact.",
}
CALIBRATE = 512  # training faces that say which numbers occur inside
WEIGHTS = Path(__file__).resolve().parent.parent / "fer_fastai/deploy/weights"
PROTOCOL = "Trained on FER2013's Training split without exact copies of test faces, on its labels and on what larger networks of ours, trained on the same faces, answer; epoch and temperature chosen on PublicTest; PrivateTest scored once, no face cleaned; one seed."
DATA = "FER2013 (Goodfellow et al., 2013; collected from the web, for research use): 28,709 training faces of 48 x 48 grey pixels, about one label in five of them doubtful. The ResNet-34 among its teachers also saw FER+'s votes (Barsoum et al., 2016) of these faces. No face of PublicTest or PrivateTest, nor an exact copy of one, was trained on."
LICENCE = "Apache-2.0 for what is ours in the weights; FER2013 itself is for research use"


def measured(folder, faces, split, backend="onnx"):
    "Metrics of a split, as the package will answer: onnxruntime, weights in 16 bits or all in 8"
    predictor, part = Predictor(folder, backend, threads=2), faces.split(split)
    single = predictor.probabilities(part.pixels)
    found = report_on({"single": single, "flip": (single + predictor.probabilities(np.ascontiguousarray(part.pixels[:, :, ::-1]))) / 2}, faces, split, title=folder.name)
    return found, [{"split": split, "views": views, "protocol": PROTOCOL} | metrics.to_dict() for (_, views), metrics in found.metrics.items()]


def embed(name, run, faces):
    "One model folder, and its figures; without a run, from the folder that ships"
    new, to = WEIGHTS / f".{name}", WEIGHTS / name
    shutil.rmtree(new, ignore_errors=True)
    if run is None:
        shutil.copytree(to, new)
    else:
        save_model(load_run(run, faces), new, name, calibrate=faces.split("valid"), data=DATA, licence=LICENCE, note=NOTES[name], half=True)
    (test, tested), (_, tuned) = measured(new, faces, "test"), measured(new, faces, "valid")
    seal(new, load_model(new).facts | {"metrics": tested + tuned})
    training = faces.split("train")
    add_int8(new, training.subset(training.ids[:CALIBRATE]), faces.split("valid"))
    eight, _ = measured(new, faces, "test", "int8")
    shutil.rmtree(to, ignore_errors=True)
    new.rename(to)
    facts = load_model(to).facts
    rows = {"accuracy": test.headline.accuracy, "accuracy_int8": eight.headline.accuracy, "parameters": facts["parameters"], "bytes": sum(path.stat().st_size for path in to.iterdir()), "temperature": facts["temperature"]}
    print(name, rows, flush=True)
    return rows | {"report": test.to_dict()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(SHIPPED)}; default: those whose run is there")
    parser.add_argument("--shipped", action="store_true", help="from the folders that ship: new eight-bit networks and figures, the same weights")
    options = parser.parse_args()
    names = options.names or [name for name, run in SHIPPED.items() if options.shipped or (RUNS / run / "run.json").exists()]
    if "compact" not in names:
        parser.error("compact, the default, has to be among them: run benchmarks/nets.py first")
    faces = drop_leaked(load_fer2013())
    found = {name: embed(name, None if options.shipped else RUNS / SHIPPED[name], faces) for name in names}
    default = found["compact"]
    write_result("embedded", [
        claim("embedded_private_accuracy", default["accuracy"], "the package's default model through onnxruntime, weights in 16 bits, PrivateTest, single view, no face cleaned; epoch and temperature chosen on PublicTest; 1 seed"),
        claim("embedded_parameters", default["parameters"], "of the package's default model"),
    ], models=found)  # fmt: skip


if __name__ == "__main__":
    main()
