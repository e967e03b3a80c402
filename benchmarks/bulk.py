"""Faces a second and core: predict_bulk on Ray, two actors of one thread each, against the plain Predictor of one thread, in turns in one run.

    python benchmarks/bulk.py [--faces 60000] [--turns 3] [--model compact]

Drawn 48x48 faces, PNG bytes in one Parquet file, cut already; each turn does --faces / --turns of them both ways, and compares the answers.
What counts:
  plain  seconds of one process with the model open and the other core idle: Parquet read, PNG decoded, classified; nothing is written.
  bulk   core-seconds: each actor's from the begin of its first part to the end of its last, added up. In them are reading, decoding, classifying,
         writing, and waiting for the next part beside Ray's own processes. Apart, in the file: Ray's and the actors' start, the list, the check
         of all answers at the end, and the call as a whole, by the clock.
  beside seconds of plain processes side by side, as many as actors, each doing the same faces: what the cores give when all of them work.
About twelve minutes. Writes bulk.json.
"""

import argparse
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
from common import claim, write_result
from fer_fastai.data.images import read_photo
from fer_fastai.data.synthetic import synthetic_faces
from fer_fastai.deploy.bulk.run import predict_bulk
from fer_fastai.deploy.predictor import Predictor, pretrained_model


def write_faces(path, faces, different=2000):
    "Ids and PNG bytes, the same drawn faces again and again"
    drawn = [cv2.imencode(".png", face)[1].tobytes() for face in synthetic_faces(min(faces, different), seed=0).pixels]
    pq.write_table(pa.table({"face_id": [f"{n:07d}" for n in range(faces)], "image": [drawn[n % len(drawn)] for n in range(faces)]}), path)
    return path


def plain(predictor, path):
    "Answers of the plain predictor, and the seconds that they took"
    start, found = time.perf_counter(), []
    for batch in pq.ParquetFile(path).iter_batches(predictor.batch_size, columns=["image"], use_threads=False):
        found.append(predictor.probabilities(np.stack([read_photo(image).pixels for image in batch["image"].to_pylist()])))
    return np.concatenate(found), time.perf_counter() - start


def opened(model):
    "A predictor of one thread, warm"
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    predictor = Predictor(model, threads=1)
    predictor.probabilities(synthetic_faces(128, seed=1).pixels)
    return predictor


class Beside:
    "Plain processes side by side, each of one thread; they wait until they are asked"

    def __init__(self, model, path, processes):
        code = "import sys; sys.path.insert(0, sys.argv[1]); from bulk import serve; serve(*sys.argv[2:])"
        self.all = [subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, Path(__file__).parent, model, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(processes)]
        if any(process.stdout.readline() != "ready\n" for process in self.all):
            raise SystemExit("a plain process did not start")

    def ask(self):
        "Seconds of each, for the whole file"
        for process in self.all:
            process.stdin.write("go\n")
            process.stdin.flush()
        return [float(process.stdout.readline()) for process in self.all]

    def close(self):
        for process in self.all:
            process.stdin.close()
            process.wait()


def serve(model, path):
    "What each of them does"
    predictor = opened(model)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(plain(predictor, path)[1], flush=True)


def turn(predictor, source, to, beside, bulk_first, options):
    "Seconds of all ways over the same faces; the answers must agree"
    ways = {"plain": lambda: plain(predictor, source), "bulk": lambda: predict_bulk(predictor, source, to, "cut", actors=options.actors, gpu=False, part=options.part), "beside": beside.ask}
    found = {name: ways[name]() for name in sorted(ways, reverse=not bulk_first)}
    (wanted, seconds), result, others = found["plain"], found["bulk"], float(np.mean(found["beside"]))
    answers = result.table()
    if answers.face_id.tolist() != pq.read_table(source, columns=["face_id"])["face_id"].to_pylist() or not np.allclose(answers[predictor.columns], wanted, atol=1e-4):
        raise SystemExit("predict_bulk gave other answers than the plain predictor")
    spent = {f"bulk_{name}_s": value for name, value in result.spent.items()}
    return {"faces": result.images, "plain_s": seconds, "beside_s": others, "bulk_s": result.seconds, **spent, "ratio": seconds / result.spent["cores"],
            "beside_ratio": others / result.spent["cores"], "whole_call_ratio": seconds / (result.seconds * options.actors)}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="compact", help="embedded model, or a model folder")
    parser.add_argument("--faces", type=int, default=60000, help="in all turns together")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--part", type=int, default=1024, help="faces in a file of answers")
    options = parser.parse_args()
    if options.faces < options.turns * options.actors or options.turns < 1:
        parser.error("at least a face for each actor and turn")
    model = Path(options.model) if Path(options.model).is_dir() else pretrained_model(options.model)
    predictor, each, turns = opened(model), options.faces // options.turns, []
    with tempfile.TemporaryDirectory() as place:
        source = write_faces(Path(place, "faces.parquet"), each)
        beside = Beside(model, source, options.actors)
        for number in range(options.turns):
            turns.append(turn(predictor, source, Path(place, f"answers{number}"), beside, number % 2 == 1, options))
            print({name: round(value, 3) for name, value in turns[-1].items()}, flush=True)
        beside.close()
    median = {name: float(np.median([found[name] for found in turns])) for name in turns[0]}
    how = (f"drawn 48x48 faces as PNG bytes in Parquet, cut already, {options.model}: faces per core-second of predict_bulk with {options.actors} actors on a local Ray (each actor from the begin of its first part of {options.part} to the end of its last: "
           f"read, decode, classify, write, wait for work), Ray's and the actors' start stated apart ({median['bulk_start_s']:.0f} s), over faces per second of ")  # fmt: skip
    rest = f"(read, decode, classify); {options.turns} turns of {each:,} faces, alternating, median"
    write_result("bulk", [
        claim("bulk_vs_predictor_per_core_ratio", median["ratio"], f"{how}one plain Predictor with one thread, the other cores idle {rest}"),
        claim("bulk_vs_predictors_beside_per_core_ratio", median["beside_ratio"], f"{how}a plain Predictor with one thread while as many as there are actors work side by side {rest}"),
    ], recipe={"model": options.model, "actors": options.actors, "part": options.part}, turns=turns, median=median)  # fmt: skip


if __name__ == "__main__":
    main()
