"""Faces per core-second of predict_bulk on Ray, against the plain Predictor.

    .venv/bin/python benchmarks/speed/bulk.py [--faces 60000] [--turns 3] [--model compact]

Drawn 48x48 faces as PNG bytes in one Parquet file, already cropped. Each turn classifies --faces / --turns of them in
all ways and compares the predictions.

  plain  seconds of one process with an open model while the other core is idle: Parquet read, PNG decoded, classified;
         nothing is written.
  bulk   core-seconds of all actors, each from the start of its first part to the end of its last: reading, decoding,
         classifying, writing, and waiting for the next part beside Ray's own processes. Recorded separately: the start
         of Ray and its actors, the listing, the final check of all predictions, and the wall time of the call.
  beside seconds of plain processes side by side, as many as actors, each on the same faces.

Needs: ray, `pip install 'fer_fastai[cluster]'`
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from fer_fastai.data.images import read_photo
from fer_fastai.data.synthetic import synthetic_faces
from fer_fastai.deploy.bulk.run import predict_bulk
from fer_fastai.deploy.predictor import Predictor, pretrained_model

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Parser, claim, write_result

SERVE = "import sys; sys.path.insert(0, sys.argv[1]); from bulk import serve; serve(*sys.argv[2:])"


def write_faces(path, faces, different=2000):
    "Write ids and PNG bytes of drawn faces, repeated"
    drawn = [cv2.imencode(".png", face)[1].tobytes() for face in synthetic_faces(min(faces, different), seed=0).pixels]
    ids = [f"{n:07d}" for n in range(faces)]
    pq.write_table(pa.table({"face_id": ids, "image": [drawn[n % len(drawn)] for n in range(faces)]}), path)
    return path


def predict_plain(predictor, path):
    "Return the probabilities of the plain predictor, and the seconds that it took"
    start, found = time.perf_counter(), []
    for batch in pq.ParquetFile(path).iter_batches(predictor.batch_size, columns=["image"], use_threads=False):
        pixels = [read_photo(image).pixels for image in batch["image"].to_pylist()]
        found.append(predictor.predict_proba(np.stack(pixels)))
    return np.concatenate(found), time.perf_counter() - start


def open_predictor(model):
    "Return a warm predictor with one thread"
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    predictor = Predictor(model, threads=1)
    predictor.predict_proba(synthetic_faces(128, seed=1).pixels)
    return predictor


class Beside:
    "Plain processes side by side, each with one thread; they wait for a request"

    def __init__(self, model, path, processes):
        command = [sys.executable, "-W", "ignore", "-c", SERVE, Path(__file__).parent, model, path]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.all = [subprocess.Popen(command, text=True, **pipes) for _ in range(processes)]
        if any(process.stdout.readline() != "ready\n" for process in self.all):
            raise SystemExit("a plain process did not start")

    def ask(self):
        "Return the seconds of each for the whole file"
        for process in self.all:
            process.stdin.write("go\n")
            process.stdin.flush()
        return [float(process.stdout.readline()) for process in self.all]

    def close(self):
        for process in self.all:
            process.stdin.close()
            process.wait()


def serve(model, path):
    "Classify the file once per line of standard input"
    predictor = open_predictor(model)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(predict_plain(predictor, path)[1], flush=True)


def measure_turn(predictor, source, to, beside, bulk_first, options):
    "Return the seconds of all ways on the same faces; raise SystemExit where predictions differ"

    def bulk():
        return predict_bulk(predictor, source, to, "cropped", actors=options.actors, gpu=False, shard_size=options.part)

    ways = {"plain": lambda: predict_plain(predictor, source), "bulk": bulk, "beside": beside.ask}
    found = {name: ways[name]() for name in sorted(ways, reverse=not bulk_first)}
    (wanted, seconds), result, others = found["plain"], found["bulk"], float(np.mean(found["beside"]))
    table = result.table()
    ids = pq.read_table(source, columns=["face_id"])["face_id"].to_pylist()
    if table.face_id.tolist() != ids or not np.allclose(table[predictor.columns], wanted, atol=1e-4):
        raise SystemExit("predict_bulk and the plain predictor gave different predictions")
    spent = {f"bulk_{name}_s": value for name, value in result.timings.items()}
    cores = result.timings["cores"]
    ratios = {"ratio": seconds / cores, "beside_ratio": others / cores}
    ratios |= {"whole_call_ratio": seconds / (result.seconds * options.actors)}
    return {"faces": result.images, "plain_s": seconds, "beside_s": others, "bulk_s": result.seconds, **spent, **ratios}


def main():
    parser = Parser(__doc__)
    parser.add_argument("--model", default="compact", help="bundled model, or a model folder")
    parser.add_argument("--faces", type=int, default=60000, help="in all turns together")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--part", type=int, default=1024, help="faces per output file")
    options = parser.parse_args()
    if options.faces < options.turns * options.actors or options.turns < 1:
        parser.error("expected at least one face for each actor and turn")
    model = Path(options.model) if Path(options.model).is_dir() else pretrained_model(options.model)
    predictor, each, turns = open_predictor(model), options.faces // options.turns, []
    with tempfile.TemporaryDirectory() as place:
        source = write_faces(Path(place, "faces.parquet"), each)
        beside = Beside(model, source, options.actors)
        for number in range(options.turns):
            to = Path(place, f"answers{number}")
            turns.append(measure_turn(predictor, source, to, beside, number % 2 == 1, options))
            print({name: round(value, 3) for name, value in turns[-1].items()}, flush=True)
        beside.close()
    median = {name: float(np.median([found[name] for found in turns])) for name in turns[0]}
    metric = "Faces per core-second, predict_bulk on Ray against {}"
    start = f"start of Ray ({median['bulk_start_s']:.0f} s) not included"
    note = f"{options.model}, {options.actors} actors, median of {options.turns} turns of {each:,} faces; {start}."
    claims = [
        claim(
            "bulk_vs_predictor_per_core_ratio",
            median["ratio"],
            metric.format("one Predictor"),
            "ratio",
            "higher",
            "scale",
            reference=1.0,
            reference_source="one plain Predictor with one thread, other cores idle",
            note=note,
        ),
        claim(
            "bulk_vs_predictors_beside_per_core_ratio",
            median["beside_ratio"],
            metric.format("Predictors side by side"),
            "ratio",
            "higher",
            "scale",
            reference=1.0,
            reference_source=f"{options.actors} plain Predictors side by side, one thread each",
            note=note,
        ),
    ]
    recipe = {"model": options.model, "actors": options.actors, "part": options.part}
    write_result("bulk", claims, recipe=recipe, turns=turns, median=median)


if __name__ == "__main__":
    main()
