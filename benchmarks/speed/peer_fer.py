"""The `fer` package (TensorFlow) as a peer, in its own process and environment; predict.py starts it.

Reads one JSON request per line and answers with one JSON line. Run by .peers/bin/python, which predict.py sets up.

Needs: nothing. predict.py starts it
"""

import json
import os
import statistics
import sys
import time
from importlib.metadata import version

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
if __name__ == "__main__":
    ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # TensorFlow's own lines go to stderr

PACKAGES = ("fer", "tensorflow-cpu", "opencv-contrib-python")


def classify(detectors, kind, batch, seconds):
    "Return the median milliseconds of a batch, as a compiled graph or as the package calls its network"
    import numpy as np
    import tensorflow as tf

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


def annotate(cv2, frame, face):
    "Draw one face; return its box and probabilities"
    left, top, width, height = (int(value) for value in face["box"])
    name = max(face["emotions"], key=face["emotions"].get)
    cv2.rectangle(frame, (left, top), (left + width, top + height), (200, 120, 40), 1)
    cv2.putText(frame, name, (left, top - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (200, 120, 40), 1)
    return [left, top, width, height, *face["emotions"].values()]


def video(detectors, kind, path, to):
    "Decode, detect, classify, annotate; write video and table"
    import cv2

    detector = detectors[kind]
    capture, rows, start = cv2.VideoCapture(path), [], time.perf_counter()
    size = int(capture.get(3)), int(capture.get(4))
    writer = cv2.VideoWriter(to, cv2.VideoWriter_fourcc(*"mp4v"), capture.get(5), size)
    frames = 0
    while True:
        ok, frame = capture.read()
        if not ok:
            break
        rows += [[frames, *annotate(cv2, frame, face)] for face in detector.detect_emotions(frame)]
        writer.write(frame)
        frames += 1
    writer.release()
    with open(to + ".csv", "w") as file:
        file.writelines(",".join(map(str, row)) + "\n" for row in rows)
    return {"frames": frames, "faces": len(rows), "seconds": time.perf_counter() - start}


def versions(detectors):
    "Return the versions of the peer"
    return {name: version(name) for name in PACKAGES}


def main():
    import tensorflow as tf
    from fer.fer import FER

    tf.config.threading.set_intra_op_parallelism_threads(2)
    detectors = {"tensorflow": FER(use_tflite=False), "eager": FER(use_tflite=False), "tflite": FER()}
    requests = {"classify": classify, "video": video, "versions": versions}
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(requests[request.pop("do")](detectors, **request)), file=ANSWERS, flush=True)


if __name__ == "__main__":
    if "--help" in sys.argv:
        print(__doc__, file=ANSWERS)
    else:
        main()
