#!/usr/bin/env python3
"""How many kinds of bad input are met as they should be: the cases of nbs/80_bad_inputs.ipynb are run and counted.

    python benchmarks/bad_inputs.py      # writes benchmarks/results/bad_inputs.json; half a minute

The cases stand in the notebook, beside what is said to each. Its generated tests are run here one after another; any
case that is met badly ends this with the list of all that are.
"""

import importlib.util
import time
from pathlib import Path

from common import claim, write_result

CORPUS = Path(__file__).resolve().parent.parent / "tests" / "test_bad_inputs.py"


def loaded(path):
    "A file as a module"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    corpus, seconds = loaded(CORPUS), {}
    for name, test in [(name, value) for name, value in vars(corpus).items() if name.startswith("test_")]:
        start = time.perf_counter()
        test()
        seconds[name.removeprefix("test_")] = round(time.perf_counter() - start, 2)
    if list(corpus.counts) != list(corpus.PARTS):
        raise SystemExit(f"parts {list(corpus.counts)} were run, not {list(corpus.PARTS)}")
    write_result("bad_inputs", [
        claim("bad_input_cases", sum(corpus.counts.values()),
              "files, folders, databases, tables, arguments and command lines, each made bad in its own way in a temporary folder: every one ends in an error "
              "of our own that names the file, row or argument and says what was expected or what to do; commands end with exit code 2 and no "
              "traceback; nothing in the folder is changed. A single case that does not behave, and nothing is written"),
    ], parts=corpus.counts, seconds=seconds)  # fmt: skip


if __name__ == "__main__":
    main()
