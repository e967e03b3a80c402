"""Bundled models: saved, calibrated and scored in ONNX Runtime, from the runs of nets.py.

    .venv/bin/python benchmarks/accuracy/embed.py [compact swift] [--bundled]

compact is the default model, swift the fast one. The temperature is fitted on PublicTest. PrivateTest is scored once,
through ONNX Runtime, with the bundled 16-bit weights. The int8 network is calibrated on 512 training faces, scored on
PublicTest, and once on PrivateTest. `--bundled` starts from the bundled folders: weights and model.onnx stay, the int8
network and all figures are made again. Writes fer_fastai/deploy/weights/<name> and embedded.json.

Needs: FER2013 and runs of nets.py, or --bundled
"""

import shutil
import sys
from pathlib import Path

import numpy as np

from fer_fastai.data.readers import load_fer2013
from fer_fastai.deploy.export import add_int8, save_model_folder
from fer_fastai.deploy.model_folder import load_model_folder, write_model_json
from fer_fastai.deploy.predictor import Predictor
from fer_fastai.evaluate.report import report_from_pred_probs
from fer_fastai.train.training import load_run

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import (
    FER_PACKAGE,
    PRIVATE,
    ROOT,
    RUNS,
    Parser,
    accuracy_claim,
    claim,
    metric_rows,
    metric_tables,
    write_result,
)

BUNDLED = {"compact": "compact-42", "swift": "swift-42"}
NOTES = {
    "compact": "Default of the two bundled models: the more accurate one.",
    "swift": "Faster of the two bundled models, for millions of cropped faces and for small machines. In photos, "
    "detection takes longer than classification; use compact there.",
}
CALIBRATE = 512  # training faces that determine the ranges of the int8 network
WEIGHTS = ROOT / "fer_fastai/deploy/weights"
PROTOCOL = (
    "Trained on the Training split of FER2013, without exact duplicates of test faces, on its labels and on "
    "predictions of larger networks trained on the same faces. Epoch and temperature were selected on PublicTest. "
    "PrivateTest was evaluated once, without cleaning. One seed."
)
DATA = (
    "FER2013 (Goodfellow et al., 2013; collected from the web, for research use): 28,709 training faces of 48 x 48 "
    "gray pixels, about one in five labels doubtful. The ResNet-34 among its teachers was also trained on FER+ votes "
    "(Barsoum et al., 2016) of these faces. No face of PublicTest or PrivateTest, and no exact duplicate of one, was "
    "trained on."
)
LICENSE = "Apache-2.0 for our part of the weights; FER2013 itself is for research use"


def report_bundled(folder, faces, split, backend="onnx"):
    "Report a split through ONNX Runtime, with and without the mirror image"
    predictor, part = Predictor(folder, backend, threads=2), faces.split(split)
    single = predictor.predict_proba(part.pixels)
    mirrored = predictor.predict_proba(np.ascontiguousarray(part.pixels[:, :, ::-1]))
    return report_from_pred_probs({"single": single, "flip": (single + mirrored) / 2}, faces, split, title=folder.name)


def fact_rows(found, split):
    "Return the metrics of a report as model.json has them"
    facts = {"split": split, "protocol": PROTOCOL}
    return [facts | {"tta": tta} | metrics.to_dict() for (_, tta), metrics in found.metrics.items()]


def embed(name, run, faces):
    "Write one model folder and return its figures and report; without a run, start from the bundled folder"
    new, to = WEIGHTS / f".{name}", WEIGHTS / name
    shutil.rmtree(new, ignore_errors=True)
    if run is None:
        shutil.copytree(to, new)
    else:
        facts = {"data": DATA, "license": LICENSE, "note": NOTES[name]}
        save_model_folder(load_run(run, faces), new, name, calibrate=faces.split("valid"), half=True, **facts)
    test, valid = (report_bundled(new, faces, split) for split in ("test", "valid"))
    write_model_json(
        new, load_model_folder(new).metadata | {"metrics": fact_rows(test, "test") + fact_rows(valid, "valid")}
    )
    training = faces.split("train")
    add_int8(new, training.subset(training.ids[:CALIBRATE]), faces.split("valid"))
    int8 = report_bundled(new, faces, "test", "int8")
    shutil.rmtree(to, ignore_errors=True)
    new.rename(to)
    facts = load_model_folder(to).metadata
    row = {"accuracy": test.headline.accuracy, "accuracy_int8": int8.headline.accuracy}
    row |= {"parameters": facts["parameters"], "bytes": sum(path.stat().st_size for path in to.iterdir())}
    row |= {"temperature": facts["temperature"]}
    print(name, row, flush=True)
    return row, test


def main():
    parser = Parser(__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BUNDLED)}; default: those whose run exists")
    parser.add_argument(
        "--bundled", action="store_true", help="keep the bundled weights; new int8 networks and figures"
    )
    options = parser.parse_args()
    ready = [name for name, run in BUNDLED.items() if options.bundled or (RUNS / run / "run.json").exists()]
    names = options.names or ready
    if "compact" not in names:
        parser.error("compact, the default model, is required: run benchmarks/accuracy/nets.py compact first")
    faces = load_fer2013().drop_leaked()
    found = {name: embed(name, None if options.bundled else RUNS / BUNDLED[name], faces) for name in names}
    row, test = found["compact"]
    models = {name: each | {"private": metric_rows(report)} for name, (each, report) in found.items()}
    claims = [
        accuracy_claim(
            "embedded_private_accuracy",
            test.headline,
            "Accuracy, bundled model compact in ONNX Runtime, FER2013",
            split=PRIVATE,
            selected_on="PublicTest: epoch, temperature",
            tta="single",
            seeds=[42],
            reference=FER_PACKAGE[0],
            reference_source=FER_PACKAGE[1],
            note="16-bit weights. Its teacher learned labels and FER+ votes. One seed.",
        ),
        claim(
            "embedded_parameters",
            row["parameters"],
            "Parameters of the bundled model compact",
            "parameters",
            "lower",
            "accuracy",
            reference=932_000,
            reference_source="TinyFER-Lite, as published",
        ),
    ]
    tables = metric_tables({(name, "private"): report for name, (_, report) in found.items()})
    write_result("embedded", claims, models=models, tables=tables)


if __name__ == "__main__":
    main()
