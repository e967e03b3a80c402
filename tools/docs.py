"""Build the documentation site from the notebooks: `make docs`, or `python tools/docs.py [--to build/docs]`

Pages are the committed notebooks with their outputs; hidden cells are left out. The signature of each public name is
shown above the cell that defines it. Further pages list the public names, the results and the commands that measure
them. Sphinx treats warnings as errors, so a broken link inside the site fails the build.
"""

import argparse
import ast
import importlib
import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from docs_api import Notebook, directives, is_exported, part_of, source_of
from results_pages import results_pages, scaling_page

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
# in reading order
TUTORIALS = ("own_folder", "your_dataset", "clean_labels", "team", "half_the_size", "predict", "cluster")
FILES = {  # pages that are files of the repository
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "security": "SECURITY.md",
    "datasets": "data/README.md",
}
MEASUREMENTS = {  # pages of the benchmarks
    "results": "values by topic, with reference, split, selection and seeds",
    "reproduce": "commands that measure the values, with their duration",
    "scaling": "time and memory by number of faces",
}
KERNEL = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}
WIDGET = re.compile(r"<[\w.]+ object( at 0x[0-9a-f]+)?>")  # output of a widget without a browser
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
IMAGE = re.compile(r"^!\[([^\]]*)\]\(([^)\s]+)\.png\)$", re.MULTILINE)
CODE = re.compile(r"(?<![`\w\[])`([A-Za-z_][\w.]*)(\([^`]*\))?`(?![`\]])")  # a name in backticks that is not in a link
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
COLUMNS = {"face_id"}  # columns of tables that are also functions
TEN_LINES = "<!-- ten lines -->"  # place of the example in docs/index.md


class Site:
    "Notebooks and public names that pages link to"

    def __init__(self):
        self.library = [Notebook.read(path) for path in sorted(NBS.glob("[0-9]*.ipynb"))]
        self.names = [name for nb in self.library for name in nb.all_names]
        self.modules = {nb.module: nb for nb in self.library if nb.module}

    def find(self, module, name):
        "Return the name that a module defines; None if there is none"
        return next((each for each in self.names if (each.module, each.name) == (module, name)), None)

    def knows(self, text):
        "Check whether a module, a name, or a member of a class exists"
        if text in self.modules or any(each.name == text for each in self.names):
            return True
        owner, _, member = text.partition(".")
        return any(each.name == owner and member in each.members for each in self.names)

    def link(self, text):
        "Return the link target of a module or of a name that one module defines; None if there is none"
        if text in self.modules:
            return f"/{self.modules[text].path.name}"
        found = [each for each in self.names if each.name == text]
        if not found and "." in text:
            owner, member = text.split(".", 1)
            found = [each for each in self.names if each.name == owner and member in each.members]
        return f"#{found[0].label}" if len(found) == 1 else None


def is_plain_word(found):
    "Check whether code in backticks is one lower-case word without a call, which may be a column or an option"
    return found[1] in COLUMNS or (re.fullmatch("[a-z0-9]+", found[1]) and not found[2])


def linked(text, site, words=False):
    "Link names in backticks to the notebooks that define them; plain words only with `words`"

    def replaced(found):
        target = site.link(found[1])
        return f"[{found[0]}]({target})" if target and (words or not is_plain_word(found)) else found[0]

    def of_prose(prose):
        lines = prose.split("\n")
        return "\n".join(line if line.startswith("#") else CODE.sub(replaced, line) for line in lines)

    return outside_fences(text, of_prose)


def outside_fences(text, change):
    "Apply a function to the text between blocks of code"
    parts, end = [], 0
    for fence in FENCE.finditer(text):
        parts += [change(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, change(text[end:])])


def relinked(text, folder):
    "Make links of a file in `folder` point to pages; links to files that are not pages become plain text"

    def replaced(found):
        words, target = found[1], found[2]
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        path, _, anchor = target.partition("#")
        page = page_of((folder / path).resolve())
        return f"[{words}]({page}{'#' + anchor if anchor else ''})" if page else words

    return outside_fences(text, lambda prose: LINK.sub(replaced, prose))


def page_of(path):
    "Return the page of a file of the repository, as a link from the root of the site; None if it has none"
    if ROOT not in path.parents:
        return None
    name = path.relative_to(ROOT).as_posix()
    pages = {source: f"/{page}.md" for page, source in FILES.items()}
    if path == NBS / "index.ipynb" or name == "README.md":
        return "/start.ipynb"
    if NBS in path.parents and path.suffix in (".ipynb", ".png"):
        return f"/{path.relative_to(NBS).as_posix()}"
    if name.startswith("benchmarks"):
        return "/results.md"
    if card := re.fullmatch(r"fer_fastai/deploy/weights/(\w+)/MODEL_CARD.md", name):
        return f"/model_{card[1]}.md"
    return pages.get(name)


def themed(text, folder):
    "Show the dark variant of an image in dark mode, if `NAME_dark.png` exists beside it"

    def replaced(found):
        if not (folder / f"{found[2]}_dark.png").is_file():
            return found[0]
        images = ((f"{found[2]}.png", "only-light"), (f"{found[2]}_dark.png", "only-dark"))
        return "\n\n".join(f"```{{image}} {path}\n:alt: {found[1]}\n:class: {name}\n```" for path, name in images)

    return IMAGE.sub(replaced, text)


def prose_of(text, folder, site):
    "Prepare the markdown of a file in `folder` for the site"
    return linked(relinked(themed(text, folder), folder), site)


def escaped(text):
    "Escape characters that are markup in markdown, except inside backticks"
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([\\*_<\[|$])", r"\\\1", piece) for piece in pieces)


def description(name, level):
    "Return Markdown of a public name: heading, signature and docstring"
    signature = f"```python\n{name.signature}\n```" if name.signature else ""
    docstring = "" if name.is_constant and name.signature else escaped(name.docstring)
    parts = [f"({name.label})=\n{'#' * level} {escaped(name.name)}", signature, docstring]
    return "\n\n".join(part for part in parts if part)


def statements(source):
    "Parse the statements of a cell; return none if the cell is not plain Python"
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def imports_only(source):
    found = statements(source)
    return bool(found) and all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in found)


def markdown_cell(cell_id, text):
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": text}


def output_shown(output, folder, site):
    "Prepare an output for the site; None for a widget that no browser rendered"
    data = output.get("data", {})
    if WIDGET.fullmatch("".join(data.get("text/plain", ""))):
        return None
    if "text/markdown" in data:
        text = prose_of("".join(data["text/markdown"]), folder, site)
        return output | {"data": data | {"text/markdown": text}}
    return output


def collapsed(what):
    "Return the metadata of a code cell whose source opens by a click"
    prompts = {"code_prompt_show": f"Show {what}", "code_prompt_hide": f"Hide {what}"}
    return {"tags": ["hide-input"], "mystnb": prompts}


def code_cell(cell, folder, site):
    "Prepare a code cell for the site; None for an empty cell and for imports of an exported module"
    source = re.sub(r"^#\|.*\n?", "", source_of(cell), flags=re.MULTILINE).strip()
    exported, imports = is_exported(cell), imports_only(source)
    if not source or (exported and imports):
        return None
    outputs = [output_shown(output, folder, site) for output in cell["outputs"]]
    return cell | {
        "source": source,
        "metadata": collapsed("source") if exported else collapsed("imports") if imports else {},
        "outputs": [output for output in outputs if output is not None],
    }


def page(nb, site):
    "Convert a notebook to a page: visible cells, with the public names above the cells that define them"
    cells, level = [], 1
    for cell in nb.content["cells"]:
        source = source_of(cell)
        if directives(source) & {"hide", "default_exp"}:
            continue
        if cell["cell_type"] == "markdown":
            cells.append(cell | {"source": prose_of(source, nb.path.parent, site)})
            level = max([level, *(min(len(mark), 2) for mark in re.findall(r"^(#+) ", source, re.MULTILINE))])
            continue
        if names := nb.names.get(cell["id"]):
            text = "\n\n".join(description(name, level + 1) for name in names)
            cells.append(markdown_cell(f"{cell['id']}-names", text))
        if shown := code_cell(cell, nb.path.parent, site):
            cells.append(shown)
    return nb.content | {"cells": cells, "metadata": KERNEL}


def toctree(pages, title="", hidden=False):
    "Return Markdown of a table of contents"
    options = [":maxdepth: 1"]
    if title:
        options.append(f":caption: {title}")
    if hidden:
        options.append(":hidden:")
    return "\n".join(["```{toctree}", *options, "", *pages, "```"])


def listing(notebooks):
    "Return a Markdown list of notebooks, each with its promise"
    rows = [f"* [{nb.title}](/{nb.path.relative_to(NBS).as_posix()}): {nb.promise}" for nb in notebooks]
    return "\n".join(row.rstrip(": ") for row in rows)


def name_table(rows):
    "Return a Markdown table of names: link and summary"
    return "\n".join(["| name | description |", "|---|---|", *rows])


def name_row(name):
    return f"| [`{name.name}`](#{name.label}) | {escaped(name.summary)} |"


def names_page(site):
    "Return Markdown of the page that lists all public names by module"
    parts = ["# All names", "Public names of the package by module. Each name links to the notebook that explains it."]
    for nb in site.library:
        names = sorted(nb.all_names, key=lambda name: name.name.lower())
        if names:
            heading = f"## [{nb.module}](/{nb.path.name})"
            parts += [heading, name_table([name_row(name) for name in names])]
    return "\n\n".join(parts) + "\n"


def curated_names(site):
    "List the names of fer_fastai.all by part in Markdown; empty if the module does not exist"
    if "all" not in site.modules:
        return ""
    module = importlib.import_module("fer_fastai.all")
    rows = {}
    for name in module.__all__:
        symbol = getattr(module, name)
        part, row = curated_row(name, symbol, site)
        rows.setdefault(part, []).append(row)
    order = [*part_of(site.library), *sorted(rows)]
    tables = [f"### {part}\n\n{name_table(rows[part])}" for part in dict.fromkeys(order) if part in rows]
    lead = f"`from fer_fastai.all import *` imports these {len(module.__all__)} names. Each links to its notebook."
    return "\n\n".join(["## Public names", lead, *tables])


def curated_row(name, symbol, site):
    "Return the part and the table row of a name of fer_fastai.all"
    defined_in = symbol.__name__ if inspect.ismodule(symbol) else getattr(symbol, "__module__", None)
    module = (defined_in or "").removeprefix("fer_fastai.")
    candidates = sorted((each for each in site.names if each.name == name), key=lambda each: each.module == "all")
    found = site.find(module, name) or next(iter(candidates), None)
    if found:
        return site.modules[found.module].part, name_row(found)
    if module in site.modules:  # a module itself, or an alias
        return site.modules[module].part, f"| [`{name}`](/{site.modules[module].path.name}) | {first_line(symbol)} |"
    return "Other packages", f"| `{name}` | {first_line(symbol)} |"


def first_line(symbol):
    return escaped((inspect.getdoc(symbol) or "").split("\n")[0])


def api_page(site):
    "Return Markdown of the first page of the API: curated names, then notebooks by part"
    parts = [
        "# API",
        "The package is exported from these notebooks. Each explains its names, runs them and tests them. "
        "[All names](names.md) lists every public name by module.",
        curated_names(site),
        "## Notebooks",
    ]
    grouped = part_of(site.library)
    parts += [f"### {title}\n\n{listing(notebooks)}" for title, notebooks in grouped.items()]
    parts += [toctree(["names"], hidden=True)]
    parts += [toctree([nb.path.stem for nb in notebooks], title, True) for title, notebooks in grouped.items()]
    return "\n\n".join(part for part in parts if part) + "\n"


def example():
    "Return the first visible code cell of nbs/index.ipynb that imports fer_fastai"
    for cell in Notebook.read(NBS / "index.ipynb").content["cells"]:
        source = source_of(cell)
        visible = cell["cell_type"] == "code" and not directives(source) & {"hide", "echo"}
        if visible and re.search(r"^from fer_fastai\b", source, re.MULTILINE):
            return re.sub(r"^#\|.*\n?", "", source, flags=re.MULTILINE).strip()
    raise SystemExit("nbs/index.ipynb: no visible code cell imports fer_fastai; the landing page shows the first one")


def landing_page(sections):
    "Return docs/index.md with the example of nbs/index.ipynb"
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    if text.count(TEN_LINES) != 1:
        raise SystemExit(f"docs/index.md: found {text.count(TEN_LINES)} lines {TEN_LINES!r}, expected 1")
    text = text.replace(TEN_LINES, f"```python\n{example()}\n```")
    return f"{text}\n{toctree(sections, hidden=True)}\n"


def write_text(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_notebooks(to, site):
    "Write the pages of all notebooks; return tutorials and papers in reading order"
    tutorials = [Notebook.read(NBS / f"tutorials/{name}.ipynb") for name in TUTORIALS]
    papers = [Notebook.read(path) for path in sorted(NBS.glob("papers/*.ipynb"))]
    for nb in [*site.library, *tutorials, *papers]:
        write_text(to / nb.path.relative_to(NBS), json.dumps(page(nb, site)))
    start = page(Notebook.read(NBS / "index.ipynb"), site)
    start["cells"][0] |= {"source": re.sub(r"^# .*", "# Get started", source_of(start["cells"][0]), count=1)}
    write_text(to / "start.ipynb", json.dumps(start))
    return tutorials, papers


def write_measurements(to, site):
    "Write the pages of results; return their names in reading order"
    results, reproduce = results_pages()
    pages = {"results": results, "reproduce": reproduce, "scaling": scaling_page()}
    pages = {name: text for name, text in pages.items() if text}
    for name, text in pages.items():
        write_text(to / f"{name}.md", linked(text, site))
    return list(pages)


def write_files(to, site):
    "Write the pages that are files of the repository; return the names of the model cards"
    for name, source in FILES.items():
        path = ROOT / source
        write_text(to / f"{name}.md", prose_of(path.read_text(encoding="utf-8"), path.parent, site))
    cards = {path.parent.name: path for path in sorted(ROOT.glob("fer_fastai/deploy/weights/*/MODEL_CARD.md"))}
    for name, path in cards.items():
        text = re.sub(r"\A---\n.*?\n---\n", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        write_text(to / f"model_{name}.md", prose_of(text, path.parent, site))
    return [f"model_{name}" for name in cards]


def section(title, sentence, *parts):
    return "\n\n".join([f"# {title}", sentence, *parts]) + "\n"


def write_sections(to, site, tutorials, papers, measurements, cards):
    "Write the first page of each section; return their names in reading order"
    tutorial_pages = [*(f"tutorials/{nb.path.stem}" for nb in tutorials), "from_fastai"]
    pages = {
        "tutorials": section(
            "Tutorials",
            "Each tutorial runs from top to bottom in a few minutes, on synthetic faces that the package draws.",
            listing(tutorials),
            "[Coming from fastai](from_fastai.md) maps names of fastai, cleanlab and others to names of this package.",
            toctree(tutorial_pages, hidden=True),
        ),
        "papers": section(
            "Papers",
            "Each notebook reproduces the systems of a paper: method, protocol, results, difference from the paper.",
            listing(papers),
            toctree([f"papers/{nb.path.stem}" for nb in papers], hidden=True),
        ),
        "benchmarks": section(
            "Benchmarks",
            "Every value is read from a file that its script wrote.",
            "\n".join(f"* [{name.capitalize()}]({name}.md): {MEASUREMENTS.get(name, '')}" for name in measurements),
            toctree(measurements, hidden=True),
        ),
        "api": api_page(site),
        "reference": section(
            "Reference",
            "Datasets, model cards, changes, contributing and security.",
            toctree(["datasets", *cards, "changelog", "contributing", "security"]),
        ),
    }
    for name, text in pages.items():
        write_text(to / f"{name}.md", text)
    return list(pages)


def check_vocabulary(text, site):
    "Check that the names in the second column of from_fastai.md exist; skipped until fer_fastai.all exists"
    rows = [line.split("|") for line in text.split("\n") if line.startswith("|")]
    named = [found[1] for row in rows for found in CODE.finditer(row[2])]
    unknown = sorted({name for name in named if not site.knows(name)})
    if unknown and "all" in site.modules:
        raise SystemExit(f"docs/from_fastai.md: the library has no {', '.join(unknown)}; correct the second column")


def write_docs(to, site):
    "Copy docs/ and the images, with names linked"
    shutil.copytree(ROOT / "docs", to)
    shutil.copytree(NBS / "images", to / "images")
    check_vocabulary((to / "from_fastai.md").read_text(encoding="utf-8"), site)
    for path in sorted(to.glob("*.md")):
        path.write_text(linked(themed(path.read_text(encoding="utf-8"), to), site, words=True), encoding="utf-8")


def write_sources(to):
    "Write the sources of all pages, and Sphinx's configuration"
    shutil.rmtree(to, ignore_errors=True)
    site = Site()
    write_docs(to, site)
    tutorials, papers = write_notebooks(to, site)
    measurements = write_measurements(to, site)
    cards = write_files(to, site)
    write_text(to / "names.md", names_page(site))
    sections = write_sections(to, site, tutorials, papers, measurements, cards)
    write_text(to / "index.md", linked(themed(landing_page(["start", *sections]), to), site))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "build/docs", help="folder for source/ and html/")
    options = parser.parse_args()
    source, html = options.to / "source", options.to / "html"
    write_sources(source)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", source, html]
    done = subprocess.run(command)
    print(f"The site is {html / 'index.html'}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
