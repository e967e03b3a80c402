"""Time of `fer demo` in a new folder, and whether its report works without a network.

    .venv/bin/python benchmarks/speed/demo.py

Needs: nothing
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Parser, claim, write_result

OUTSIDE = re.compile(r"""(?:src|href)=["'](?!data:|#)([^"']+)""")


def main():
    Parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run, start = Path(folder, "run"), time.perf_counter()
        subprocess.run([Path(sys.executable).with_name("fer"), "demo", "--folder", run], check=True)
        seconds = time.perf_counter() - start
        page = (run / "report.html").read_text(encoding="utf-8")
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    outside = OUTSIDE.findall(page)
    claims = [
        claim(
            "demo_s",
            seconds,
            "Time of `make demo` after the installation",
            "s",
            "lower",
            "speed",
            note="3,500 drawn faces, training and report; idle machine. One run.",
        )
    ]
    found = {"links_outside": outside, "images": page.count("data:image/"), "accuracy": metrics[0]["accuracy"]}
    write_result("demo", claims, recipe="quick", **found)
    if outside:
        raise SystemExit(f"the report refers to {outside}")


if __name__ == "__main__":
    main()
