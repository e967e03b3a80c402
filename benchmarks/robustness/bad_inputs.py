#!/usr/bin/env python3
"""Number of malformed inputs that raise a clear error: the cases of nbs/95_bad_inputs.ipynb, run and counted.

    .venv/bin/python benchmarks/robustness/bad_inputs.py

The cases are in the notebook, beside the expected messages, and become parametrized tests. They are run here one after
another. One case with another behavior ends the run with pytest's report, and nothing is written.

Needs: nothing
"""

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import ROOT, Parser, claim, write_result

CORPUS = ROOT / "tests" / "test_bad_inputs.py"


class Cases:
    "Plugin of pytest that counts passed parametrized cases and their seconds, by test"

    def __init__(self):
        self.passed, self.seconds = Counter(), Counter()

    def pytest_runtest_logreport(self, report):
        name, _, case = report.nodeid.split("::")[-1].partition("[")
        self.seconds[name.removeprefix("test_")] += report.duration
        if report.when == "call" and report.passed and case:
            self.passed[name.removeprefix("test_")] += 1


def main():
    Parser(__doc__).parse_args()
    cases = Cases()
    status = pytest.main([str(CORPUS), "-q", "-p", "no:xdist", "-p", "no:cacheprovider"], plugins=[cases])
    if status or not cases.passed:
        raise SystemExit(f"pytest ended with {status!r} after {cases.passed.total()} cases; expected all to pass")
    claims = [
        claim(
            "bad_input_cases",
            cases.passed.total(),
            "Malformed inputs that raise a clear error",
            "cases",
            "higher",
            "robustness",
            note="All cases of the corpus; each error names file, row or argument and what was expected.",
        )
    ]
    seconds = {name: round(each, 2) for name, each in cases.seconds.items()}
    write_result("bad_inputs", claims, parts=dict(cases.passed), seconds=seconds)


if __name__ == "__main__":
    main()
