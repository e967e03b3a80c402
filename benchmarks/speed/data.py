#!/usr/bin/env python3
"""Time and memory to read FER2013: its 287 MB CSV parsed, and the parsed form read back from the cache.

    .venv/bin/python benchmarks/speed/data.py

Each measurement runs in its own process, so that its peak memory is its own. Time counts from the call to the FaceSet,
without imports. The CSV was just written, so it comes from the disk cache.

Needs: FER2013
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fer_fastai.data.datasets import find_fer2013
from fer_fastai.data.fer2013 import read_fer2013_csv, read_fer2013_parquet
from fer_fastai.data.readers import load_fer2013

REPEATS = 5


def peak_memory():
    "Return the peak memory of this process in MB; on Linux from /proc"
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would include the parent process
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 2**10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def measure(kind, path, cache):
    "Print seconds of one reading, and memory before it and at its peak, MB"
    readers = {
        "csv": lambda: read_fer2013_csv(path, cache=False),
        "csv_into_cache": lambda: read_fer2013_csv(path, cache=cache),
        "cached": lambda: read_fer2013_csv(path, cache=cache),
        "parquet": lambda: read_fer2013_parquet(path, cache=False),
    }
    before = peak_memory()
    start = time.perf_counter()
    faces = readers[kind]()
    seconds = time.perf_counter() - start
    found = {"seconds": seconds, "before_mb": before, "peak_mb": peak_memory(), "faces": len(faces)}
    print(json.dumps(found))


def median_of(kind, path, cache, repeats=REPEATS):
    "Return medians of several new processes"
    command = [sys.executable, __file__, "--measure", kind, str(path), str(cache)]
    runs = []
    for _ in range(repeats):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    slowest = max(run["seconds"] for run in runs)
    medians = {key: round(statistics.median(run[key] for run in runs), 3) for key in runs[0]}
    return medians | {"slowest_s": round(slowest, 3)}


def main():
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from common import Parser, claim, write_result  # here: a measured process imports only what it measures

    Parser(__doc__).parse_args()
    source = find_fer2013()
    faces = load_fer2013(cache=False)
    with tempfile.TemporaryDirectory() as folder:
        path, cache = faces.to_csv(Path(folder, "fer2013.csv")), Path(folder, "cache")
        metrics = {
            "csv_mb": round(path.stat().st_size / 2**20, 1),
            "csv": median_of("csv", path, cache),
            "csv_into_cache": median_of("csv_into_cache", path, cache, 1),
            "cached": median_of("cached", path, cache),
        }
        if source.suffix == ".parquet":
            metrics["parquet"] = median_of("parquet", source, cache, 3)
        back = read_fer2013_csv(path, cache=cache)
        if not ((back.pixels == faces.pixels).all() and (back.table.label == faces.table.label).all()):
            raise SystemExit("the cached faces differ from those that were written")
    csv, how = metrics["csv"], f"Median of {REPEATS} new processes, without imports, file in the disk cache."
    claims = [
        claim(
            "csv_read_s",
            csv["seconds"],
            f"Time to read FER2013's CSV ({metrics['csv_mb']:.0f} MB, {len(faces):,} faces)",
            "s",
            "lower",
            "speed",
            note=f"{how} Peak {csv['peak_mb']:.0f} MB.",
        ),
        claim(
            "cached_read_s",
            metrics["cached"]["seconds"],
            "Time to read FER2013 from the cache",
            "s",
            "lower",
            "speed",
            note=f"Source and cache are checked. {how}",
        ),
    ]
    write_result("data", claims, metrics=metrics)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main()
