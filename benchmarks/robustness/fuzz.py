#!/usr/bin/env python3
"""Crashes under coverage-guided fuzzing of the readers of files from other people.

    .venv/bin/python benchmarks/robustness/fuzz.py                         ten minutes
    .venv/bin/python benchmarks/robustness/fuzz.py --minutes 0.5 --print   trial: prints, writes nothing
    .venv/bin/python benchmarks/robustness/fuzz.py --again csv FILE        run one kept input, with its traceback

Three targets: the reader of FER2013's CSV, the loader of model folders, the opening and reading of edit logs. Each has
its own process and a third of the time. Only fer_fastai's modules are instrumented. A crash is any exception that
is not a FerError. One input per place in the code is kept under runs/fuzz/, and the fuzzer continues.

Needs: atheris, `pip install 'fer_fastai[fuzz]'` (Linux)
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "runs" / "fuzz"
READERS = "FER2013's CSV, model folders and edit logs"
GREY = b" ".join([b"128"] * 2304)


def csv_target(folder):
    "Read bytes as FER2013's CSV; `@` stands for the pixels of a face, which no mutation would produce"
    from fer_fastai.core import FerError
    from fer_fastai.data.fer2013 import read_fer2013_csv

    path = folder / "fer2013.csv"
    head = b"emotion,pixels,Usage\n"
    seeds = [
        head + b"3,@,Training\n4,@,PublicTest\n",
        head + b"9,@,Training\n",
        head + b"3,1 2,Training\n",
        b"emotion, Usage, pixels\r\n0,PrivateTest,@\r\n",
        b'"emotion","pixels","Usage"\n"3","@","Training"\n',
        b"\xef\xbb\xbf" + head + b"3,@\n3,@,Training,1\n",
    ]

    def read(data):
        path.write_bytes(data.replace(b"@", GREY))
        for on_error in ("raise", "skip"):
            with suppress(FerError):
                read_fer2013_csv(path, on_error, cache=False)

    return read, seeds


def model_target(folder):
    "Load a model folder with changed facts, weights or header; the first byte selects, checksums are updated"
    from fer_fastai.core import FerError
    from fer_fastai.data.emotions import FER2013_CLASSES
    from fer_fastai.data.loaders import face_dls
    from fer_fastai.data.synthetic import synthetic_faces
    from fer_fastai.deploy.export import save_model_folder
    from fer_fastai.deploy.model_folder import load_model_folder
    from fer_fastai.io import file_sha256
    from fer_fastai.models.backbones import face_learner

    learner = face_learner(face_dls(synthetic_faces(70), batch_size=16), "mini_xception", path=folder)
    model = save_model_folder(learner, folder / "model", onnx=False)
    facts, weights = json.loads((model / "model.json").read_text()), (model / "model.safetensors").read_bytes()
    patches = [
        {"vocab": list(FER2013_CLASSES)},
        {"network": facts["network"]},
        {"size": 48, "temperature": 1.0},
        {"normalization": {"mean": 0.5, "std": 0.2}},
        {"files": {"model.safetensors": {"sha256": "0"}}},
        {"metrics": [], "recipe": None, "int8": None},
        {"name": "x", "parameters": 1},
    ]
    seeds = [b"\0" + json.dumps(facts).encode(), *[b"\1" + json.dumps(patch).encode() for patch in patches]]
    seeds += [b"\2\0\0\0\1", b"\3\0\0\1", b"\3\0\x10\x22"]

    def with_checksums(now):
        if isinstance(now.get("files"), dict) and isinstance(now["files"].get("model.safetensors"), dict):
            names = ("model.safetensors", "MODEL_CARD.md")
            return now | {"files": now["files"] | {name: {"sha256": file_sha256(model / name)} for name in names}}
        return now

    def load(data):
        kind, rest, now = data[0] % 4 if data else 0, data[1:], facts
        (model / "model.safetensors").write_bytes(
            weights if kind < 2 else patched(weights, rest, 3 if kind == 2 else 2)
        )
        if kind == 1:
            patch = None
            with suppress(ValueError, RecursionError):
                patch = json.loads(rest)
            now = facts | patch if isinstance(patch, dict) else facts
        (model / "model.json").write_bytes(rest if kind == 0 else json.dumps(with_checksums(now)).encode())
        with suppress(FerError):
            repr(load_model_folder(model))

    return load, seeds


def log_target(folder):
    "Open an edit log with changed bytes and a truncated end"
    import pandas as pd

    from fer_fastai.clean.edit_log import EditLog
    from fer_fastai.core import FerError
    from fer_fastai.data.faceset import FaceSet

    faces, path = FaceSet(pd.DataFrame({"label": ["happy", "sad", "fear"]}, index=["a", "b", "c"])), folder / "edits.db"
    log = EditLog(path, faces, annotator="ann")
    log.add(["a", "b"], "relabel", "sad")
    log.by("bob").add("c", "discard")
    log.undo()
    whole = path.read_bytes()
    places = range(0, len(whole), 997)
    seeds = [b"\0\0", b"\x10\0", *[bytes([0, 0]) + place.to_bytes(2, "big") + b"\x00" for place in places]]

    def look(data):
        cut = int.from_bytes(data[:2], "big") % len(whole)
        path.write_bytes(patched(whole[: len(whole) - cut], data[2:], 2))
        with suppress(FerError):
            log = EditLog(path, annotator="ann")
            readers = (log.entries, log.current, log.consensus_table, log.conflicts, log.vote_counts)
            for read in (*readers, lambda log=log: faces.apply(log)):
                with suppress(FerError):
                    read()

    return look, seeds


TARGETS = {"csv": csv_target, "model": model_target, "log": log_target}


def patched(whole: bytes, changes: bytes, width: int) -> bytes:
    "Replace bytes: each change is a place of `width` bytes and a value"
    out = bytearray(whole)
    for start in range(0, len(changes) - width, width + 1):
        place = int.from_bytes(changes[start : start + width], "big")
        if out:
            out[place % len(out)] = changes[start + width]
    return bytes(out)


def place_of(error: BaseException) -> str:
    "Return the exception and the innermost function of fer_fastai in its traceback"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "fer_fastai" in f.filename]
    return f"{type(error).__name__} in {frames[-1].name}" if frames else type(error).__name__


def fuzz(name: str, seconds: float, folder: Path):
    "Run the fuzzer on one target in this process, and end the process"
    import atheris

    with atheris.instrument_imports(include=["fer_fastai"]):
        call, seeds = TARGETS[name](folder)
    corpus, state = folder / "corpus", {"runs": 0, "crashes": {}, "began": time.perf_counter(), "written": 0.0}
    corpus.mkdir()
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)

    def write():
        state["written"] = time.perf_counter() - state["began"]
        found = {"runs": state["runs"], "seconds": round(state["written"], 1), "crashes": state["crashes"]}
        (folder / "found.json").write_text(json.dumps(found))

    def one(data):
        try:
            call(data)
        except BaseException as error:
            if place_of(error) not in state["crashes"]:
                kept = KEPT / name / f"{hashlib.sha256(data).hexdigest()[:16]}.bin"
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(data)
                state["crashes"][place_of(error)] = f"{str(error)[:200]} ({kept.relative_to(KEPT.parent.parent)})"
        state["runs"] += 1
        passed = time.perf_counter() - state["began"]
        if passed - state["written"] > 1 or passed > seconds:
            write()
        if passed > seconds:
            os._exit(0)

    options = ["-max_len=8192", "-timeout=120", "-rss_limit_mb=0", "-verbosity=0", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], str(corpus), *options], one)
    atheris.Fuzz()


def in_a_process(name: str, seconds: float) -> dict:
    "Run the fuzzer on a target in its own process; return runs, seconds and crashes"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-W", "ignore", __file__, "--child", name, folder, str(seconds)]
        environment = os.environ | {"FER_CACHE": f"{folder}/cache", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        found = Path(folder, "found.json")
        if not found.exists():
            raise SystemExit(f"{name} did not start:\n{done.stderr[-3000:]}")
        found = json.loads(found.read_text())
        if done.returncode:  # a crash of the process, or an endless run
            found["crashes"]["process"] = done.stderr[-300:]
        return found


def again(name: str, path: str):
    "Run one kept input without instrumentation, for its traceback"
    with tempfile.TemporaryDirectory() as folder:
        TARGETS[name](Path(folder))[0](Path(path).read_bytes())
    print("no exception other than FerError")


def main():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from common import Parser, claim, write_result  # here: a fuzzed process imports only what it instruments

    parser = Parser(__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of all targets together")
    parser.add_argument("--print", action="store_true", help="print what was found and write nothing")
    parser.add_argument("--again", nargs=2, metavar=("TARGET", "FILE"), help="run one kept input")
    options = parser.parse_args()
    if options.again:
        return again(*options.again)
    targets = {name: in_a_process(name, 60 * options.minutes / len(TARGETS)) for name in TARGETS}
    runs, crashes = (
        sum(counts) for counts in zip(*((t["runs"], len(t["crashes"])) for t in targets.values()), strict=True)
    )
    seconds = sum(target["seconds"] for target in targets.values())
    note = f"atheris, coverage-guided, {seconds:,.0f} s in all; a crash is any exception other than FerError."
    claims = [
        claim("fuzz_runs", runs, f"Fuzzed inputs of {READERS}", "inputs", "higher", "robustness", note=note),
        claim(
            "fuzz_crashes", crashes, f"Crashes of the readers of {READERS}", "places", "lower", "robustness", note=note
        ),
    ]
    if options.print:
        print(json.dumps(targets, indent=2))
    else:
        write_result("fuzz", claims, wall_s=seconds, targets=targets)
    if crashes:
        raise SystemExit(f"{crashes} crashes; their inputs are under {KEPT}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["--child"]:
        fuzz(sys.argv[2], float(sys.argv[4]), Path(sys.argv[3]))
    else:
        main()
