"""The `fer` package (TensorFlow) as a peer, in a process and an environment of its own: benchmarks/predict.py talks to it.

Reads a JSON request a line, answers with a JSON line. Run by .peers/bin/python, which benchmarks/predict.py sets up.
"""

import json
import os
import statistics
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
SAY = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # TensorFlow's own lines go to stderr

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from fer.fer import FER  # noqa: E402


def classify(detectors, kind, batch, seconds):
    "Median milliseconds of a batch through its network: as a compiled graph, or as the package calls it"
    faces = np.random.default_rng(0).uniform(-1, 1, (batch, 64, 64)).astype(np.float32)
    network = detectors[kind]._classify_emotions
    if kind == "tensorflow":
        keras = detectors[kind]._FER__emotion_classifier
        network = tf.function(lambda x: keras(x[..., None], training=False))
    np.asarray(network(faces))
    found, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        np.asarray(network(faces))
        found.append(1000 * (time.perf_counter() - start))
    return {"ms": statistics.median(found)}


def video(detectors, kind, path, to):
    "Decode, detect, classify, annotate, write video and table"
    detector = detectors[kind]
    capture, rows, start = cv2.VideoCapture(path), [], time.perf_counter()
    size = int(capture.get(3)), int(capture.get(4))
    writer = cv2.VideoWriter(to, cv2.VideoWriter_fourcc(*"mp4v"), capture.get(5), size)
    frames = 0
    while True:
        ok, frame = capture.read()
        if not ok:
            break
        for face in detector.detect_emotions(frame):
            left, top, width, height = (int(v) for v in face["box"])
            name = max(face["emotions"], key=face["emotions"].get)
            cv2.rectangle(frame, (left, top), (left + width, top + height), (200, 120, 40), 1)
            cv2.putText(frame, name, (left, top - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (200, 120, 40), 1)
            rows.append([frames, left, top, width, height, *face["emotions"].values()])
        writer.write(frame)
        frames += 1
    writer.release()
    with open(to + ".csv", "w") as file:
        file.writelines(",".join(map(str, row)) + "\n" for row in rows)
    return {"frames": frames, "faces": len(rows), "seconds": time.perf_counter() - start}


def main():
    tf.config.threading.set_intra_op_parallelism_threads(2)
    detectors = {"tensorflow": FER(use_tflite=False), "eager": FER(use_tflite=False), "tflite": FER()}
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"classify": classify, "video": video}[request.pop("do")](detectors, **request)), file=SAY, flush=True)


if __name__ == "__main__":
    main()
