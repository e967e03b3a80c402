"""Memory that a film of an hour takes, against one of a minute: each in a process of its own, every frame counted.

    python benchmarks/memory.py [--model compact] [--minutes 60]

The film of benchmarks/predict.py, again and again in one file. About twenty minutes. Writes memory.json.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
from common import claim, write_result
from fer_fastai.deploy.predictor import pretrained_model
from predict import film

FPS = 25


def peak(model, path):
    "MiB that a process needed for a film"
    code = "import sys, resource; from fer_fastai.deploy.predictor import Predictor; from fer_fastai.deploy.video import predict_video; r = predict_video(Predictor(sys.argv[1], threads=1), sys.argv[2], table=sys.argv[2] + '.csv'); print(r.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    frames, mib = subprocess.run([sys.executable, "-W", "ignore", "-c", code, model, path], capture_output=True, text=True, check=True).stdout.split()
    return int(frames), float(mib)


def hour_of(minute, path, times):
    "The same minute again and again, in one file"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), FPS, (640, 480))
    for _ in range(times):
        capture = cv2.VideoCapture(str(minute))
        while True:
            ok, frame = capture.read()
            if not ok:
                break
            writer.write(frame)
    writer.release()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="compact", help="embedded model, or a model folder")
    parser.add_argument("--minutes", type=int, default=60)
    options = parser.parse_args()
    model = Path(options.model) if Path(options.model).is_dir() else pretrained_model(options.model)
    with tempfile.TemporaryDirectory() as place:
        minute, hour = film(Path(place, "minute.mp4"), 60 * FPS), Path(place, "hour.mp4")
        hour_of(minute, hour, options.minutes)
        found = {length: peak(model, str(path)) for length, path in (("minute", minute), ("hour", hour))}
    for length, times in (("minute", 1), ("hour", options.minutes)):
        if found[length][0] != times * 60 * FPS:
            raise SystemExit(f"{found[length][0]:,} frames of {times * 60 * FPS:,}")
    write_result("memory", [
        claim("video_60_min_vs_1_min_memory_ratio", found["hour"][1] / found["minute"][1], f"peak memory of a process that names the faces of a film of {options.minutes} minutes against one of a minute; {found['hour'][0]:,} and {found['minute'][0]:,} frames, all counted"),
    ], mib={length: mib for length, (_, mib) in found.items()}, frames={length: frames for length, (frames, _) in found.items()}, model=model.name)  # fmt: skip


if __name__ == "__main__":
    main()
