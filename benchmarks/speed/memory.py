"""Peak memory of predict_video on an hour of film, against a minute; each in its own process, every frame counted.

    .venv/bin/python benchmarks/speed/memory.py [--model compact] [--minutes 60]

The film of predict.py, repeated in one file.

Needs: nothing
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

from fer_fastai.deploy.predictor import pretrained_model

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Parser, claim, write_result
from predict import film

FPS = 25
MEASURE = """
import resource, sys
from fer_fastai.deploy.predictor import Predictor
from fer_fastai.deploy.video import predict_video
model, path = sys.argv[1:]
result = predict_video(Predictor(model, threads=1), path, table=f"{path}.csv")
print(result.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""  # in a process that imports nothing else


def measure_peak(model, path):
    "Return the frames and the peak memory in MiB of a process that predicts a film"
    command = [sys.executable, "-W", "ignore", "-c", MEASURE, model, path]
    frames, mib = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(frames), float(mib)


def repeat_film(minute, path, times):
    "Write a film several times into one file"
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
    parser = Parser(__doc__)
    parser.add_argument("--model", default="compact", help="bundled model, or a model folder")
    parser.add_argument("--minutes", type=int, default=60)
    options = parser.parse_args()
    model = Path(options.model) if Path(options.model).is_dir() else pretrained_model(options.model)
    with tempfile.TemporaryDirectory() as place:
        minute, hour = film(Path(place, "minute.mp4"), 60 * FPS), Path(place, "hour.mp4")
        repeat_film(minute, hour, options.minutes)
        found = {length: measure_peak(model, str(path)) for length, path in (("minute", minute), ("hour", hour))}
    for length, times in (("minute", 1), ("hour", options.minutes)):
        if found[length][0] != times * 60 * FPS:
            raise SystemExit(f"{found[length][0]:,} frames; expected {times * 60 * FPS:,}")
    frames = {length: count for length, (count, _) in found.items()}
    claims = [
        claim(
            "video_60_min_vs_1_min_memory_ratio",
            found["hour"][1] / found["minute"][1],
            f"Peak memory of predict_video on a film of {options.minutes} minutes",
            "ratio",
            "lower",
            "scale",
            reference=1.0,
            reference_source="a film of one minute",
            note=f"{frames['hour']:,} and {frames['minute']:,} frames, all counted.",
        )
    ]
    mib = {length: peak for length, (_, peak) in found.items()}
    write_result("memory", claims, mib=mib, frames=frames, model=model.name)


if __name__ == "__main__":
    main()
