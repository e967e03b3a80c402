"""`fer demo` in a fresh folder: seconds, and whether its report needs a network.

    python benchmarks/demo.py
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import claim, write_result


def main():
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run([Path(sys.executable).with_name("fer"), "demo", "--folder", f"{folder}/run"], check=True)
        seconds = time.perf_counter() - start
        page = Path(folder, "run", "report.html").read_text(encoding="utf-8")
        outside = re.findall(r"""(?:src|href)=["'](?!data:|#)([^"']+)""", page)
        accuracy = json.loads(Path(folder, "run", "metrics.json").read_text(encoding="utf-8"))["metrics"][0]["accuracy"]
    write_result("demo", [claim("demo_s", seconds, "fer demo: draw 3,500 faces, train, report; after the install, on this machine while it did nothing else")],
                 recipe="demo", links_outside=outside, pictures=page.count("data:image/"), accuracy=accuracy)
    if outside: raise SystemExit(f"the report refers to {outside}")


if __name__ == "__main__":
    main()
