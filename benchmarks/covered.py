"""How much of the exported package the tests generated from its notebooks run, line by line, what they start in other processes included.

    python benchmarks/covered.py [pytest's own words]

All of `make test`'s tests, once, under coverage.py; nothing is written when one of them fails. About twenty minutes. Writes covered.json.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common import claim, write_result

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
    with tempfile.TemporaryDirectory() as folder:
        config, found = Path(folder, "config"), Path(folder, "found.json")
        config.write_text(CONFIG.format(package=ROOT / "fer_fastai", folder=folder), encoding="utf-8")

        def coverage(*words):
            return subprocess.run([sys.executable, "-m", "coverage", *words], cwd=ROOT)

        if coverage("run", f"--rcfile={config}", "-m", "pytest", "-q", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder", *sys.argv[1:]).returncode:
            raise SystemExit("a test failed: nothing is written")
        coverage("combine", f"--rcfile={config}", "--quiet")
        coverage("json", f"--rcfile={config}", "--quiet", "-o", str(found))
        measured = json.loads(found.read_text(encoding="utf-8"))
    files = {str(Path(name).relative_to("fer_fastai") if not Path(name).is_absolute() else Path(name).relative_to(ROOT / "fer_fastai")): row["summary"] for name, row in measured["files"].items()}
    total = measured["totals"]
    print("\n".join(f"{row['percent_covered']:5.1f}% {name}" for name, row in sorted(files.items(), key=lambda item: item[1]["percent_covered"])[:15]))
    if sys.argv[1:]:
        return print(f"{total['percent_covered']:.1f}% by some of the tests: nothing is written")
    write_result("covered", [
        claim("coverage_share", total["covered_lines"] / total["num_statements"], f"lines of the exported package that the generated tests run, {total['covered_lines']:,} of {total['num_statements']:,}; other processes that they start included"),
    ], files={name: {"lines": row["num_statements"], "covered": row["covered_lines"]} for name, row in sorted(files.items())})  # fmt: skip


if __name__ == "__main__":
    main()
