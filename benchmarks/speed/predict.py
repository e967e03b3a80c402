"""Latency of classification and throughput of a film, against the `fer` package, in turns in one run on 2 cores.

    .venv/bin/python benchmarks/speed/predict.py [--models compact swift] [--frames 600]

The peer has its own environment (.peers, set up once). Its reference is the fastest of three ways: its network as a
compiled TensorFlow graph, as the package calls it, and TFLite, its default. The film: scikit-image's astronaut (NASA,
public domain), 640x480, moved and rotated from frame to frame.

Needs: a network for the first installation of the peer
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from fer_fastai.data.synthetic import synthetic_faces
from fer_fastai.deploy.predictor import Predictor
from fer_fastai.deploy.video import predict_video
from fer_fastai.io import read_json

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import FER_PACKAGE, RESULTS, ROOT, Parser, claim, write_result

NETWORKS = {"tensorflow": "TensorFlow graph", "eager": "TensorFlow as it calls it", "tflite": "TFLite, its default"}
PACKAGES = ("eager", "tflite")  # the whole package, as it can be used
PEERS = ROOT / ".peers"
PEER_PACKAGES = ["fer==25.10.3", "tensorflow-cpu", "opencv-contrib-python<5", "setuptools<80"]
BATCHES, FILM_TURNS = (1, 64), 3


class Peer:
    "The fer package, in its own process"

    def __init__(self):
        python = PEERS / "bin/python"
        if not python.exists():
            uv = ROOT / ".venv/bin/uv"
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, PEERS], check=True)
            subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *PEER_PACKAGES], check=True)
        command = [python, Path(__file__).with_name("peer_fer.py")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, text=True, bufsize=1, **pipes)

    def ask(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def film(path, frames, fps=25):
    "Write a film of one moving face, 640 x 480"
    photo, writer = data.astronaut(), cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (640, 480))
    for number in range(frames):
        turn = cv2.getRotationMatrix2D((224, 120), 8 * np.sin(number / 30), 1.2 + 0.2 * np.sin(number / 47))
        turn[:, 2] += 90 + 60 * np.sin(number / 41), 60 + 20 * np.cos(number / 29)
        moved = cv2.warpAffine(photo, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)
        writer.write(cv2.cvtColor(moved, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def milliseconds(predictor, batch, seconds):
    "Return the median time of a batch of 48-pixel faces, bytes to probabilities"
    faces, found = np.resize(synthetic_faces(64, seed=0).pixels, (batch, 48, 48)), []
    predictor.predict_proba(faces)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        predictor.predict_proba(faces)
        found.append(1000 * (time.perf_counter() - start))
    return float(np.median(found))


def time_batches(peer, predictors, options):
    "Return batch -> system -> milliseconds of each turn"
    times = {batch: {name: [] for name in (*NETWORKS, *predictors)} for batch in BATCHES}
    for _ in range(options.turns):
        for batch, found in times.items():
            for kind in NETWORKS:
                answer = peer.ask("classify", kind=kind, batch=batch, seconds=options.seconds)
                found[kind].append(answer["ms"])
            for name, predictor in predictors.items():
                found[name].append(milliseconds(predictor, batch, options.seconds))
    return times


def time_films(peer, options):
    "Return system -> counts and frames per second of each turn"
    films = {name: [] for name in (*PACKAGES, *options.models)}
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        source = film(place / "film.mp4", options.frames)
        for turn in range(FILM_TURNS):
            for kind in PACKAGES:
                seen = peer.ask("video", kind=kind, path=str(source), to=str(place / f"{kind}{turn}.mp4"))
                fps = seen["frames"] / seen["seconds"]
                films[kind].append({"frames": seen["frames"], "faces": seen["faces"], "fps": fps})
            for name in options.models:
                predictor, to = Predictor(name, threads=1), place / f"{name}{turn}"
                result = predict_video(predictor, source, to.with_suffix(".mp4"), to.with_suffix(".csv"))
                counts = {"frames": result.frames, "faces": result.faces, "fps": result.fps}
                films[name].append(counts | {"missing": result.missing, "spent": result.timings})
    return films


def latency_claims(ms, systems, peer, turns):
    "Return latency per batch size of each system against the peer's fastest way, with both accuracies"
    claims, note = [], "PrivateTest {:.1f} %, fer package {:.1f} %. Median of {}, 2 threads."
    version = f"fer {peer['fer']}, tensorflow-cpu {peer['tensorflow-cpu']}"
    for system, (id, accuracy) in systems.items():
        for batch in BATCHES:
            fastest = min(NETWORKS, key=lambda kind, found=ms[batch]: found[kind])
            faces = "one face" if batch == 1 else f"{batch} faces"
            claims.append(
                claim(
                    f"predict_{id}_batch{batch}_ms",
                    ms[batch][system],
                    f"Time to classify {faces}, {system}",
                    "ms",
                    "lower",
                    "speed",
                    reference=ms[batch][fastest],
                    reference_source=f"fer package, {NETWORKS[fastest]} ({version})",
                    note=note.format(100 * accuracy, 100 * FER_PACKAGE[0], turns),
                )
            )
    return claims


def film_claims(fps, model, frames):
    "Return throughput on a film, alone and against the package as installed"
    metric, note = f"film with one face, {model}", f"{frames} frames of 640x480; median of {FILM_TURNS} turns."
    return [
        claim(
            "pipeline_frames_per_s",
            fps[model],
            f"Frames per second, {metric}",
            "frames/s",
            "higher",
            "speed",
            reference=fps["tflite"],
            reference_source="fer package as installed (Haar cascade, TFLite)",
            note=f"Decode, detect, classify, annotate, write. {note}",
        ),
        claim(
            "pipeline_vs_fer_ratio",
            fps[model] / fps["tflite"],
            f"Ratio of frames per second, {metric}",
            "ratio",
            "higher",
            "speed",
            reference=1.0,
            reference_source="fer package as installed (Haar cascade, TFLite)",
            note=f"The same outputs, in turns. {note}",
        ),
    ]


def main():
    parser = Parser(__doc__)
    parser.add_argument("--models", nargs=2, default=["compact", "swift"], help="bundled: the default and the fast one")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn")
    options = parser.parse_args()
    default, fast = options.models
    int8 = f"{fast}, int8"
    predictors = {name: Predictor(name, threads=2) for name in options.models}
    predictors[int8] = Predictor(fast, "int8", threads=2)
    embedded = read_json(RESULTS / "embedded.json", ("models",))["models"]
    peer = Peer()
    times, films, peer_versions = (
        time_batches(peer, predictors, options),
        time_films(peer, options),
        peer.ask("versions"),
    )
    peer.close()
    ms = {batch: {name: float(np.median(each)) for name, each in found.items()} for batch, found in times.items()}
    fps = {name: float(np.median([turn["fps"] for turn in found])) for name, found in films.items()}
    systems = {
        int8: (f"{fast}_int8", embedded[fast]["accuracy_int8"]),
        default: (default, embedded[default]["accuracy"]),
    }
    claims = latency_claims(ms, systems, peer_versions, options.turns) + film_claims(fps, default, options.frames)
    models = {}
    for name in options.models:
        facts = predictors[name].model.metadata
        models[name] = {"arch": facts["network"]["arch"], "parameters": facts["parameters"]}
    found = {"peer": peer_versions, "milliseconds": times, "median_ms": ms, "films": films, "models": models}
    write_result("predict", claims, recipe={"models": options.models}, **found)


if __name__ == "__main__":
    main()
