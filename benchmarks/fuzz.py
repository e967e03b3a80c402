#!/usr/bin/env python3
"""Does any input get past our errors? Coverage-guided fuzzing of what opens files that others made.

    python benchmarks/fuzz.py                       # ten minutes in all; writes benchmarks/results/fuzz.json
    python benchmarks/fuzz.py --minutes 0.5 --print # a small try: prints, writes nothing
    python benchmarks/fuzz.py --again csv FILE      # one kept input once more, with its traceback

Needs atheris: pip install 'fer_fastai[fuzz]' (Linux). Three targets, each in a process of its own and for a third of the
time: the reader of FER2013's CSV, the loader of model folders, the opening and reading of edit logs. Only fer_fastai's
modules are instrumented. A crash is any exception that is not a FerError; the input is kept under runs/fuzz/, one for
each place in the code, and the fuzzer goes on.
"""

import argparse
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

KEPT = Path(__file__).resolve().parent.parent / "runs" / "fuzz"
GREY = b" ".join([b"128"] * 2304)


def csv_target(folder):
    "Bytes as FER2013's CSV; `@` stands for the pixels of a face, which nobody would ever guess"
    from fer_fastai.core import FerError
    from fer_fastai.data.fer2013 import read_fer2013_csv

    path = folder / "fer2013.csv"
    head = b"emotion,pixels,Usage\n"
    seeds = [head + b"3,@,Training\n4,@,PublicTest\n", head + b"9,@,Training\n", head + b"3,1 2,Training\n", b"emotion, Usage, pixels\r\n0,PrivateTest,@\r\n",
             b'"emotion","pixels","Usage"\n"3","@","Training"\n', b"\xef\xbb\xbf" + head + b"3,@\n3,@,Training,1\n"]  # fmt: skip

    def read(data):
        path.write_bytes(data.replace(b"@", GREY))
        for on_error in ("raise", "skip"):
            with suppress(FerError):
                read_fer2013_csv(path, on_error, cache=False)

    return read, seeds


def model_target(folder):
    "A model folder whose facts, weights or weights' header are changed; the first byte says which, and checksums are made to fit"
    from fer_fastai.core import FerError
    from fer_fastai.data.emotions import FER2013_CLASSES
    from fer_fastai.data.synthetic import synthetic_faces
    from fer_fastai.io import file_sha256
    from fer_fastai.data.loaders import face_dls
    from fer_fastai.deploy.model_folder import load_model
    from fer_fastai.deploy.export import save_model
    from fer_fastai.models.backbones import face_learner

    model = save_model(face_learner(face_dls(synthetic_faces(70), batch_size=16), "mini_xception", path=folder), folder / "model", onnx=False)
    facts, weights = json.loads((model / "model.json").read_text()), (model / "model.safetensors").read_bytes()
    patches = [{"vocab": list(FER2013_CLASSES)}, {"network": facts["network"]}, {"size": 48, "temperature": 1.0}, {"normalisation": {"mean": 0.5, "deviation": 0.2}},
               {"files": {"model.safetensors": {"sha256": "0"}}}, {"metrics": [], "recipe": None, "int8": None}, {"name": "x", "parameters": 1}]  # fmt: skip
    seeds = [b"\0" + json.dumps(facts).encode(), *[b"\1" + json.dumps(patch).encode() for patch in patches], b"\2\0\0\0\1", b"\3\0\0\1", b"\3\0\x10\x22"]

    def load(data):
        kind, rest, now = data[0] % 4 if data else 0, data[1:], facts
        (model / "model.safetensors").write_bytes(weights if kind < 2 else patched(weights, rest, 3 if kind == 2 else 2))
        if kind == 1:
            patch = None
            with suppress(ValueError, RecursionError):
                patch = json.loads(rest)
            now = facts | patch if isinstance(patch, dict) else facts
        if isinstance(now.get("files"), dict) and isinstance(now["files"].get("model.safetensors"), dict):
            now = now | {"files": now["files"] | {name: {"sha256": file_sha256(model / name)} for name in ("model.safetensors", "MODEL_CARD.md")}}
        (model / "model.json").write_bytes(rest if kind == 0 else json.dumps(now).encode())
        with suppress(FerError):
            repr(load_model(model))

    return load, seeds


def log_target(folder):
    "An edit log with bytes of its database changed, and some cut off its end"
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
    seeds = [b"\0\0", b"\x10\0", *[bytes([0, 0]) + place.to_bytes(2, "big") + b"\x00" for place in range(0, len(whole), 997)]]

    def look(data):
        path.write_bytes(patched(whole[: len(whole) - int.from_bytes(data[:2], "big") % len(whole)], data[2:], 2))
        with suppress(FerError):
            log = EditLog(path, annotator="ann")
            for part in (log.entries, log.current, log.consensus, log.conflicts, log.votes, lambda log=log: log.apply_to(faces)):
                with suppress(FerError):
                    part()

    return look, seeds


TARGETS = {"csv": csv_target, "model": model_target, "log": log_target}


def patched(whole: bytes, changes: bytes, width: int) -> bytes:
    "Bytes with some of them replaced: each change is a place of `width` bytes and a value"
    out = bytearray(whole)
    for start in range(0, len(changes) - width, width + 1):
        place = int.from_bytes(changes[start : start + width], "big")
        if out:
            out[place % len(out)] = changes[start + width]
    return bytes(out)


def place_of(error: BaseException) -> str:
    "Where in our code an exception left it"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "fer_fastai" in f.filename]
    return f"{type(error).__name__} in {frames[-1].name}" if frames else type(error).__name__


def fuzz(name: str, seconds: float, folder: Path):
    "One target, in this process, which ends here"
    import atheris

    with atheris.instrument_imports(include=["fer_fastai"]):
        call, seeds = TARGETS[name](folder)
    corpus, state = folder / "corpus", {"runs": 0, "crashes": {}, "began": time.perf_counter(), "told": 0.0}
    corpus.mkdir()
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)

    def tell():
        state["told"] = time.perf_counter() - state["began"]
        (folder / "found.json").write_text(json.dumps({"runs": state["runs"], "seconds": round(state["told"], 1), "crashes": state["crashes"]}))

    def one(data):
        try:
            call(data)
        except BaseException as error:  # whatever it is, it is what we are looking for
            if place_of(error) not in state["crashes"]:
                kept = KEPT / name / f"{hashlib.sha256(data).hexdigest()[:16]}.bin"
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(data)
                state["crashes"][place_of(error)] = f"{str(error)[:200]} ({kept.relative_to(KEPT.parent.parent)})"
        state["runs"] += 1
        passed = time.perf_counter() - state["began"]
        if passed - state["told"] > 1 or passed > seconds:
            tell()
        if passed > seconds:
            os._exit(0)

    atheris.Setup([sys.argv[0], str(corpus), "-max_len=8192", "-timeout=120", "-rss_limit_mb=0", "-verbosity=0", f"-artifact_prefix={folder}/"], one)
    atheris.Fuzz()


def in_a_process(name: str, seconds: float) -> dict:
    "Runs, seconds and crashes of a target"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-W", "ignore", __file__, "--child", name, folder, str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"FER_CACHE": f"{folder}/cache", "OMP_NUM_THREADS": "1"})
        found = Path(folder, "found.json")
        if not found.exists():
            raise SystemExit(f"{name} did not begin:\n{done.stderr[-3000:]}")
        found = json.loads(found.read_text())
        if done.returncode:  # a crash of the process itself, or a run that never ends
            found["crashes"]["process"] = done.stderr[-300:]
        return found


def again(name: str, path: str):
    "One kept input, uninstrumented: its traceback is its answer"
    with tempfile.TemporaryDirectory() as folder:
        TARGETS[name](Path(folder))[0](Path(path).read_bytes())
    print("nothing but errors of our own")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=10, help="of all targets together")
    options.add_argument("--print", action="store_true", help="print what was found and write nothing")
    options.add_argument("--again", nargs=2, metavar=("TARGET", "FILE"), help="run one kept input")
    options.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = options.parse_args()
    warnings.simplefilter("ignore")
    if options.child:
        fuzz(options.child[0], float(options.child[2]), Path(options.child[1]))
    if options.again:
        return again(*options.again)
    targets = {name: in_a_process(name, 60 * options.minutes / len(TARGETS)) for name in TARGETS}
    runs, crashes = (sum(each) for each in zip(*[(found["runs"], len(found["crashes"])) for found in targets.values()], strict=True))
    if options.print:
        print(json.dumps(targets, indent=2))
    else:
        from common import claim, write_result

        how = (f"atheris, coverage-guided, {sum(found['seconds'] for found in targets.values()):,.0f} s in all on FER2013's CSV reader, the model folder loader and the "
               "opening and reading of edit logs; a crash is any exception that is not a FerError")  # fmt: skip
        write_result("fuzz", [claim("fuzz_runs", runs, how), claim("fuzz_crashes", crashes, f"different places in the code; {how}")], seeds=[], targets=targets)
    if crashes:
        raise SystemExit(f"{crashes} crashes; their inputs are under {KEPT}")


if __name__ == "__main__":
    main()
