"""How much of the exported package the tests generated from its notebooks run, line by line, what they start in other processes included.

    python benchmarks/covered.py            # all of `make test`'s tests, under coverage.py; about twenty-five minutes
    python benchmarks/covered.py --failed   # those that failed in the last run once more, alone; what the others ran is kept

Nothing is written while one of them fails. Writes covered.json.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from common import RUNS, claim, write_result

ROOT = Path(__file__).resolve().parent.parent
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failed", action="store_true", help="only what failed in the last run")
    options = parser.parse_args()
    folder = RUNS / "covered"
    if options.failed and not (folder / "cache/v/cache/lastfailed").is_file():
        raise SystemExit(f"{folder}: no run whose tests failed; run it without --failed first")
    if not options.failed:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=options.failed)
    config, found, cache = folder / "config", folder / "found.json", folder / "cache"
    config.write_text(CONFIG.format(package=ROOT / "fer_fastai", folder=folder), encoding="utf-8")
    which = ["--last-failed", "--last-failed-no-failures", "none"] if options.failed else ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder"]
    again = [name for name, failed in json.loads((cache / "v/cache/lastfailed").read_text()).items() if failed] if options.failed else []

    def coverage(*words):
        return subprocess.run([sys.executable, "-m", "coverage", *words], cwd=ROOT).returncode

    if coverage("run", f"--rcfile={config}", "-m", "pytest", "-q", "-o", f"cache_dir={cache}", *which):
        raise SystemExit("a test failed: nothing is written. Once more, alone: --failed")
    coverage("combine", f"--rcfile={config}", "--quiet", "--keep")
    coverage("json", f"--rcfile={config}", "--quiet", "-o", str(found))
    measured = json.loads(found.read_text(encoding="utf-8"))
    files = {str(Path(name).relative_to("fer_fastai") if not Path(name).is_absolute() else Path(name).relative_to(ROOT / "fer_fastai")): row["summary"] for name, row in measured["files"].items()}
    total = measured["totals"]
    print("\n".join(f"{row['percent_covered']:5.1f}% {name}" for name, row in sorted(files.items(), key=lambda item: item[1]["percent_covered"])[:15]))
    write_result("covered", [
        claim("coverage_share", total["covered_lines"] / total["num_statements"], f"lines of the exported package that the generated tests run, {total['covered_lines']:,} of {total['num_statements']:,}; other processes that they start included; {len(again)} of the tests passed alone only"),
    ], files={name: {"lines": row["num_statements"], "covered": row["covered_lines"]} for name, row in sorted(files.items())}, alone=again)  # fmt: skip


if __name__ == "__main__":
    main()
