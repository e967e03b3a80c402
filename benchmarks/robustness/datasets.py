"""Dataset layouts that are read correctly, equal pixels for every type of source, and hostile inputs that raise.

    .venv/bin/python benchmarks/robustness/datasets.py [--files 100000]

Every imitation of benchmarks/imitations is built from drawn faces and read in one line. Ids, labels, splits, groups and
pixels are compared. A difference without an error counts as a silent error.

Needs: nothing
"""

import importlib
import io
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from skimage import data as skimage_data

from fer_fastai.core import FerError
from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.images import read_image
from fer_fastai.data.readers import read_faces
from fer_fastai.data.synthetic import synthetic_faces

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common

IMITATIONS = ("generic", "wild", "lab", "exports")
NOISE = 8  # mean gray levels by which a JPEG face may differ from the drawn one


# Layouts


def forms():
    "Iterate over the imitations: name, function, arguments of read_faces"
    for part in IMITATIONS:
        module = importlib.import_module(f"imitations.{part}")
        for name in sorted(vars(module)):
            if name.startswith("imitate_"):
                form = name.removeprefix("imitate_")
                yield f"{part}: {form}", getattr(module, name), dict(getattr(module, "OPTIONS", {}).get(form, {}))


def drawn_at(side: int, cache: dict) -> np.ndarray:
    "Return the drawn faces at a side, (n, side * side)"
    if side not in cache:
        faces = synthetic_faces(140, seed=3).pixels
        sized = [np.asarray(Image.fromarray(face).resize((side, side))) for face in faces]
        cache[side] = np.array(sized, np.float32).reshape(len(faces), -1)
    return cache[side]


def distance(image: np.ndarray, cache: dict) -> float:
    "Return the mean gray levels between an image and the most similar drawn face"
    if image.shape[0] != image.shape[1]:
        return np.inf
    return float(np.abs(drawn_at(image.shape[0], cache) - image.reshape(1, -1)).mean(1).min())


def wrong_pixels(faces: FaceSet, cache: dict) -> str:
    "Return the first face that is not a drawn one, or a box in a drawn one; empty where all are"
    for row in range(len(faces)):
        image = faces.image(row, grey=True)
        if distance(image, cache) <= NOISE:
            continue
        box = faces.box(row)
        if box is None:
            return f"{faces.ids[row]}: no drawn face"
        whole = read_image(faces.paths.iloc[row], grey=True)
        left, top, width, height = map(round, box)
        if distance(whole, cache) > NOISE or not np.array_equal(image, whole[top : top + height, left : left + width]):
            return f"{faces.ids[row]}: not the box of its file"
    return ""


def unequal_pixels(faces: FaceSet, truth: pd.DataFrame) -> str:
    "Return the first face whose pixels differ from those that were written; empty where none does"
    for row, face_id in enumerate(faces.ids):
        right = truth.pixels[face_id]
        image = None if right is None else faces.image(row, grey=np.ndim(right) == 2)
        if image is not None and not np.array_equal(image, right):
            return f"{face_id}: {image.shape}, not the written {np.shape(right)}"
    return ""


def differences(faces: FaceSet, truth: pd.DataFrame, cache: dict) -> list[str]:
    "Compare faces with the expected table"
    if set(faces.ids) != set(truth.index):
        return [f"ids {sorted(set(faces.ids) ^ set(truth.index))[:3]}"]
    found = []
    table = faces.table.reindex(truth.index)
    for column in [name for name in ("label", "split") if name in truth]:
        right = [None if pd.isna(value) else value for value in truth[column]]
        if table[column].tolist() != right:
            found.append(column)
    if "group" in truth and not np.array_equal(pd.factorize(table.group)[0], pd.factorize(truth.group)[0]):
        found.append("group")
    if "pixels" in truth:
        pixels = unequal_pixels(faces, truth)
    else:
        pixels = "" if truth.attrs.get("noise") else wrong_pixels(faces, cache)
    return found + ([f"pixels: {pixels}"] if pixels else [])


def layouts() -> pd.DataFrame:
    "Read every imitation and return one row per form, with the outcome: right, silent or error"
    rows, cache = [], {}
    for name, imitate, options in forms():
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            root = Path(folder, "faces")
            root.mkdir()
            truth = imitate(root)
            path = root / options.pop("path", "")
            try:
                faces = read_faces(path, cache=Path(folder, "cache"), **options)
                found = differences(faces, truth, cache)
                rows.append((name, "silent" if found else "right", "; ".join(found)))
            except FerError as error:
                rows.append((name, "error", str(error).replace(folder, "")[:200]))
    return pd.DataFrame(rows, columns=["form", "outcome", "found"]).set_index("form")


# Entrances


def encodings() -> dict[str, bytes]:
    "Encode one face in fifteen ways"
    face = Image.fromarray(skimage_data.astronaut()[0:224, 112:336])
    gray = np.asarray(face.convert("L"))
    exif = Image.Exif()
    exif[0x0112] = 6
    alpha = face.copy()
    alpha.putalpha(Image.fromarray(255 - gray // 2))
    turned = face.transpose(Image.Transpose.ROTATE_90)
    wide, wider = Image.fromarray(gray.astype(np.uint16) * 257), Image.fromarray(gray.astype(np.int32) * 257)
    options = {
        "png": (face, "PNG", {}),
        "gray png": (face.convert("L"), "PNG", {}),
        "16-bit png": (wide, "PNG", {}),
        "palette png": (face.quantize(256), "PNG", {}),
        "alpha png": (alpha, "PNG", {}),
        "gray alpha png": (alpha.convert("LA"), "PNG", {}),
        "bilevel png": (face.convert("1"), "PNG", {}),
        "jpeg": (face, "JPEG", {"quality": 95}),
        "gray jpeg": (face.convert("L"), "JPEG", {"quality": 95}),
        "sideways jpeg": (turned, "JPEG", {"exif": exif, "quality": 95}),
        "cmyk jpeg": (face.convert("CMYK"), "JPEG", {"quality": 95}),
        "32-bit tiff": (wider, "TIFF", {}),
        "sideways tiff": (turned, "TIFF", {"exif": exif}),
        "webp": (face, "WEBP", {"lossless": True}),
        "gif": (face, "GIF", {}),
    }
    contents = {}
    for name, (image, kind, save) in options.items():
        buffer = io.BytesIO()
        image.save(buffer, kind, **save)
        contents[name] = buffer.getvalue()
    return contents


def entrances(content: bytes, suffix: str, folder: Path) -> dict[str, np.ndarray]:
    "Read one encoded face through every entrance; return its pixels"
    root = Path(folder, "a")
    for label in ("happy", "sad"):
        (root / label).mkdir(parents=True)
        (root / label / f"1{suffix}").write_bytes(content)
    path = root / "happy" / f"1{suffix}"
    table = Path(folder, "table.csv")
    table.write_text(f"image,label\na/happy/1{suffix},happy\na/sad/1{suffix},sad\n")
    parquet = Path(folder, "faces.parquet")
    pd.DataFrame({"image": [content, content], "label": ["happy", "sad"]}).to_parquet(parquet)
    pixels = {
        "path": read_image(path),
        "text path": read_image(str(path)),
        "bytes": read_image(content),
        "bytearray": read_image(bytearray(content)),
        "BytesIO": read_image(io.BytesIO(content)),
        "Pillow": read_image(Image.open(path)),
        "array": read_image(read_image(path)),
        "folder": read_faces(root).image(0),
        "table": read_faces(table).image(0),
        "loaded": read_faces(root, load=True, cache=False).pixels[0],
        "parquet": read_faces(parquet, cache=False).image(0),
    }
    return pixels


def equal_entrances() -> tuple[int, int, list[str]]:
    "Compare the pixels of every entrance; return equal pairs, all pairs, and the pairs that differ"
    equal, pairs, other = 0, 0, []
    for name, content in encodings().items():
        suffix = "." + name.split()[-1]
        with tempfile.TemporaryDirectory() as folder:
            found = entrances(content, suffix, Path(folder))
        for entrance, pixels in found.items():
            pairs += 1
            same = pixels.shape == found["path"].shape and bool((pixels == found["path"]).all())
            equal += same
            other += [] if same else [f"{name}, {entrance}"]
    return equal, pairs, other


# Hostile inputs

PATHS = ("../victim.png", "/etc/passwd", "a/../../victim.png", "..", "s3://evil/x.png?endpoint_override=host",
         "https://host/x.png", "file:///etc/passwd", "data:image/png;base64,AAAA", "C:\\victim.png", "\\\\host\\x.png",
         "http://169.254.169.254/latest", "gs://bucket/x.png", "a" * 2000 + ".png", "~/../victim.png",
         "./../victim.png",
         "images/../../victim.png", "//host/x.png", "ftp://host/x.png", "happy/..", "/dev/zero")  # fmt: skip
NAMES = ("../../victim", "/victim", "..", ".", "a\0b", "x" * 300, "a/b", "a\\..\\b", "\n", " ", "../x", "a/../../b",
         "C:/../x", "\r\n", "\x1b[31m", "/")  # fmt: skip


def hostile_cells() -> list[tuple]:
    "Return cells of a table that name a file outside its folder"

    def read(path, text):
        table = path / "t.csv"
        pd.DataFrame({"image": [text], "label": ["sad"]}).to_csv(table, index=False)
        return read_faces(table, cache=False)

    return [(f"cell {text[:40]!r}", lambda path, text=text: read(path, text)) for text in PATHS]


def hostile_names() -> list[tuple]:
    "Return labels and ids that are paths"
    pixels = np.zeros((1, 48, 48), np.uint8)

    def labeled(path, name):
        return FaceSet(pd.DataFrame({"label": [name]}, index=["a"]), (name,), pixels).to_folder(path / "out" / "faces")

    def named(path, name):
        return FaceSet(pd.DataFrame({"label": ["sad"]}, index=[name]), pixels=pixels).to_folder(path / "out" / "faces")

    names = [name for name in NAMES if name not in ("a/b",)]
    return [(f"label {name[:20]!r}", lambda path, name=name: labeled(path, name)) for name in NAMES] + [
        (f"id {name[:20]!r}", lambda path, name=name: named(path, name)) for name in names
    ]


def hostile_files() -> list[tuple]:
    "Return pipes, devices, links, bombs and files of other programs"

    def among(path, make):
        for label in ("happy", "sad"):
            (path / "f" / label).mkdir(parents=True)
            Image.new("L", (48, 48)).save(path / "f" / label / "1.png")
        make(path / "f" / "happy")
        return read_faces(path / "f", cache=False, load=True)

    def bomb(folder):
        Image.new("1", (12_000, 12_000)).save(folder / "2.png")

    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    makes = {
        "pipe": lambda folder: os.mkfifo(folder / "2.png"),
        "link to a device": lambda folder: os.symlink("/dev/zero", folder / "2.png"),
        "link to a pipe": lambda folder: (os.mkfifo(folder / "p"), os.symlink(folder / "p", folder / "2.png")),
        "link to nothing": lambda folder: os.symlink("nowhere", folder / "2.png"),
        "link to its folder": lambda folder: os.symlink("..", folder / "again"),
        "links to each other": lambda folder: (
            os.symlink(folder.parent / "sad", folder / "x"),
            os.symlink(folder, folder.parent / "sad" / "y"),
        ),
        "link to itself": lambda folder: os.symlink(folder / "2.png", folder / "2.png"),
        "144 megapixels": bomb,
        "empty file": lambda folder: (folder / "2.png").touch(),
        "text": lambda folder: (folder / "2.png").write_text("text"),
        "page of HTML": lambda folder: (folder / "2.jpg").write_text("<html><script>alert(1)</script>"),
        "truncated": lambda folder: (folder / "2.png").write_bytes((folder / "1.png").read_bytes()[:60]),
    }
    for suffix in ("png", "jpg", "tiff", "gif", "webp", "bmp"):
        makes[f"PostScript as .{suffix}"] = lambda folder, suffix=suffix: (folder / f"2.{suffix}").write_bytes(script)
    return [(name, lambda path, make=make: among(path, make)) for name, make in makes.items()]


def hostile() -> pd.DataFrame:
    "Read every hostile input and return one row per input, with the error or the result"
    rows = []
    for name, act in hostile_cells() + hostile_names() + hostile_files():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "in")
            path.mkdir()
            try:
                found, refused = repr(act(path))[:120], False
            except FerError as error:
                found, refused = str(error).replace(folder, "")[:160], True
            outside = [entry for entry in os.listdir(folder) if entry != "in"]
            rows.append((name, refused and not outside, found))
    return pd.DataFrame(rows, columns=["input", "refused", "found"]).set_index("input")


# Many files


def list_files(n: int) -> float:
    "Read a folder of n small images; return the seconds"
    buffer = io.BytesIO()
    Image.fromarray(synthetic_faces(7, seed=1).pixels[0]).save(buffer, "PNG")
    content = buffer.getvalue()
    with tempfile.TemporaryDirectory() as folder:
        for label in ("happy", "sad"):
            Path(folder, label).mkdir()
        for number in range(n):
            Path(folder, "happy" if number % 2 else "sad", f"{number:06d}.png").write_bytes(content)
        start = time.perf_counter()
        faces = read_faces(folder, cache=False)
        seconds = time.perf_counter() - start
    if len(faces) != n:
        raise SystemExit(f"{len(faces)} of {n} files")
    return seconds


def claims_of(forms, equal, pairs, inputs, seconds) -> list[dict]:
    "Return the claims"
    right, silent = (int((forms.outcome == outcome).sum()) for outcome in ("right", "silent"))
    topic = dict(topic="robustness")
    return [
        common.claim("dataset_layouts_read", right, "Layouts of datasets read right in one line", "count", "higher",
                     **topic, reference=len(forms), reference_source="all imitations", note="drawn faces"),
        common.claim("dataset_silent_errors", silent, "Layouts of datasets read wrong without an error", "count",
                     "lower", **topic, note="ids, labels, splits, groups and pixels are compared"),
        common.claim("decoder_entrances_equal", equal, "Encodings and entrances with equal pixels", "count", "higher",
                     **topic, reference=pairs, reference_source="15 encodings, 11 entrances"),
        common.claim("hostile_inputs_refused", inputs.refused.sum(), "Hostile paths, names and files that raise",
                     "count", "higher", **topic, reference=len(inputs), reference_source="all tried"),
        common.claim("list_100k_files_s", seconds, "List and check 100,000 image files in a folder", "s", "lower",
                     topic="speed", note="48 x 48 PNG, warm file cache"),
    ]  # fmt: skip


def main():
    "Measure and write the results file"
    parser = common.Parser(__doc__)
    parser.add_argument("--files", type=int, default=100_000, help="number of image files to list")
    options = parser.parse_args()
    found, inputs = layouts(), hostile()
    equal, pairs, other = equal_entrances()
    print(found[found.outcome != "right"].to_string() if (found.outcome != "right").any() else "all layouts are right")
    print(inputs[~inputs.refused].to_string() if (~inputs.refused).any() else "all hostile inputs raise an error")
    print(f"{equal} of {pairs} entrances are equal", *other, sep="\n")
    seconds = list_files(options.files)
    claims = claims_of(found, equal, pairs, inputs, seconds)
    by_outcome = found.reset_index().groupby("outcome").form.agg(list).to_dict()
    common.write_result("datasets", claims, layouts=by_outcome, files=options.files, other_entrances=other)


if __name__ == "__main__":
    main()
