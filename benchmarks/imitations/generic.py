"""Imitations of class folders and tables of faces in many forms, with the expected label, split and group of each face.

Each function `imitate_<form>(root)` writes drawn faces below `root`. It returns a table indexed by face id, with the
columns label and split, and group where the form has groups. `OPTIONS` has the arguments of `read_faces` for a form.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.synthetic import synthetic_faces

OPTIONS: dict[str, dict] = {  # arguments of read_faces for the forms that need them
    "numbered_folders": {"classes": ["happy", "sad", "fear"]},
    "numbered_folders_of_rafdb": {"classes": "rafdb"},
    "table_of_codes": {"classes": {"7": "sad", "9": "happy"}},
    "single_class": {"classes": ["happy"]},
}
_FACES = None


def face(number: int) -> Image.Image:
    "Return one of the drawn faces"
    global _FACES
    if _FACES is None:
        _FACES = synthetic_faces(140, seed=3).pixels
    return Image.fromarray(_FACES[number % len(_FACES)])


def write(root: Path, names: list[str], rows: list[tuple]) -> pd.DataFrame:
    "Write a face per name and return the table of (id, label, split) or (id, label, split, group)"
    for number, name in enumerate(names):
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        face(number).save(path)
    columns = ["id", "label", "split", "group"][: len(rows[0])]
    return pd.DataFrame(rows, columns=columns).set_index("id")


def folders(root: Path, pattern: str, classes=("Happiness", "Sad", "fear"), splits=("",), persons=("",), n: int = 3):
    "Write class folders by a pattern with {split}, {label}, {person} and {n}, and return the expected table"
    labels = {"Happiness": "happy", "Sad": "sad", "fear": "fear"}
    known = {"": "train", "train": "train", "training": "train", "train_set": "train", "Train": "train"}
    known |= {"val": "valid", "val_set": "valid", "validation": "valid", "Valid": "valid", "eval": "valid"}
    known |= {"test": "test", "testing": "test", "Test": "test"}
    names, rows = [], []
    for split in splits:
        for label in classes:
            for group, person in enumerate(persons):
                for number in range(n):
                    name = pattern.format(split=split, label=label, person=person, n=number)
                    row = (name.rsplit(".", 1)[0], labels.get(label, label), known[split], group)
                    names.append(name)
                    rows.append(row if len(persons) > 1 else row[:3])
    return write(root, names, rows)


def imitate_class_folders(root):
    return folders(root, "{label}/{n}.png")


def imitate_split_folders(root):
    return folders(root, "{split}/{label}/{n}.png", splits=("train", "val", "test"))


def imitate_splits_below_classes(root):
    return folders(root, "{label}/{split}/{n}.png", splits=("train", "test"))


def imitate_container_above_splits(root):
    return folders(root, "images/{split}/{label}/{n}.jpg", splits=("train", "validation"))


def imitate_set_suffixes(root):
    return folders(root, "{split}/images/{label}/{n}.png", splits=("train_set", "val_set"))


def imitate_wrapped(root):
    return folders(root, "wrapped/dataset v2/{split}/{label}/{n}.png", splits=("training", "testing"))


def imitate_named_like_a_dataset(root):
    return folders(root, "DATASET/basic/data/faces/{label}/{n}.png")


def imitate_persons_above_classes(root):
    return folders(root, "{person}/{label}/{n}.png", persons=("P001", "P002", "P003"))


def imitate_persons_below_classes(root):
    return folders(root, "{label}/{person}/{n}.png", persons=("S010", "S011"))


def imitate_sessions(root):
    return folders(root, "Sessions/{person}/{label}/{n}.png", persons=("1700", "1701"))


def imitate_own_classes(root):
    return folders(root, "{label}/{n}.png", classes=("calm", "tense"))


def imitate_misspelled_class(root):
    return folders(root, "{split}/{label}/{n}.png", classes=("Happiness", "Sad", "Suprise"), splits=("train", "test"))


def imitate_system_files(root):
    truth = folders(root, "{label}/{n}.png")
    for name in ("__MACOSX/Sad/._0.png", "@eaDir/Sad/0.png", "Sad/Thumbs.db", "Sad/.DS_Store", ".cache/Sad/0.png"):
        Path(root, name).parent.mkdir(parents=True, exist_ok=True)
        Path(root, name).write_bytes(b"system")
    return truth


def imitate_two_endings(root):
    names = ["happy/a.png", "happy/a.jpg", "sad/a.png"]
    rows = [("happy/a.png", "happy", "train"), ("happy/a.jpg", "happy", "train"), ("sad/a", "sad", "train")]
    return write(root, names, rows)


def imitate_numbered_folders(root):
    labels = enumerate(("happy", "sad", "fear"))
    rows = [(f"train/{code}/{n}", label, "train") for code, label in labels for n in range(3)]
    return write(root, [f"{row[0]}.png" for row in rows], rows)


def imitate_numbered_folders_of_rafdb(root):
    labels = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
    rows = [(f"test/{code}/{n}", label, "test") for code, label in enumerate(labels, 1) for n in range(2)]
    return write(root, [f"{row[0]}.png" for row in rows], rows)


def imitate_single_class(root):
    return folders(root, "{label}/{n}.png", classes=("Happiness",))


def imitate_prefixed_classes(root):
    rows = [(f"{name}/{n}", name[2:], "train") for name in ("0_angry", "3_happy") for n in range(3)]
    return write(root, [f"{row[0]}.png" for row in rows], rows)


def table(root, header: str, lines: list[str], names: list[str], rows: list[tuple], file: str = "labels.csv"):
    "Write faces and a table beside them"
    truth = write(root, names, rows)
    Path(root, file).parent.mkdir(parents=True, exist_ok=True)
    Path(root, file).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return truth


_NAMES = ["images/a.png", "images/b.png", "images/c.png"]
_ROWS = [("images/a", "happy", "train"), ("images/b", "sad", "test"), ("images/c", "fear", "valid")]
_TRAIN = [(name, label, "train") for name, label, _ in _ROWS]


def imitate_table(root):
    return table(root, "path,label", ["images/a.png,joy", "images/b.png,Sad", "images/c.png,fearful"], _NAMES, _TRAIN)


def imitate_table_with_usage(root):
    lines = ["images/a.png,happy,Training", "images/b.png,sad,PrivateTest", "images/c.png,fear,PublicTest"]
    return table(root, "image,emotion,Usage", lines, _NAMES, _ROWS)


def imitate_table_with_semicolons(root):
    lines = ["images/a.png;happy;train", "images/b.png;sad;test", "images/c.png;fear;val"]
    return table(root, "Filename;Expression;Phase", lines, _NAMES, _ROWS)


def imitate_table_with_tabs(root):
    lines = ["a.png\thappy\ttrain", "b.png\tsad\ttest", "c.png\tfear\tdev"]
    return table(root, "file_name\tclass\tpartition", lines, _NAMES, _ROWS, "labels.tsv")


def imitate_table_with_backslashes(root):
    lines = ["images\\a.png,happy,train", "images\\b.png,sad,test", "images\\c.png,fear,valid"]
    return table(root, "img_path,label,set", lines, _NAMES, _ROWS)


def imitate_table_with_is_valid(root):
    lines = ["images/a.png,happy,False", "images/b.png,sad,False", "images/c.png,fear,True"]
    rows = [_TRAIN[0], _TRAIN[1], ("images/c", "fear", "valid")]
    return table(root, "name_of_person,image,label,is_valid".removeprefix("name_of_person,"), lines, _NAMES, rows)


def imitate_table_of_bare_names(root):
    return table(root, "image,label", ["a,happy", "b,sad", "c,fear"], _NAMES, _TRAIN)


def imitate_table_with_groups(root):
    lines = ["images/a.png,happy,anna", "images/b.png,sad,ben", "images/c.png,fear,anna"]
    rows = [(*row, group) for row, group in zip(_TRAIN, (0, 1, 0))]
    return table(root, "path,label,subject", lines, _NAMES, rows)


def imitate_table_with_names_and_codes(root):
    lines = ["images/a.png,9,happy", "images/b.png,7,sad", "images/c.png,1,fear"]
    return table(root, "path,label,emotion", lines, _NAMES, _TRAIN)


def imitate_table_of_codes(root):
    rows = [_TRAIN[0], _TRAIN[1]]
    return table(root, "pth,label", ["images/a.png,9", "images/b.png,7"], _NAMES[:2], rows)


def imitate_tables_per_split(root):
    truth = write(root, _NAMES, _ROWS)
    for name, line in (("train", "images/a.png,happy"), ("test", "images/b.png,sad"), ("val", "images/c.png,fear")):
        Path(root, f"{name}_labels.csv").write_text(f"image,label\n{line}\n")
    return truth


def imitate_table_of_boxes(root):
    photo = Image.new("L", (96, 48))
    photo.paste(face(0), (0, 0))
    photo.paste(face(1), (48, 0))
    photo.save(Path(root, "photo.png"))
    lines = ["photo.png,happy,0,0,48,48", "photo.png,sad,48,0,48,48"]
    Path(root, "boxes.csv").write_text("\n".join(["image,label,left,top,width,height", *lines]) + "\n")
    rows = [("photo#0", "happy", "train"), ("photo#1", "sad", "train")]
    return pd.DataFrame(rows, columns=["id", "label", "split"]).set_index("id")


def imitate_table_of_corners(root):
    truth = imitate_table_of_boxes(root)
    lines = ["photo.png,happy,0,0,48,48", "photo.png,sad,48,0,96,48"]
    Path(root, "boxes.csv").write_text("\n".join(["image,label,xmin,ymin,xmax,ymax", *lines]) + "\n")
    return truth


def imitate_json_lines(root):
    truth = write(root, _NAMES, _ROWS)
    lines = [{"image": f"{i}.png", "label": label, "split": split} for i, label, split in _ROWS]
    Path(root, "rows.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    return truth


def imitate_written_folder(root):
    return _written(root, lambda faces: faces.to_folder(Path(root, "faces")))


def imitate_written_csv(root):
    return _written(root, lambda faces: faces.to_csv(Path(root, "faces.csv")))


def _written(root, save):
    rng = np.random.default_rng(0)
    labels = ["happy", "sad", "contempt", "happy"]
    frame = pd.DataFrame({"label": labels, "split": ["train", "test", "valid", "train"], "group": [4, 4, 9, 2]})
    faces = FaceSet(
        frame.set_axis(["x/1", "x/2", "y/1", "y/2"]),
        ("happy", "sad", "contempt"),
        rng.integers(0, 256, (4, 48, 48), dtype=np.uint8),
    )
    save(faces)
    truth = faces.table[["label", "split", "group"]]
    truth.attrs["noise"] = True  # no drawn faces
    return truth
