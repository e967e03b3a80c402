"""Pages about the benchmarks: results by topic, commands that reproduce them, scaling, and benchmarks/README.md.

    .venv/bin/python tools/results_pages.py           write benchmarks/README.md
    .venv/bin/python tools/results_pages.py --check   list results files and README rows that break the rules

tools/docs.py calls `results_pages` and `scaling_page`; tools/check_tree.py calls `problems`.
"""

import argparse
import ast
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS, RESULTS = ROOT / "benchmarks", ROOT / "benchmarks/results"
README = BENCHMARKS / "README.md"
MOST_BYTES, MOST_CELL = 40_000, 100
TOPICS = {
    "accuracy": "Networks on FER2013 and SFEW. An interval is the 95 % bootstrap interval over faces, "
    "unless the note names another.",
    "cleaning": "Rankings of label errors, what cleaning changes, and the latency of the label cleaner.",
    "compression": "Pruning of ResNet-34 by distinctiveness.",
    "speed": "Latency and throughput on two cores, and times of the workflow.",
    "scale": "Many faces, long films, several processes.",
    "robustness": "Malformed inputs, crashes, and changes of the image.",
}
FOLDERS = {
    "accuracy": "Training and scoring of networks",
    "cleaning": "Label errors and duplicates",
    "robustness": "Malformed inputs, crashes, test coverage, changed images",
    "speed": "Latency, throughput, memory and growth",
}
FIELDS = (
    "id", "metric", "value", "unit", "better", "reference", "reference_source", "split", "selected_on", "tta", "seeds",
    "interval", "topic", "note",
)  # fmt: skip
HEADER = (
    "metric", "value", "better", "reference", "against reference", "split", "selected on", "TTA, seeds", "note",
)  # fmt: skip
TTA = {"single": "single view", "flip": "flip", "ten_crop": "ten crops", "mixed": "mixed"}
UNITS_OF_TIME = (
    (1e-3, 1e-6, "µs"),
    (1, 1e-3, "ms"),
    (90, 1, "seconds"),
    (5400, 60, "minutes"),
    (172800, 3600, "hours"),
    (1e99, 86400, "days"),
)
WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---"  # front matter of a page with wide tables
STEPS = {
    "read": "read images from Parquet",
    "train_step": "a training step of mini-Xception, batch 128",
    "score": "predict with the small CNN",
    "rank": "rank label issues",
    "widget": "open the label cleaner",
}


# Reading


def read_results() -> dict:
    "Return name -> content of all results files, by script and name"
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))}
    return dict(sorted(files.items(), key=lambda item: (item[1]["script"], item[0])))


def scripts() -> list:
    "Return all benchmark scripts"
    return sorted(path for folder in FOLDERS for path in (BENCHMARKS / folder).glob("*.py"))


def described(path: Path) -> tuple:
    "Return what a script measures and what it needs first, from its docstring"
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    needs = re.search(r"^Needs:(.*?)(?:\n\n|\Z)", doc, flags=re.MULTILINE | re.DOTALL)
    return doc.split("\n")[0].rstrip("."), " ".join(needs[1].split()) if needs else ""


# Formatting


def table(header, rows) -> str:
    "Return a Markdown table"
    lines = [[str(cell).replace("|", "\\|") for cell in row] for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def took(seconds: float) -> str:
    "Return a duration in a readable unit"
    if not seconds:
        return "under a second"
    unit, name = next((unit, name) for most, unit, name in UNITS_OF_TIME if seconds <= most)
    number = seconds / unit
    return f"{number:,.0f} {name}" if number >= 100 else f"{number:.3g} {name}"


def with_unit(value: float, unit: str) -> str:
    "Return a value as a reader expects it"
    known = {
        "fraction": f"{100 * value:.2f} %",
        "difference": f"{100 * value:+.2f} points" if value else "0 points",
        "score": f"{value:.3f}" if abs(value) >= 0.001 or not value else f"{value:.1e}",
        "nats": f"{value:.3f} nats",
        "ratio": f"{value:.2f} times",
    }
    number = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return known.get(unit, f"{number} {unit}")


def value_cell(claim: dict, dirty: bool) -> str:
    "Return the value with its interval; a dagger marks uncommitted changes"
    mark = " †" if dirty else ""
    if not claim["interval"]:
        return with_unit(claim["value"], claim["unit"]) + mark
    low, high = (with_unit(end, claim["unit"]).split(" ")[0] for end in claim["interval"])
    return f"{with_unit(claim['value'], claim['unit'])} ({low} to {high}){mark}"


def comparison(claim: dict) -> str:
    "Return whether the value is better or worse than the reference, and by how much"
    value, reference, unit = claim["value"], claim["reference"], claim["unit"]
    if reference is None:
        return ""
    if value == reference:
        return "equal"
    word = "better" if (value > reference) == (claim["better"] == "higher") else "**worse**"
    if unit in ("fraction", "difference"):
        return f"{word}, {100 * (value - reference):+.2f} points"
    if unit in ("s", "ms"):
        factor = max(value, reference) / min(value, reference)
        return f"{word}, {factor:.2f} times {'slower' if value > reference else 'faster'}"
    if unit == "score" or not reference:
        return f"{word}, {value - reference:+.2g}"
    return f"{word}, {value / reference:.2f} times"


def seeds_cell(claim: dict) -> str:
    "Return test-time augmentation and seeds"
    seeds = claim["seeds"]
    counted = f"{len(seeds)} seed{'s' * (len(seeds) > 1)} ({', '.join(map(str, seeds))})" if seeds else ""
    return ", ".join(part for part in (TTA.get(claim["tta"], ""), counted) if part)


def claim_row(claim: dict, result: dict) -> list:
    "Return the cells of a row on the results page"
    reference = ""
    if claim["reference"] is not None:
        reference = f"{with_unit(claim['reference'], claim['unit'])}, {claim['reference_source']}"
    return [
        f"[{claim['metric']}](#{anchor(result['script'])})",
        value_cell(claim, result["commit"].endswith("+")),
        claim["better"],
        reference,
        comparison(claim),
        claim["split"] or "",
        claim["selected_on"] or "",
        seeds_cell(claim),
        claim["note"],
    ]


def anchor(script: str) -> str:
    "Return the target of a script's section on the Reproduce page"
    return f"reproduce-{Path(script).stem.replace('_', '-')}"


# Pages


def results_page(files: dict) -> str:
    "Return the page of all claims, one table per topic"
    dirty = sum(found["commit"].endswith("+") for found in files.values())
    parts = [
        f"{WIDE}\n\n# Results",
        "Each value is read from the file that its script wrote. Networks are trained on FER2013's Training without "
        "exact copies of test faces. Epochs and options are selected on PublicTest; PrivateTest is scored once. Each "
        "row links to the command that reproduces it.",
        "* *Better* is the direction of improvement. *Against reference* compares the value with the reference.\n"
        "* *TTA* is test-time augmentation. One seed means that no variation over seeds was measured.\n"
        f"* † marks values measured with uncommitted changes in the source tree ({dirty} of {len(files)} files).",
    ]
    for topic, words in TOPICS.items():
        rows = [claim_row(c, found) for found in files.values() for c in found["claims"] if c["topic"] == topic]
        parts.append(f"## {topic.capitalize()}\n\n{words}\n\n{table(HEADER, rows)}")
    return "\n\n".join(parts) + "\n"


def reproduce_page(files: dict) -> str:
    "Return the page of commands, by script"
    parts = [
        f"{WIDE}\n\n# Reproduce",
        "Run each command from the project root of a clone, after `make demo`. `make bench` runs all in order. Scripts "
        "that train resume after an interruption. FER2013 is expected in the data folder: see [Datasets](datasets.md). "
        "A `+` after a commit means uncommitted changes.",
    ]
    for folder, words in FOLDERS.items():
        parts.append(f"## {folder.capitalize()}\n\n{words}.")
        for path in scripts():
            script = path.relative_to(ROOT).as_posix()
            made = {name: found for name, found in files.items() if found["script"] == script}
            if path.parent.name != folder or not made:
                continue
            measures, needs = described(path)
            rows = [
                [f"`{name}.json`", f"`{found['command']}`", took(found["wall_s"]), f"`{found['commit']}`"]
                for name, found in made.items()
            ]
            needed = f" Needs {needs}." if needs not in ("", "nothing") else ""
            made_by = table(("result", "command", "time", "commit"), rows)
            parts.append(f"({anchor(script)})=\n### {path.name}\n\n{measures}.{needed}\n\n{made_by}")
    return "\n\n".join(parts) + "\n"


def results_pages() -> tuple:
    "Return the results page and the page of the commands that reproduce them"
    files = read_results()
    return results_page(files), reproduce_page(files)


def scaling_page() -> str | None:
    "Return the page of cost by number of faces; None where it was not measured"
    paths = [RESULTS / f"{name}.json" for name in ("scaling", "bulk")]
    if not all(path.exists() for path in paths):
        return None
    scaling, bulk = (json.loads(path.read_text(encoding="utf-8")) for path in paths)
    steps = {name: {int(n): row for n, row in rows.items()} for name, rows in scaling["steps"].items()}
    sizes = sorted(steps["read"])
    rows = []
    for name, found in steps.items():
        cells = [f"{took(found[n]['seconds'])}, {found[n]['mib'] / 1024:.1f} GB" for n in sizes]
        rows.append([STEPS[name], *cells, f"{scaling['growth'][name]:.2f}"])
    most, core = sizes[-1], bulk["median"]["faces"] / bulk["median"]["bulk_cores_s"]

    def at(name, n, what="seconds"):
        return steps[name][most][what] * n / most

    return (
        (ROOT / "docs/scaling.txt")
        .read_text(encoding="utf-8")
        .format(
            table=table(("step", *(f"{n:,} faces" for n in sizes), "exponent of growth"), rows),
            cores=scaling["hardware"]["cores"],
            core=f"{core:,.0f}",
            model=bulk["recipe"]["model"],
            ten_read=took(at("read", 1e7)),
            ten_rank=took(at("rank", 1e7)),
            ten_widget=took(at("widget", 1e7)),
            ten_gb=f"{at('rank', 1e7, 'mib') / 1024:,.0f}",
            ten_hours=f"{1e7 / core / 3600:,.1f}",
            billion_hours=f"{1e9 / core / 3600:,.0f}",
            billion_wall=took(1e9 / core / 1000),
            per_million=f"{1e6 / core / 3600:.2g}",
        )
    )


def benchmarks_readme() -> str:
    "Return benchmarks/README.md"
    files = read_results()
    parts = [
        "<!-- written by tools/results_pages.py from the docstrings of the scripts and from results/*.json -->",
        "# Benchmarks",
        "Every number in the README, the docs and the paper pages is measured by one of these scripts. Run them from "
        "the project root:\n\n    .venv/bin/python benchmarks/accuracy/nets.py compact\n\n`make bench` runs all in "
        "order. `--help` lists the options of a script. An interrupted training is resumed. Runs are kept under "
        "`runs/`, or under `FER_RUNS`. Times are those of the recorded results, on 2 cores unless a GPU is needed, "
        "without the runs that a script reads.",
        "A script writes `results/<name>.json`, at most 40 kB. Larger tables are in `results/<name>.parquet`. Each "
        f"entry of `claims` has the fields {', '.join(FIELDS)}. A script writes no results of a tree with "
        "uncommitted changes. `--allow-dirty` overrides that, and the results page marks the values.",
    ]
    for folder, words in FOLDERS.items():
        rows = []
        for path in scripts():
            if path.parent.name == folder:
                measures, needs = described(path)
                made = [
                    found["wall_s"] for found in files.values() if found["script"].endswith(f"{folder}/{path.name}")
                ]
                rows.append([f"[{path.name}]({folder}/{path.name})", measures, took(sum(made)) if made else "", needs])
        parts.append(f"## {folder}\n\n{words}.\n\n{table(('script', 'measures', 'time', 'needs first'), rows)}")
    return "\n\n".join(parts) + "\n"


# Checks


def claim_problems(name: str, claim: dict, result: dict):
    "Yield what is wrong with one claim"
    where = f"benchmarks/results/{name}.json: {claim.get('id')}"
    missing = [field for field in FIELDS if field not in claim]
    if missing or len(claim) != len(FIELDS):
        yield f"{where}: fields {', '.join(claim)}; expected {', '.join(FIELDS)}"
        return
    if claim["better"] not in ("higher", "lower") or claim["topic"] not in TOPICS:
        yield f"{where}: better {claim['better']!r}, topic {claim['topic']!r}; expected known ones"
    for cell in claim_row(claim, result)[1:]:
        if len(cell) > MOST_CELL:
            yield f"{where}: a cell of {len(cell)} characters; expected at most {MOST_CELL}: {cell[:60]}..."


def problems():
    "Yield results files, claims and README rows that break the rules"
    files, seen = read_results(), {}
    for name, found in files.items():
        path = RESULTS / f"{name}.json"
        if path.stat().st_size > MOST_BYTES:
            yield f"benchmarks/results/{name}.json: {path.stat().st_size:,} bytes; expected at most {MOST_BYTES:,}"
        if not (ROOT / found["script"]).is_file():
            yield f"benchmarks/results/{name}.json: script {found['script']} does not exist"
        for claim in found["claims"]:
            if claim["id"] in seen:
                yield f"benchmarks/results/{name}.json: {claim['id']} is also in {seen[claim['id']]}.json"
            seen[claim["id"]] = name
            yield from claim_problems(name, claim, found)
    for path in scripts():
        if not all(described(path)):
            yield f"{path.relative_to(ROOT)}: the docstring needs a first line and a paragraph `Needs: ...`"
    if not README.exists() or README.read_text(encoding="utf-8") != benchmarks_readme():
        yield "benchmarks/README.md: not what tools/results_pages.py writes; run `make prepare`"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="list problems instead of writing")
    if parser.parse_args().check:
        found = list(problems())
        print(*found, sep="\n", end="\n" * bool(found))
        return bool(found)
    README.write_text(benchmarks_readme(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
