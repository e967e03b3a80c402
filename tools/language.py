"""Check text against the project's language rules: `python tools/language.py [--all] [--counts] [paths]`

Checked are docstrings, comments, messages, Markdown cells and Markdown files, in notebooks and in code written by hand.
A finding is printed as `file:cell:line: rule: text -> advice`. The rules are listed in RULES.
"""

import argparse
import ast
import collections
import io
import json
import re
import sys
import tokenize
from dataclasses import dataclass
from pathlib import Path

HERE = Path.cwd().resolve()
ROOT = HERE if (HERE / "nbs").is_dir() else Path(__file__).resolve().parent.parent  # also used from another work tree

RULES = {
    "word": "a word or phrase that the project avoids; the advice names the usual one",
    "start": "a sentence, docstring or comment whose first words hide its subject",
    "voice": "a function's docstring starts with an imperative verb, a class's with a noun phrase",
    "long": "a sentence has more than 25 words",
    "colon": "a sentence has more than one colon or semicolon",
    "message": "the fixed text of an error message has more than 300 characters",
    "width": "a line of code has more than 120 characters",
    "cell": "an export cell has more than three functions or classes",
    "number": "two notebooks have the same number",
    "constant": "a public constant in an export cell: start it with `_` unless a user needs it",
}

# The most findings that tools/check_tree.py accepts. Lower them, never raise them.
LIMITS = {
    "word": 10,
    "start": 4,
    "voice": 2,
    "long": 19,
    "colon": 14,
    "message": 0,
    "width": 4,
    "cell": 4,
    "number": 0,
    "constant": 39,
}

MAX_WORDS = 25
MAX_MESSAGE = 300
MAX_WIDTH = 120
MAX_DEFINITIONS = 3

UNITS = (
    r"ms|s|seconds?|minutes?|hours?|milliseconds?|faces|images|pictures|photos|frames|rows?|lines?|columns?|cells?|"
    r"files?|folders?|bytes|bits|parameters|points?|numbers?|pages?|times|"
    r"once|decisions|reviews|words?|processes|kB|MB|GB"
)
# Pattern and advice. Case is ignored; inline code, link targets and phrases in ALLOWED are removed first.
WORDS = [
    (r"sa(?:y|ys|id|ying)", "report, return, state, name"),
    (r"tells?|told|telling", "report, show, specify"),
    (r"hears?|heard", "receive"),
    (r"speaks? (?:for|to)|spoke for", "is redundant with; connects to"),
    (r"thinks?|believes?|knows|knew", "predicts, contains, supports"),
    (r"mend(?:s|ed|ing)?", "fix, refit"),
    (r"(?:lies?|lay|lain|lying)", "is, exists, is stored"),
    (r"(?:go(?:es|ing|ne)?|went) on", "resume, continue"),
    (r"meets?|met|meeting", "raises, encounters, synchronizes"),
    (r"ship(?:s|ped|ping)?", "is bundled"),
    (r"refus(?:e|es|ed|al|als|ing)", "raises, rejects, error"),
    (r"shares", "probabilities, fractions"),
    (r"plans?", "recipe"),
    (r"pictures?", "image, figure, screenshot"),
    (r"truths?", "labels, reference labels"),
    (r"taught|teach(?:es|ing)?", "trained, distilled"),
    (r"ours|our own|of (?:its|their|his|her|your) own|by itself|one of ours", "own, separate; name the thing"),
    (r"(?:its|their|network's|networks'|model's|same) answers?", "prediction"),
    (r"whoever|whatever|whichever", "name the subject"),
    (r"nobody|anybody|somebody|everybody", "no user, a user, each user"),
    (r"(?:can't|cannot|can not|could not|couldn't|to) be had", "is not available"),
    (r"come[s]? with (?:the|this) package", "is bundled"),
    (r"(?:a|every|each|one) (?:row|column|word|file|folder|number|line|page|cell) an? \w+", "one ... per ..."),
    (rf"(?:{UNITS}) an? (?:second|minute|hour|day|face|image|picture|photo|row|epoch|batch|class|line|step|frame|"
     r"process|worker|file|folder|person|annotator|seed|run|side|core|emotion|label|label set|channel|cell|call)",
     "per"),
    (r"(?:little|big) (?:sister|brother)", "variant"),
    (r"cut faces", "cropped faces"),
    (r"g[ia]ves? way to", "is overridden by"),
    (r"worth (?:against|to|it)", "metric of"),
    (r"made anew|anew", "again"),
    (r"without (?:a|any) word", "silently"),
    (r"with (?:a) sentence", "with a clear error"),
    (r"put in (?:front)", "prepended"),
    (r"stands? on|stood on", "requires"),
]  # fmt: skip

# Phrases in which one of the words above is right.
ALLOWED = [
    r"ground[- ]truth",
    r"query plans?",
    r"picture element",
    r"connection refused",
    r"told apart|tells? (?:\w+ )?apart",
    r"known? as",
    r"meets? (?:the|a) condition",
    r"execution plans?",
]

# First words of a sentence that make the reader search for its subject. Questions are left out.
STARTS = [
    (r"(?:what|who|whoever|whatever|whichever|whose)\b", "name the subject; no free relative clause"),
    (r"(?:some|one|several|those|most|all) of (?:the|its|their|these|those)\b", "imperative verb and object"),
    (r"something (?:that|which|to)\b", "name the thing"),
    (r"the one(?:s)? (?:that|which|of)\b", "name the thing"),
    (r"how (?:it|they|the|a|an|many|much|long|far|often|well|good|sure)\b", "name the quantity"),
    (r"where (?:it|they|the|a|an)\b", "name the place"),
    (r"whether\b", "name the condition: 'True if ...'"),
]
COMMENT_STARTS = [(r"(?:of|that|which|as above|likewise|ditto)\b", "a comment stands alone: start with its noun")]

IMPERATIVES = set(
    """
absorb accept accumulate activate adapt add adjust advance aggregate align allocate allow analyze annotate answer
append apply approximate arrange ask assemble assert assign associate assume attach augment autotune average balance
begin benchmark bin bind bisect blend block blur bound break broadcast build bundle cache calculate calibrate call
cancel cap capture cast center chain change check choose chunk claim clamp classify clean clear click clip clone close
cluster collapse collate collect color combine commit compare compile complete compose compress compute concatenate
configure confirm connect construct consume convert copy correct correlate corrupt count create crop cross-validate
cut damage darken deactivate decide declare decode decompose decrease deduplicate defer define delete denoise
denormalize derive describe deserialize detach detect determine dim disable discard discover dispatch display distill
distort distribute divide double download downsample drag drain draw drive drop dump edit embed emit empty enable
encode encrypt end enforce enlarge ensure enter enumerate erase escape estimate evaluate exchange exclude execute
exercise exit expand expect explain explore export expose extend extract extrapolate factor fail fetch fill filter
find fine-tune finish fit fix flag flatten flip floor flush fold follow forbid force format forward freeze fuse gate
gather generate get give grab group grow guard guess halve handle hash hide highlight hold hook identify ignore
illuminate implement import include increase indent index infer inform initialize inject inline insert inspect install
instantiate interpolate interpret intersect invert invoke issue iterate join judge keep kill label launch learn leave
lighten limit link list listen load localize locate lock log look lower make map mark mask match materialize measure
memoize merge migrate mimic minimize mirror mix mock modify monitor mount move multiply name narrow navigate normalize
notify nudge number observe obtain occlude offer offset open optimize order outline overlay override pad paint
parametrize parse partition pass patch pause peek perform permute persist perturb pick ping pipe pivot place play plot
point poll pool pop post predict prefetch prepare prepend preprocess present preserve press prevent print probe
process produce project propagate protect provide prune publish pull purge push put quantize query queue quote raise
randomize rank rate read rebind rebuild recalibrate receive recognize recompute reconnect reconstruct record recover
reduce refer refit reflect refresh register regroup reinitialize reject relabel relate release reload remap remember
remove rename render reopen reorder repack repeat replace replay report represent request require rerun resample
rescale reset reshape resize resolve respond restart restore restrict resume retain retrain retrieve retry return
reuse reverse revert review rewind rewrite rotate round route run sample save scale scan schedule score seal search
seed segment select send separate serialize serve set shape share shift show shrink shuffle shut sign simplify
simulate sketch skip sleep slice smooth snap solve sort sparsify spawn speed splice split spoil spread square stack
stage standardize start stash step stop store stream stretch strip stub submit subsample substitute subtract suggest
sum summarize suppress swap switch synchronize tabulate tag take tear terminate test tie tile time toggle tokenize
touch trace track train transcribe transfer transform translate transpose treat trigger trim truncate try tune turn
type undo unfold unfreeze unify unlink unpack unregister unset unwrap unzip update upload upsample use validate vary
vectorize verify view visit visualize vote wait wake walk warm warn warp watch weigh weight widen wire work wrap write
yield zero zip zoom
""".split()
)
# Imperatives that are nouns too, so a class or module may start with them.
NOUNS = set(
    """
average balance batch benchmark block cache call center change check clone cluster copy count cross cut cycle
display end export face filter fit fold format group guard index issue label limit link list lock log map mark mask
match measure merge mix mock name number offer order pass patch place plot point pool post process project query
queue rank rate record release report request reset result review round run sample scale schedule score search seed
set shape share shift sort split stack start step stop store stream sum test time track train transfer transform
update view vote walk watch weight wrap zero
""".split()
)

SOURCES = """
nbs/**/*.ipynb fer_fastai/_testgen*.py tests/conftest.py tests/browser/*.py tools/*.py benchmarks/**/*.py docs/*.py
fer_fastai/**/static/*.js fer_fastai/**/static/*.css fer_fastai/**/weights/**/*.md
*.md docs/*.md data/*.md benchmarks/*.md .github/**/*.md .github/**/*.yml .pre-commit-config.yaml
settings.ini pyproject.toml Makefile .ci/run
""".split()

DIRECTIVE = re.compile(r"^#\|\s*([\w-]+)")
MAGIC = re.compile(r"^\s*[%!?]")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[`*_A-Z0-9x])")
CODE_LIKE = re.compile(r"[{}<>\\$=]|\w\|\w|\?:|\bSELECT\b|\bimport\b|^\s*def ", re.M)


@dataclass(frozen=True)
class Finding:
    "One place where a text departs from a rule"

    path: str
    cell: str
    line: int
    rule: str
    text: str

    def __str__(self):
        cell = f"{self.cell}:" if self.cell else ""
        return f"{self.path}:{cell}{self.line}: {self.rule}: {self.text}"


@dataclass(frozen=True)
class Text:
    "One piece of prose with its place; kind is docstring, class, property, module, comment, string or markdown"

    kind: str
    line: int
    text: str


def compiled(pairs, form):
    "Compile patterns of (pattern, advice) pairs"
    return [(re.compile(form.format(pattern), re.I), advice) for pattern, advice in pairs]


WORD_PATTERNS = compiled(WORDS, r"(?<![\w-])(?:{})(?![\w-])")
START_PATTERNS = compiled(STARTS, "{}")
COMMENT_PATTERNS = compiled(COMMENT_STARTS, "{}")
ALLOWED_PATTERN = re.compile("|".join(ALLOWED), re.I)


def prose(text):
    "Remove commands, inline code, addresses, link targets, HTML tags and allowed phrases; keep the number of lines"
    text = re.sub(r"^\s*(?:python|pip|make|fer|\$) .*$", "", text, flags=re.M)
    text = re.sub(r"``[^`]+``|`[^`\n]*`", "x", text)
    text = re.sub(r"\]\([^)\s]*\)", "]", text)
    text = re.sub(r"https?://\S+|</?[a-zA-Z][^>\n]*>", "x", text)
    return ALLOWED_PATTERN.sub("x", text)


def sentences(text):
    "Yield (line offset, sentence) of prose; table cells and list items are separate"
    blocks = []
    for number, line in enumerate(text.split("\n")):
        bare = line.strip()
        new = not bare or re.match(r"[-*+|#>]|\d+[.)]\s", bare) or not blocks or blocks[-1][1] == ""
        if "|" in bare and (bare.startswith("|") or bare.endswith("|")):
            blocks += [(number, cell.strip()) for cell in bare.split("|")] + [(number, "")]
        elif new:
            blocks.append((number, re.sub(r"^(?:[-*+>]|#+|\d+[.)])\s+", "", bare)))
            if bare.startswith("#"):
                blocks.append((number, ""))
        else:
            blocks[-1] = (blocks[-1][0], f"{blocks[-1][1]} {bare}")
    for number, block in blocks:
        for sentence in SENTENCE_END.split(block):
            if sentence.strip():
                yield number, sentence.strip().lstrip("*_\"'([")


def short(text, around=None, width=70):
    "Cut a text for display, around a match where one is given"
    start, end = (max(0, around.start() - 25), around.end() + 25) if around else (0, width)
    return " ".join(text[start:end].split())


def check_prose(piece):
    "Yield (line, rule, text) for the words and sentences of a piece of prose"
    text = prose(piece.text)
    for number, line in enumerate(text.split("\n")):
        for pattern, advice in WORD_PATTERNS:
            for match in pattern.finditer(line):
                yield piece.line + number, "word", f"{match[0]!r} -> {advice}: ...{short(line, match)}..."
    for number, sentence in sentences(text):
        yield from check_sentence(piece, piece.line + number, sentence)


def check_sentence(piece, line, sentence):
    "Yield (line, rule, text) for one sentence"
    words = [word for word in sentence.split() if re.search(r"\w", word)]
    if len(words) > MAX_WORDS:
        yield line, "long", f"{len(words)} words: {short(sentence)}..."
    if piece.kind not in ("comment", "string") and len(re.findall(r"[:;](?=\s)", sentence)) > 1:
        yield line, "colon", f"more than one colon or semicolon: {short(sentence)}..."
    if sentence.rstrip("*_ ").endswith("?"):
        return
    patterns = START_PATTERNS + (COMMENT_PATTERNS if piece.kind == "comment" else [])
    for pattern, advice in patterns:
        if pattern.match(sentence) and (len(words) > 1 or piece.kind in ("docstring", "class")):
            yield line, "start", f"{short(sentence)!r} -> {advice}"
            break


def check_voice(piece):
    "Yield (line, rule, text) when a docstring starts with the wrong part of speech"
    first = re.match(r"[^\s,.:;()`]*", piece.text.strip())[0]
    if piece.kind == "docstring" and first.lower() not in IMPERATIVES:
        yield piece.line, "voice", f"{short(piece.text)!r} -> start with an imperative verb"
    if piece.kind == "class":
        lower = first.lower()
        verb = lower in IMPERATIVES and lower not in NOUNS
        third = (
            lower.endswith("s") and (lower[:-1] in IMPERATIVES or lower[:-2] in IMPERATIVES) and lower[:-1] not in NOUNS
        )
        if verb or third or lower in ("does", "is", "says"):
            yield piece.line, "voice", f"{short(piece.text)!r} -> start with a noun phrase"


def docstring_kind(node):
    "Return the kind of the docstring of a node"
    if isinstance(node, ast.Module):
        return "module"
    if isinstance(node, ast.ClassDef):
        return "class"
    names = [getattr(d, "attr", getattr(d, "id", "")) for d in node.decorator_list]
    return "property" if any("property" in name or name == "setter" for name in names) else "docstring"


def plain_text(node):
    "Return the text of a string or f-string node, with `x` for each field"
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts = [value.value if isinstance(value, ast.Constant) else "x" for value in node.values]
    return "".join(map(str, parts))


def strings(tree):
    "Yield every string that is prose: docstrings with their kind, and strings of three words or more"
    docstrings, inner = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                docstrings[id(first.value)] = docstring_kind(node)
        if isinstance(node, ast.JoinedStr):
            inner |= {id(child) for value in node.values for child in ast.walk(value)}
        if isinstance(node, ast.Attribute) and node.attr == "split":
            inner.add(id(node.value))
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Constant, ast.JoinedStr)) or id(node) in inner:
            continue
        text = plain_text(node)
        if id(node) in docstrings:
            yield Text(docstrings[id(node)], node.lineno, text)
        elif len(text.split()) > 2 and not CODE_LIKE.search(text):
            yield Text("string", node.lineno, text)


def comments(source):
    "Yield the comments of a source, directives and generated ones left out"
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return
    skipped = ("#|", "# %%", "# AUTO", "# fmt:", "# noqa", "# type:", "#!")
    for token in tokens:
        if token.type == tokenize.COMMENT and not token.string.startswith(skipped):
            yield Text("comment", token.start[0], token.string.lstrip("# "))


def check_raises(tree):
    "Yield (line, rule, text) for error messages whose fixed text is too long"
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            parts = [plain_text(arg) for arg in node.exc.args if isinstance(arg, (ast.Constant, ast.JoinedStr))]
            if sum(map(len, parts)) > MAX_MESSAGE:
                yield node.lineno, "message", f"{sum(map(len, parts))} characters: {short(parts[0])}..."


def check_code(source):
    "Yield (line, rule, text) for the prose, lines and messages of Python source"
    for number, line in enumerate(source.split("\n"), 1):
        if len(line) > MAX_WIDTH:
            yield number, "width", f"{len(line)} characters: {line.strip()[:60]}..."
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for piece in [*strings(tree), *comments(source)]:
        yield from check_prose(piece)
        yield from check_voice(piece)
    yield from check_raises(tree)


def check_export(source):
    "Yield (line, rule, text) for the size and the constants of an export cell"
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return
    defined = [node for node in body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    if len(defined) > MAX_DEFINITIONS:
        yield (
            defined[MAX_DEFINITIONS].lineno,
            "cell",
            f"{len(defined)} definitions: {', '.join(n.name for n in defined)}",
        )
    for node in body:
        for target in node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]:
            if isinstance(target, ast.Name) and re.fullmatch(r"[A-Z][A-Z0-9_]+", target.id):
                yield node.lineno, "constant", target.id


def without_magics(source):
    "Replace IPython magics by `pass`, so that the other lines can be parsed"
    lines = source.split("\n")
    if lines and lines[0].startswith("%%"):
        return ""
    return "\n".join(re.sub(r"\S.*", "pass", line) if MAGIC.match(line) else line for line in lines)


def check_markdown(text, line=1):
    "Yield (line, rule, text) for Markdown, fenced code left out"
    text = re.sub(r"^(```|~~~).*?^\1", lambda m: "\n" * m[0].count("\n"), text, flags=re.M | re.S)
    text = re.sub(r"<!--.*?-->", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
    yield from check_prose(Text("markdown", line, text))


def check_notebook(path):
    "Yield (cell id, line, rule, text) for a notebook"
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        source, name = "".join(cell["source"]), cell.get("id", str(number))
        if cell["cell_type"] == "markdown":
            found = list(check_markdown(source))
        elif cell["cell_type"] == "code":
            source = without_magics(source)
            found = list(check_code(source))
            flags = {match[1] for match in map(DIRECTIVE.match, source.split("\n")) if match}
            if flags & {"export", "exporti", "exports"}:
                found += check_export(source)
        else:
            continue
        for line, rule, text in found:
            yield name, line, rule, text


def check_script(path):
    "Yield (line, rule, text) for the comments and strings of a JavaScript or CSS file"
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        for match in re.finditer(r"//\s+(.*)|/\*\s*(.*?)\s*(?:\*/|$)|\"([^\"]* [^\"]* [^\"]*)\"", line):
            yield from check_prose(Text("comment", number, next(filter(None, match.groups()), "")))


def check_settings(path):
    "Yield (line, rule, text) for the comments of a file whose comments start with #"
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if match := re.match(r"(?:[^#'\"]*\s)?#+\s(.*)", line):
            yield from check_prose(Text("comment", number, match[1]))


def check_file(path):
    "Yield the findings of one file"
    name = path.resolve().relative_to(ROOT).as_posix() if path.resolve().is_relative_to(ROOT) else str(path)
    if path.suffix == ".ipynb":
        for cell, line, rule, text in check_notebook(path):
            yield Finding(name, cell, line, rule, text)
        return
    if path.suffix == ".py":
        found = check_code(path.read_text(encoding="utf-8"))
    elif path.suffix == ".md":
        found = check_markdown(path.read_text(encoding="utf-8"))
    elif path.suffix in (".js", ".css"):
        found = check_script(path)
    else:
        found = check_settings(path)
    for line, rule, text in found:
        yield Finding(name, "", line, rule, text)


def duplicate_numbers(paths):
    "Yield a finding for each notebook whose number another one has"
    numbers = collections.defaultdict(list)
    for path in sorted((ROOT / "nbs").glob("*.ipynb")):
        if match := re.match(r"(\d+[a-z]?)_", path.name):
            numbers[match[1]].append(path)
    wanted = {path.resolve() for path in paths}
    for number, found in numbers.items():
        for path in found[1:] if len(found) > 1 else ():
            if path.resolve() in wanted:
                yield Finding(f"nbs/{path.name}", "", 1, "number", f"{number} is also the number of {found[0].name}")


def source_files(root=ROOT):
    "List the files with text written by hand; exported modules and generated tests are checked in their notebooks"
    found = [path for pattern in SOURCES for path in sorted(root.glob(pattern)) if path.is_file()]
    return [
        path for path in dict.fromkeys(found) if ".ipynb_checkpoints" not in path.parts and "_proc" not in path.parts
    ]


def expand(paths):
    "Replace folders by the files in them that are checked"
    for path in map(Path, paths):
        if path.is_dir():
            yield from (file for file in source_files() if path.resolve() in file.resolve().parents)
        elif path.exists():
            yield path
        else:
            sys.exit(f"{path} does not exist: name notebooks, Python or Markdown files, or folders.")


def check(paths=None):
    "Return the findings of the files, all of them by default"
    paths = list(expand(paths)) if paths else source_files()
    found = [finding for path in paths for finding in check_file(path)]
    return found + list(duplicate_numbers(paths))


def over_limits(findings):
    "List the rules that have more findings than LIMITS accepts"
    counts = collections.Counter(finding.rule for finding in findings)
    return [
        f"language: {counts[rule]} findings of rule {rule!r}, {limit} are accepted ({RULES[rule]}); "
        "`python tools/language.py --all` lists them"
        for rule, limit in LIMITS.items()
        if counts[rule] > limit
    ]


def parse_arguments():
    "Parse the command line"
    rules = "\n".join(f"  {name:10}{text}" for name, text in RULES.items())
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=f"rules:\n{rules}", formatter_class=form)
    parser.add_argument("paths", nargs="*", help="files or folders; default: every text written by hand")
    parser.add_argument("--all", action="store_true", help="print every finding, not the first 40")
    parser.add_argument("--counts", action="store_true", help="print the counts per file and rule only")
    parser.add_argument("--rule", action="append", choices=RULES, help="only this rule; may be given several times")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    findings = [f for f in check(arguments.paths) if not arguments.rule or f.rule in arguments.rule]
    if not arguments.counts:
        for finding in findings if arguments.all else findings[:40]:
            print(finding)
        if len(findings) > 40 and not arguments.all:
            print(f"... and {len(findings) - 40} more (--all)")
    by_file = collections.Counter(finding.path for finding in findings)
    if len(by_file) > 1:
        print("\nfindings per file")
        for path, count in by_file.most_common(None if arguments.all or arguments.counts else 15):
            print(f"{count:6} {path}")
    by_rule = collections.Counter(finding.rule for finding in findings)
    print(f"\n{len(findings)} findings: " + (", ".join(f"{by_rule[r]} {r}" for r in RULES if by_rule[r]) or "none"))
    return bool(over_limits(findings)) if not arguments.paths else bool(findings)


if __name__ == "__main__":
    sys.exit(main())
