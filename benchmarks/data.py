#!/usr/bin/env python3
"""How long reading FER2013 takes: its 287 MB CSV parsed, and the parsed form read back from the cache.

    python benchmarks/data.py        # writes benchmarks/results/data.json; a minute or two

Needs FER2013 in the data folder (FER_DATA). Each measurement runs in a process of its own, so that its peak memory is
its own; the time counts from the call to the FaceSet, the imports before it do not count. The CSV was just written, so
it comes from the disk cache.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import claim, write_result

from fer_fastai.data.fer2013 import read_fer2013_csv, read_fer2013_parquet
from fer_fastai.data.sources import load_fer2013, find_fer2013

REPEATS = 5


def peak_memory():
    "Most memory that this process held, MB (Linux; elsewhere what getrusage says)"
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would count the process that started this one
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 2**10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def measure(kind, path, cache):
    "One reading: seconds, and this process's memory before it and at its peak, MB"
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
    print(json.dumps({"seconds": seconds, "before_mb": before, "peak_mb": peak_memory(), "faces": len(faces)}))


def measured(kind, path, cache, repeats=REPEATS):
    "Medians of several fresh processes"
    command = [sys.executable, __file__, "--measure", kind, str(path), str(cache)]
    runs = [json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(repeats)]
    slowest = max(run["seconds"] for run in runs)
    return {key: round(statistics.median(run[key] for run in runs), 3) for key in runs[0]} | {"slowest_s": round(slowest, 3)}


def main():
    source = find_fer2013()
    faces = load_fer2013(cache=False)
    with tempfile.TemporaryDirectory() as folder:
        path, cache = faces.to_csv(Path(folder, "fer2013.csv")), Path(folder, "cache")
        metrics = {
            "csv_mb": round(path.stat().st_size / 2**20, 1),
            "csv": measured("csv", path, cache),
            "csv_into_cache": measured("csv_into_cache", path, cache, 1),
            "cached": measured("cached", path, cache),
        }
        if source.suffix == ".parquet":
            metrics["parquet"] = measured("parquet", source, cache, 3)
        back = read_fer2013_csv(path, cache=cache)
        if not ((back.pixels == faces.pixels).all() and (back.table.label == faces.table.label).all()):
            raise SystemExit("what was read back is not what was written")
    own = f"median of {REPEATS} fresh processes, from the call to the FaceSet, imports not counted, file in the disk cache"
    csv = metrics["csv"]
    write_result("data", [
        claim("csv_read_s", csv["seconds"],
              f"{len(faces):,} faces, {metrics['csv_mb']:.0f} MB of CSV, every row checked, not cached; {own}; "
              f"peak memory of the process {csv['peak_mb']:.0f} MB, {csv['before_mb']:.0f} MB of it by imports"),
        claim("cached_read_s", metrics["cached"]["seconds"],
              f"the same CSV through the cache, the check of the source and of what is kept included; {own}"),
    ], "fer_fastai.data.fer2013.read_fer2013_csv", metrics=metrics)  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main()
