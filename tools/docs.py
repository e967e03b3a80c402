"""Makes the documentation site from the notebooks: `make docs`, or `python tools/docs.py [--to build/docs]`

Pages are the notebooks as they are committed, with what they ran: directives left out, hidden cells too, each public name with its
signature above the cell that defines it. Beside them: every name on one page, every measured number, and the command that measures it.
Sphinx treats a warning as an error, so a link within the site that leads nowhere fails the build.
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
import warnings
from pathlib import Path

from fastcore.docments import DocmentText

ROOT = Path(__file__).resolve().parent.parent
PARTS = {  # title of a part, by the tens of its notebooks' numbers
    "0": "Core", "1": "Data", "2": "Data", "3": "Training", "4": "Cleaning", "5": "Looking inside", "6": "Out of the notebook", "7": "Command line", "8": "Checks", "9": "Checks",
}  # fmt: skip
TUTORIALS = ("own_folder", "clean_labels", "team", "half_the_size", "predict", "cluster")
BARE = re.compile(r"<[\w.]+ object( at 0x[0-9a-f]+)?>")  # what a widget leaves where no browser ran
DIRECTIVE = re.compile(r"^#\|\s*(\w+)", re.MULTILINE)


def target(module, name):
    "Where a name is explained; labels don't tell capitals apart"
    return f"{module}.{name}{'-class' if name[:1].isupper() else ''}"


def signature(symbol):
    "As it stands in the source: parameters with their comments"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(DocmentText(symbol, maxline=110, docstring=False))
        except Exception:  # a dataclass or callable whose source fastcore can't read
            return f"{symbol.__name__}{inspect.signature(symbol)}"


def methods(symbol):
    "Public methods with what they do"
    rows = []
    for name, value in vars(symbol).items():
        plain = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value.fget if isinstance(value, property) else value
        if not name.startswith("_") and inspect.isfunction(plain) and plain.__doc__:
            rows.append(f"* `{name}{'' if isinstance(value, property) else str(inspect.signature(plain)).replace('(self, ', '(').replace('(self)', '()')}`: {' '.join(plain.__doc__.split())}")
    return "\n".join(rows)


def explained(module, name):
    "A heading, a signature and the docstring of a public name"
    symbol = getattr(module, name)
    parts = [f"({target(module.__name__, name)})=\n### {name}"]
    if inspect.isfunction(symbol) or inspect.isclass(symbol):
        parts += [f"```python\n{signature(symbol)}\n```", " ".join((inspect.getdoc(symbol) or "").split()) if "(" not in (inspect.getdoc(symbol) or "")[: len(name) + 1] else ""]
    if inspect.isclass(symbol):
        parts.append(methods(symbol))
    return "\n\n".join(part for part in parts if part)


def defined(source):
    "Names that a cell defines"
    names = []
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [t.id for made in node.targets for t in (made.elts if isinstance(made, ast.Tuple) else [made]) if isinstance(t, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return names


def links(text, folder):
    "Links that leave the site become plain words; those to pages within it stay"

    def kept(found):
        words, to = found[1], found[2]
        if re.match(r"[a-z]+:|#", to):
            return found[0]
        place = (folder / to).resolve()
        if place.suffix in (".ipynb", ".png") and ROOT / "nbs" in place.parents:
            return found[0]
        known = {"CHANGELOG.md": "changelog", "CONTRIBUTING.md": "contributing", "data/README.md": "datasets", "SECURITY.md": "security"}
        name = place.relative_to(ROOT).as_posix() if ROOT in place.parents else ""
        page = "results" if name.startswith("benchmarks/results") else known.get(name)
        return f"[{words}]({'../' * len(folder.relative_to(ROOT / 'nbs').parts)}{page}.md)" if page else words

    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)", kept, text)


def module_of(nb):
    "What a notebook exports to; None: nothing"
    sources = ("".join(cell["source"]) for cell in nb["cells"] if cell["cell_type"] == "code")
    name = next((m[1] for source in sources if (m := re.match(r"#\|\s*default_exp\s+(\S+)", source))), None)
    return importlib.import_module(f"fer_fastai.{name}") if name else None


def page(path):
    "A notebook as a page"
    nb = json.loads(path.read_text(encoding="utf-8"))
    module = module_of(nb)
    cells = []
    for cell in nb["cells"]:
        source = "".join(cell["source"])
        flags = set(DIRECTIVE.findall(source))
        if flags & {"hide", "default_exp"}:
            continue
        if cell["cell_type"] == "markdown":
            cells.append(cell | {"source": links(source, path.parent)})
            continue
        source = re.sub(r"^#\|.*\n?", "", source, flags=re.MULTILINE).strip()
        if not source:
            continue
        if "export" in flags and module is not None:
            public = [name for name in defined(source) if name in getattr(module, "__all__", ())]
            told = "\n\n".join(explained(module, name) for name in public)
            if told:
                cells.append({"cell_type": "markdown", "id": f"{cell['id']}-names", "metadata": {}, "source": told})
            cell = cell | {"metadata": {"tags": ["hide-input"]}}
        elif all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in parsed(source)):
            cell = cell | {"metadata": {"tags": ["hide-input"]}}
        cell = cell | {"outputs": [o for o in cell["outputs"] if not BARE.fullmatch("".join(o.get("data", {}).get("text/plain", "")))]}
        for output in cell["outputs"]:
            if "text/markdown" in output.get("data", {}):
                output["data"]["text/markdown"] = links("".join(output["data"]["text/markdown"]), path.parent)
        cells.append(cell | {"source": source})
    return nb | {"cells": cells, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}, "language_info": {"name": "python"}}}


def parsed(source):
    "A cell's statements; none where it holds a shell's words"
    try:
        return ast.parse(source).body or [None]
    except SyntaxError:
        return [None]


def toctree(title, pages, hidden=False):
    "A list of pages"
    options = [":maxdepth: 1", *([f":caption: {title}"] if title else []), *([":hidden:"] if hidden else [])]
    return "\n".join(["```{toctree}", *options, "", *pages, "```"])


def names_page(modules):
    "Every public name, with its first sentence"
    parts = ["# Every name", "What the package exports, module by module; each name leads to the notebook that explains it."]
    for module in modules:
        name = module.__name__
        rows = []
        for public in sorted(getattr(module, "__all__", ()), key=str.lower):
            symbol = getattr(module, public)
            said = (inspect.getdoc(symbol) or "").split("\n")[0] if inspect.isfunction(symbol) or inspect.isclass(symbol) else ""
            rows.append(f"| [{public}](#{target(name, public)}) | {said.replace('|', chr(92) + '|')} |")
        if rows:
            parts.append("\n".join([f"## {name}", "", "| | |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def script_of(result):
    "The script that writes a result"
    scripts = sorted((ROOT / "benchmarks").glob("*.py"))
    return next((s.name for s in scripts if s.stem == result), None) or next((s.name for s in scripts if f'"{result}"' in s.read_text(encoding="utf-8")), None)


def results_pages():
    "Every number with its protocol, and the command that measures it"
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "benchmarks/results").glob("*.json"))}
    numbers = ["# Results", "Every number that README and the papers quote, as its script wrote it, with how it was measured."]
    commands = ["# Reproduce", "One command a number, from a clone with `make demo` behind it; `make bench` runs them all in their order. Those that train go on after an interruption. FER2013 has to lie in the data folder: see [Datasets](datasets.md).",
                "| number | command | took |\n|---|---|---|"]  # fmt: skip
    rows = []
    for name, found in files.items():
        if not found["claims"]:
            continue
        numbers.append(f"## {name}\n\n" + "\n".join(["| | value | how |", "|---|---|---|", *[f"| {c['id'].replace('_', ' ')} | {c['value']:.6g} | {c['protocol'].replace('|', chr(92) + '|')} |" for c in found["claims"]]]))
        rows += [f"| {c['id'].replace('_', ' ')} | `.venv/bin/python benchmarks/{script_of(name)}` | {took(found['wall_s'])} |" for c in found["claims"]]
    commands[-1] += "\n" + "\n".join(rows)
    return "\n\n".join(numbers) + "\n", "\n\n".join(commands) + "\n"


def took(seconds):
    "A time as people say it"
    for most, unit, name in ((1e-3, 1e-6, "µs"), (1, 1e-3, "ms"), (90, 1, "seconds"), (5400, 60, "minutes"), (172800, 3600, "hours"), (1e99, 86400, "days")):
        if seconds <= most:
            return f"{seconds / unit:,.0f} {name}" if seconds / unit >= 100 else f"{seconds / unit:.3g} {name}"


STEPS = {"read": "read pictures from Parquet", "train_step": "a training step of mini-Xception, batch 128", "score": "score with the small CNN", "rank": "rank the suspected labels", "widget": "open the label cleaner"}


def scaling_page():
    "What each step costs at each size, and what that says for more; None where it was not measured"
    results = {name: ROOT / f"benchmarks/results/{name}.json" for name in ("scaling", "bulk")}
    if not all(path.exists() for path in results.values()):
        return None
    scaling, bulk = (json.loads(path.read_text(encoding="utf-8")) for path in results.values())
    steps, growth = {name: {int(n): row for n, row in rows.items()} for name, rows in scaling["steps"].items()}, scaling["growth"]
    sizes = sorted(steps["read"])
    cells = {name: [f"{took(rows[n]['seconds'])}, {rows[n]['mib'] / 1024:.1f} GB" for n in sizes] for name, rows in steps.items()}
    rows = [f"| {STEPS[name]} | {' | '.join(cells[name])} | {growth[name]:.2f} |" for name in steps]
    table = "\n".join([f"| | {' | '.join(f'{n:,} faces' for n in sizes)} | grows with n to the |", "|---|" + "---|" * (len(sizes) + 1), *rows])
    most, core = sizes[-1], bulk["median"]["faces"] / bulk["median"]["bulk_cores_s"]

    def at(name, n, what="seconds"):
        return steps[name][most][what] * n / most

    return (ROOT / "docs/scaling.txt").read_text(encoding="utf-8").format(
        table=table, cores=scaling["hardware"]["cores"], core=f"{core:,.0f}", model=bulk["recipe"]["model"],
        ten_read=took(at("read", 1e7)), ten_rank=took(at("rank", 1e7)), ten_widget=took(at("widget", 1e7)), ten_gb=f"{at('rank', 1e7, 'mib') / 1024:,.0f}",
        ten_hours=f"{1e7 / core / 3600:,.1f}", billion_hours=f"{1e9 / core / 3600:,.0f}", billion_wall=took(1e9 / core / 1000), per_million=f"{1e6 / core / 3600:.2g}",
    )  # fmt: skip


def write_sources(to):
    "All pages, and Sphinx's own file"
    nbs = ROOT / "nbs"
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(ROOT / "docs", to)
    shutil.copytree(nbs / "images", to / "images")
    library, modules = {}, []
    for path in sorted([*nbs.glob("[0-9]*.ipynb"), *nbs.glob("tutorials/*.ipynb"), *nbs.glob("papers/*.ipynb")]):
        place = to / path.relative_to(nbs)
        place.parent.mkdir(exist_ok=True)
        made = page(path)
        place.write_text(json.dumps(made), encoding="utf-8")
        if path.parent == nbs:
            library.setdefault(PARTS[path.name[0]], []).append(path.stem)
        if (module := module_of(json.loads(path.read_text(encoding="utf-8")))) is not None:
            modules.append(module)
    first = page(nbs / "index.ipynb")
    first["cells"][0] |= {"source": re.sub(r"^# .*", "# Get started", first["cells"][0]["source"], count=1)}
    (to / "start.ipynb").write_text(json.dumps(first), encoding="utf-8")
    (to / "names.md").write_text(names_page(modules), encoding="utf-8")
    results, reproduce = results_pages()
    (to / "results.md").write_text(results, encoding="utf-8")
    (to / "reproduce.md").write_text(reproduce, encoding="utf-8")
    if scaling := scaling_page():
        (to / "scaling.md").write_text(scaling, encoding="utf-8")
    for name, source in {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md", "security": "SECURITY.md", "datasets": "data/README.md"}.items():
        (to / f"{name}.md").write_text((ROOT / source).read_text(encoding="utf-8"), encoding="utf-8")
    for folder in sorted((ROOT / "fer_fastai/deploy/weights").glob("*/MODEL_CARD.md")):
        text = re.sub(r"\A---\n.*?\n---\n", "", folder.read_text(encoding="utf-8"), flags=re.DOTALL)
        (to / f"model_{folder.parent.name}.md").write_text(text, encoding="utf-8")
    tutorials = [f"tutorials/{name}" for name in TUTORIALS if (to / f"tutorials/{name}.ipynb").exists()]
    cards = sorted(p.stem for p in to.glob("model_*.md"))
    sections = {
        "tutorials": ("Tutorials", "Each runs from top to bottom in a few minutes, on drawn faces that come with the package.", [toctree("", tutorials)]),
        "papers": ("Papers", "Five papers: what each did, its table beside ours, and what we found that it did not.", [toctree("", sorted(f"papers/{p.stem}" for p in (to / "papers").glob("*.ipynb")))]),
        "numbers": ("Numbers", "What was measured, how, and how to measure it again.", [toctree("", ["results", "reproduce", *(["scaling"] if (to / "scaling.md").exists() else [])])]),
        "library": ("Library", "The notebooks that the package is exported from, each a lesson. [Every name](names.md) is on one page, too.", [toctree(title, pages) for title, pages in library.items()]),
        "reference": ("Reference", "Names, data, model cards, changes.", [toctree("", ["names", "datasets", *cards, "changelog", "contributing", "security"])]),
    }  # fmt: skip
    for name, (title, said, lists) in sections.items():
        (to / f"{name}.md").write_text("\n\n".join([f"# {title}", said, *lists]) + "\n", encoding="utf-8")
    start = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    (to / "index.md").write_text(f"{start}\n{toctree('', ['start', *sections], hidden=True)}\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "build/docs")
    options = parser.parse_args()
    write_sources(options.to / "source")
    done = subprocess.run([sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", options.to / "source", options.to / "html"])
    print(f"The site is {options.to / 'html/index.html'}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
