"""What every benchmark shares: where results go, and what stands beside each number."""

import json
import time
from pathlib import Path

from fer_fastai.clean.issues import second_opinion
from fer_fastai.clean.scores import average, score
from fer_fastai.core import commit, hardware, versions, write_json
from fer_fastai.train.recipes import load_run

RESULTS = Path(__file__).resolve().parent / "results"
RUNS = Path(__file__).resolve().parent.parent / "runs"
START = time.perf_counter()


def claim(name: str, value: float, protocol: str) -> dict:
    "One figure that README or a paper's notebook quotes"
    return {"id": name, "value": round(float(value), 6), "protocol": protocol}


def write_result(name: str, claims: list, recipe=None, seeds=(), wall_s: float | None = None, **measured) -> Path:
    "benchmarks/results/<name>.json"
    path = RESULTS / f"{name}.json"
    write_json(path, {
        "claims": claims, "recipe": recipe, "seeds": list(seeds), "commit": commit(), "hardware": hardware(),
        "wall_s": round(time.perf_counter() - START if wall_s is None else wall_s, 1), "versions": versions(), **measured,
    })
    print(json.dumps({c["id"]: c["value"] for c in claims}, indent=2), f"\nwritten to {path}")
    return path


def told(faces, teachers: list[Path], share: float):
    "Soft labels: each training face's label, and for `share` of it what trained networks answer to the face, averaged"
    return second_opinion(faces, average([score(load_run(teacher, faces), faces.split("train"), views="flip", features=False) for teacher in teachers]), share)
