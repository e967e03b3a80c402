"""Makes README.md from nbs/index.ipynb: `python tools/readme.py`, run by `make prepare`

Cells marked `#| exec_doc` are run again first, so that README quotes the files in benchmarks/results. `#| hide` leaves
a cell out, `#| echo: false` its code, `#| output: false` its outputs.
"""

import os
import posixpath
import re
from pathlib import Path

from execnb.shell import CaptureShell
from fastcore.nbio import read_nb, write_nb
from nbdev.clean import clean_nb
from nbdev.process import NBProcessor

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "nbs" / "index.ipynb"


def refresh(path):
    "Run the `exec_doc` cells of a notebook and keep their outputs in it"
    nb = read_nb(path)
    os.chdir(path.parent)  # as Jupyter does
    shell = CaptureShell(path.parent)
    for cell in nb.cells:
        if cell.cell_type == "code" and cell.has_directive("exec_doc"):
            shell.cell(cell)
            if shell.exc:
                raise SystemExit(f"{path.name} #{cell.id}: {type(shell.exc).__name__}: {shell.exc}")
    clean_nb(nb)
    write_nb(nb, path)


def from_root(text):
    "Convert a relative link of the notebook into a link of README"

    def moved(link):
        target = link[2]
        if re.match(r"[a-z]+:|#|/", target):
            return link[0]
        return f"{link[1]}({posixpath.normpath(posixpath.join('nbs', target))})"

    return re.sub(r"(\[[^\]]*\])\(([^)\s]+)\)", moved, text)


def shown(output):
    "Convert an output to Markdown: tables and text, no images"
    if output.output_type == "stream":
        return f"```\n{''.join(output.text).rstrip()}\n```"
    data = output.get("data", {})
    if "text/markdown" in data:
        return from_root("".join(data["text/markdown"]).rstrip())
    return f"```\n{''.join(data['text/plain']).rstrip()}\n```" if "text/plain" in data else ""


def parts(cell):
    "Return the parts of a cell for README"
    flags = cell.directives_
    if cell.cell_type == "markdown":
        yield from_root(cell.source.strip())
    elif cell.cell_type == "code" and cell.source.strip() and "hide" not in flags:
        if flags.get("echo") != "false":
            yield f"```python\n{cell.source.strip()}\n```"
        if flags.get("output") != "false":
            yield from map(shown, cell.get("outputs", []))


def main():
    refresh(INDEX)
    nb = NBProcessor(INDEX, process=True).nb
    text = "\n\n".join(part for cell in nb.cells for part in parts(cell) if part)
    note = "<!-- made from nbs/index.ipynb by tools/readme.py: change the notebook -->"
    (ROOT / "README.md").write_text(f"{note}\n\n{text}\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
