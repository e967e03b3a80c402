"""Line coverage of the exported package by the tests generated from its notebooks, child processes included.

    .venv/bin/python benchmarks/robustness/covered.py            all of `make test`'s tests, under coverage.py
    .venv/bin/python benchmarks/robustness/covered.py --failed   failed tests once more, alone; adds to the last run

Nothing is written while a test fails.

Needs: FER2013, chromium. A whole run takes 25 minutes
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import ROOT, RUNS, Parser, claim, write_result

PACKAGE = ROOT / "fer_fastai"
PARALLEL = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder"]
FAILED = ["--last-failed", "--last-failed-no-failures", "none"]
CONFIG = """
[run]
source = {package}
omit = */_modidx.py
data_file = {folder}/data
parallel = true
concurrency = thread
    multiprocessing
patch = subprocess
disable_warnings = no-data-collected
[report]
exclude_also =
    if TYPE_CHECKING:
"""


def coverage(*words):
    "Run coverage.py and return its exit code"
    return subprocess.run([sys.executable, "-m", "coverage", *words], cwd=ROOT).returncode


def measure(folder, selection):
    "Run the tests under coverage.py and return its report"
    config, found = folder / "config", folder / "found.json"
    config.write_text(CONFIG.format(package=PACKAGE, folder=folder), encoding="utf-8")
    option = f"--rcfile={config}"
    if coverage("run", option, "-m", "pytest", "-q", "-o", f"cache_dir={folder / 'cache'}", *selection):
        raise SystemExit("a test failed: nothing is written. Run the failed tests alone: --failed")
    coverage("combine", option, "--quiet", "--keep")
    coverage("json", option, "--quiet", "-o", str(found))
    return json.loads(found.read_text(encoding="utf-8"))


def relative(name):
    "Return a path relative to the package"
    path = Path(name)
    return str(path.relative_to(PACKAGE if path.is_absolute() else "fer_fastai"))


def main():
    parser = Parser(__doc__)
    parser.add_argument("--failed", action="store_true", help="only tests that failed in the last run")
    options = parser.parse_args()
    folder = RUNS / "covered"
    last = folder / "cache/v/cache/lastfailed"
    if options.failed and not last.is_file():
        raise SystemExit(f"{folder}: no run with failed tests; expected one. Run it without --failed first")
    if not options.failed:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=options.failed)
    again = [name for name, failed in json.loads(last.read_text()).items() if failed] if options.failed else []
    measured = measure(folder, FAILED if options.failed else PARALLEL)
    files = {relative(name): row["summary"] for name, row in measured["files"].items()}
    total = measured["totals"]
    for name, row in sorted(files.items(), key=lambda item: item[1]["percent_covered"])[:15]:
        print(f"{row['percent_covered']:5.1f}% {name}")
    covered, lines = total["covered_lines"], total["num_statements"]
    words = f"{len(again)} test{'s' * (len(again) > 1)}"
    alone = f" {words} passed only when run alone." * bool(again)
    claims = [
        claim(
            "coverage_share",
            covered / lines,
            "Line coverage of the package by its generated tests",
            "fraction",
            "higher",
            "robustness",
            note=f"{covered:,} of {lines:,} lines, child processes included.{alone}",
        )
    ]
    table = {name: {"lines": row["num_statements"], "covered": row["covered_lines"]} for name, row in files.items()}
    write_result("covered", claims, files=dict(sorted(table.items())), alone=again)


if __name__ == "__main__":
    main()
