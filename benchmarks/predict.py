"""Classification alone and a whole video, beside the `fer` package in TensorFlow, in turns in one run on 2 cores.

    python benchmarks/predict.py [--model compact] [--fast mini] [--frames 600]

The peer lives in an environment of its own (.peers, made here once). The film: scikit-image's astronaut (NASA, public domain), 640x480,
moved and turned from frame to frame. Writes predict.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from common import claim, write_result
from fer_fastai.data.synthetic import synthetic_faces
from fer_fastai.deploy.predictor import Predictor
from fer_fastai.deploy.video import predict_video
from skimage import data

NETWORKS = ("tensorflow", "eager", "tflite")  # of the fer package: its network as a compiled graph, as the package calls it, and the quantized one that it takes by default today
PACKAGES = ("eager", "tflite")  # the whole package, as it can be used
ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".peers"


class Peer:
    "The fer package, in its own process"

    def __init__(self):
        python = PEERS / "bin/python"
        if not python.exists():
            uv = ROOT / ".venv/bin/uv"
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, PEERS], check=True)
            subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "fer==25.10.3", "tensorflow-cpu", "opencv-contrib-python<5", "setuptools<80"], check=True)
        self.process = subprocess.Popen([python, ROOT / "benchmarks/peer_fer.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)

    def ask(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def film(path, frames, fps=25):
    "A face that moves: 640 x 480"
    photo, writer = data.astronaut(), cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (640, 480))
    for number in range(frames):
        turn = cv2.getRotationMatrix2D((224, 120), 8 * np.sin(number / 30), 1.2 + 0.2 * np.sin(number / 47))
        turn[:, 2] += 90 + 60 * np.sin(number / 41), 60 + 20 * np.cos(number / 29)
        writer.write(cv2.cvtColor(cv2.warpAffine(photo, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def milliseconds(predictor, batch, seconds):
    "Median of a batch of 48-pixel faces, bytes to probabilities"
    faces, found = np.resize(synthetic_faces(64, seed=0).pixels, (batch, 48, 48)), []
    predictor.probabilities(faces)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        predictor.probabilities(faces)
        found.append(1000 * (time.perf_counter() - start))
    return float(np.median(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["compact", "swift"], help="embedded models, or model folders; the default and the fast one")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn")
    options = parser.parse_args()
    fast = f"{options.models[-1]}, 8 bits"
    ours, peer = {name: Predictor(name, threads=2) for name in options.models} | {fast: Predictor(options.models[-1], "int8", threads=2)}, Peer()
    times = {batch: {name: [] for name in (*NETWORKS, *ours)} for batch in (1, 64)}
    with tempfile.TemporaryDirectory() as place:
        source, films = film(Path(place, "film.mp4"), options.frames), {name: [] for name in (*PACKAGES, *options.models)}
        for turn in range(options.turns):
            for batch in times:
                for kind in NETWORKS:
                    times[batch][kind].append(peer.ask("classify", kind=kind, batch=batch, seconds=options.seconds)["ms"])
                for name, predictor in ours.items():
                    times[batch][name].append(milliseconds(predictor, batch, options.seconds))
        for turn in range(3):
            for kind in PACKAGES:
                seen = peer.ask("video", kind=kind, path=str(source), to=str(Path(place, f"{kind}{turn}.mp4")))
                films[kind].append({"frames": seen["frames"], "faces": seen["faces"], "fps": seen["frames"] / seen["seconds"]})
            for name in options.models:
                result = predict_video(Predictor(name, threads=1), source, Path(place, f"{name}{turn}.mp4"), Path(place, f"{name}{turn}.csv"))
                films[name].append({"frames": result.frames, "faces": result.faces, "fps": result.fps, "missing": result.missing, "spent": result.spent})
    peer.close()
    ms = {batch: {name: float(np.median(values)) for name, values in found.items()} for batch, found in times.items()}
    fps = {name: float(np.median([f["fps"] for f in found])) for name, found in films.items()}
    facts = {name: ours[name].model.facts for name in options.models}
    how = f"median of {options.turns} turns beside the fer package's mini-Xception as a compiled TensorFlow graph, its fastest way there, ours on 2 threads, TensorFlow told to take 2 (as the package calls it, and its TFLite way, stand in the file too)"
    write_result("predict", [
        claim("predict_batch1_vs_fer_ratio", ms[1]["tensorflow"] / ms[1][fast], f"one face, bytes to probabilities, {fast} (its accuracy: embedded.json); {how}"),
        claim("predict_batch64_vs_fer_ratio", ms[64]["tensorflow"] / ms[64][fast], f"64 faces, bytes to probabilities, {fast} (its accuracy: embedded.json); {how}"),
        claim("pipeline_frames_per_s", fps[options.models[0]], f"640x480 film of {options.frames} frames with one face: decode, detect, classify, annotate, write video and table; {options.models[0]}, median of 3 turns"),
        claim("pipeline_vs_fer_ratio", fps[options.models[0]] / fps["tflite"], "the same film, the fer package as it comes (Haar cascade, TFLite), the same file written, in turns"),
    ], recipe={"models": options.models}, milliseconds=times, median_ms=ms, films=films,
       models={name: {"arch": f["network"]["arch"], "parameters": f["parameters"]} for name, f in facts.items()})  # fmt: skip


if __name__ == "__main__":
    main()
