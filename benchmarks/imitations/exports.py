"""Imitations of Hugging Face datasets and of exports of annotation tools, with the right label, split and group.

Each function `imitate_<form>(root)` writes drawn faces below `root` and returns the right values, one row per face. The
columns are label, split, and group where the form has groups. The index is the id from `read_faces(root, **options)`,
where the options are `OPTIONS.get(form, {})`.
"""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
from PIL import Image

from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.synthetic import synthetic_faces

OPTIONS: dict[str, dict] = {  # arguments of read_faces for the forms that need them
    "hf_shards_without_names": {"classes": ["fear", "happy", "sad"]},
    "hf_bytes_with_usage": {"classes": {"5": "sad", "6": "fear"}},
}
_FACES = None
_TAG = "0123456789abcdef0123456789abcdef"  # hash in a file name of Roboflow


def face(number: int, side: int | None = None) -> Image.Image:
    "Return one of the drawn faces, resized to a side"
    global _FACES
    if _FACES is None:
        _FACES = synthetic_faces(140, seed=3).pixels
    image = Image.fromarray(_FACES[number % len(_FACES)])
    return image.resize((side, side)) if side else image


def encoded(number: int, side: int | None = None, kind: str = "PNG") -> bytes:
    "Return the file content of a face"
    target = io.BytesIO()
    face(number, side).save(target, kind)
    return target.getvalue()


def write(root: Path, *names: str):
    "Write a face per name"
    for number, name in enumerate(names):
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        face(number).save(path)


def truth(rows: list[tuple]) -> pd.DataFrame:
    "Return the right values of (id, label, split) or (id, label, split, group)"
    return pd.DataFrame(rows, columns=["id", "label", "split", "group"][: len(rows[0])]).set_index("id")


def text(root: Path, name: str, *lines: object):
    "Write a text file, or JSON for a single object"
    path = Path(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    single = len(lines) == 1 and not isinstance(lines[0], str)
    path.write_text(json.dumps(lines[0]) if single else "\n".join([*map(str, lines), ""]), encoding="utf-8")


def features(names: list[str] | None) -> dict:
    "Return the features of Hugging Face for an image and a label"
    label = {"names": names, "_type": "ClassLabel"} if names else {"dtype": "int64", "_type": "Value"}
    return {"image": {"_type": "Image"}, "label": label}


def shard(root: Path, name: str, images: list, names: list[str] | None = None, **columns):
    "Write a Parquet shard"
    path = Path(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"huggingface": json.dumps({"info": {"features": features(names)}})}
    table = pyarrow.table({"image": images, **columns}).replace_schema_metadata(metadata)
    pyarrow.parquet.write_table(table, path)


def pictures(*numbers: int, sides: tuple = (None,)) -> list[dict]:
    "Return images as Hugging Face stores them"
    content = [encoded(number, sides[number % len(sides)]) for number in numbers]
    return [{"bytes": blob, "path": f"{number}.png"} for number, blob in zip(numbers, content)]


NAMES = ["anger", "joy", "sadness"]  # alphabetical: not the order of FER2013
SHARD_TRUTH = [
    ("train/00000", "happy", "train"),
    ("train/00001", "sad", "train"),
    ("train/00002", "angry", "train"),
    ("test/00000", "happy", "test"),
]


def imitate_hf_shards(root):
    shard(root, "data/train-00000-of-00002.parquet", pictures(0, 1), NAMES, label=[1, 2])
    shard(root, "data/train-00001-of-00002.parquet", pictures(2), NAMES, label=[0])
    shard(root, "data/test-00000-of-00001.parquet", pictures(3), NAMES, label=[1])
    return truth(SHARD_TRUTH)


def imitate_hf_shards_of_several_sizes(root):
    images = pictures(0, 1, 2, 3, sides=(40, None, 64))
    shard(root, "repo/default/train/0000.parquet", images[:3], NAMES, label=[1, 2, 0])
    shard(root, "repo/default/test/0000.parquet", images[3:], NAMES, label=[1])
    return truth(SHARD_TRUTH)


def imitate_hf_shards_with_card(root):
    shard(root, "data/train-00000-of-00001.parquet", pictures(0, 1, 2), label=[1, 2, 0])
    shard(root, "data/test-00000-of-00001.parquet", pictures(3), label=[1])
    names = [f"          '{code}': {name}" for code, name in enumerate(NAMES)]
    head = ["---", "license: mit", "dataset_info:", "  features:", "  - name: image", "    dtype: image"]
    text(
        root, "README.md", *head, "  - name: label", "    dtype:", "      class_label:", "        names:", *names, "---"
    )
    return truth(SHARD_TRUTH)


def imitate_hf_shards_with_infos(root):
    shard(root, "data/train-00000-of-00001.parquet", pictures(0, 1, 2), label=[1, 2, 0])
    shard(root, "data/test-00000-of-00001.parquet", pictures(3), label=[1])
    text(root, "dataset_infos.json", {"default": {"features": features(NAMES)}})
    return truth(SHARD_TRUTH)


def imitate_hf_shards_without_names(root):
    shard(root, "data/train-00000-of-00001.parquet", pictures(0, 1), label=[1, 2])
    shard(root, "data/validation-00000-of-00001.parquet", pictures(2), label=[0])
    return truth([("train/00000", "happy", "train"), ("train/00001", "sad", "train"), ("valid/00000", "fear", "valid")])


def imitate_hf_text_labels(root):
    shard(root, "train.parquet", pictures(0, 1), emotion=["Joy", "sadness"], subject=["S2", "S1"])
    shard(root, "test.parquet", pictures(2), emotion=["Joy"], subject=["S3"])
    rows = [
        ("train/00000", "happy", "train", 1),
        ("train/00001", "sad", "train", 0),
        ("test/00000", "happy", "test", 2),
    ]
    return truth(rows)


def imitate_hf_bytes_with_usage(root):
    images = [encoded(number) for number in range(3)]
    shard(root, "faces.parquet", images, emotion=[5, 6, 5], Usage=["Training", "PublicTest", "PrivateTest"])
    splits = enumerate(["train", "valid", "test"])
    return truth([(f"{Path(root).name}/{n:05d}", "fear" if n == 1 else "sad", split) for n, split in splits])


def _save(root: Path, split: str, images: list, labels: list):
    "Write a split as save_to_disk does"
    folder, name = Path(root, split), "data-00000-of-00001.arrow"
    folder.mkdir(parents=True)
    table = pyarrow.table({"image": images, "label": labels})
    with pyarrow.OSFile(str(folder / name), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    text(folder, "dataset_info.json", {"features": features(NAMES)})
    text(folder, "state.json", {"_data_files": [{"filename": name}], "_split": split})


def imitate_hf_saved(root):
    _save(root, "train", pictures(0, 1, 2), [1, 2, 0])
    _save(root, "test", pictures(3), [1])
    text(root, "dataset_dict.json", {"splits": ["train", "test"]})
    return truth(SHARD_TRUTH)


def imitate_hf_metadata_csv(root):
    write(root, "a.png", "x/b.png")
    text(root, "metadata.csv", "file_name,label", "a.png,joy", "x/b.png,sadness")
    return truth([("a", "happy", "train"), ("x/b", "sad", "train")])


def imitate_hf_metadata_jsonl(root):
    write(root, "set/train/a.png", "set/train/b.png", "set/validation/a.png")
    lines = [
        {"file_name": f"{name}.png", "emotion": label, "person": "P1"} for name, label in (("a", "joy"), ("b", "fear"))
    ]
    text(root, "set/train/metadata.jsonl", *map(json.dumps, lines))
    text(root, "set/validation/metadata.jsonl", json.dumps({"file_name": "a.png", "emotion": "fear", "person": "P2"}))
    rows = [("train/a", "happy", "train", 0), ("train/b", "fear", "train", 0), ("validation/a", "fear", "valid", 1)]
    return truth(rows)


def imitate_written_parquet(root):
    rows = [("x/1", "sad", "train", 4), ("x/2", "happy", "test", 4), ("y", "fear", "valid", 2)]
    table = truth(rows)
    pixels = np.stack([np.asarray(face(number)) for number in range(3)])
    FaceSet(table.rename_axis("face_id"), ("sad", "happy", "fear"), pixels).to_parquet(Path(root, "faces.parquet"))
    return table


def _task(image: str, *answers: tuple) -> dict:
    "Return a task of Label Studio with (annotator, choice), where None is a skipped task"
    annotations = []
    for who, choice in answers:
        result = [{"type": "choices", "from_name": "emotion", "to_name": "image", "value": {"choices": [choice]}}]
        annotations.append({"completed_by": who, "was_cancelled": choice is None, "result": result if choice else []})
    return {"data": {"image": image}, "annotations": annotations, "predictions": []}


def imitate_label_studio_json(root):
    write(root, "train/a b.png", "train/c.png", "test/a b.png")
    tasks = [
        _task("/data/local-files/?d=faces/train/a%20b.png", (1, "sad"), (1, "Joy")),
        _task("/data/local-files/?d=faces/train/c.png", (1, "Joy"), (2, "sad"), (3, "sad")),
        _task("/data/local-files/?d=faces/test/a%20b.png", (1, "Joy"), (2, None)),
    ]
    text(root, "project-1-at-2024-01-01.json", tasks)
    return truth([("train/a b", "happy", "train"), ("train/c", "sad", "train"), ("test/a b", "happy", "test")])


def imitate_label_studio_csv(root):
    write(root, "images/a.png", "images/b.png")
    header = "annotation_id,annotator,choice,created_at,id,image,lead_time,updated_at"
    rows = ["1,ann@x.org,Joy,2024-01-01,7,/data/upload/1/0a1b2c3d-a.png,3.1,2024-01-03"]
    rows.append("2,ann@x.org,sad,2024-01-01,7,/data/upload/1/0a1b2c3d-a.png,2.2,2024-01-02")
    rows.append("3,bob@x.org,sad,2024-01-01,8,/data/upload/1/1a1b2c3d-b.png,2.0,2024-01-02")
    text(root, "project-1.csv", header, *rows)
    return truth([("images/a", "happy", "train"), ("images/b", "sad", "train")])


def imitate_fiftyone_tree(root):
    write(root, "joy/a.png", "sadness/b.png", "sadness/c.png")
    return truth([("joy/a", "happy", "train"), ("sadness/b", "sad", "train"), ("sadness/c", "sad", "train")])


def imitate_fiftyone_labels(root):
    write(root, "data/a.png", "data/b.png", "data/c.png")
    text(root, "labels.json", {"classes": ["sadness", "joy"], "labels": {"a": 1, "b": 0, "c": "joy"}})
    return truth([("data/a", "happy", "train"), ("data/b", "sad", "train"), ("data/c", "happy", "train")])


def imitate_cvat_folders(root):
    write(root, "joy/a.png", "sadness/b.png")
    text(root, "synsets.txt", "joy", "sadness")
    return truth([("joy/a", "happy", "train"), ("sadness/b", "sad", "train")])


def imitate_cvat_lists(root):
    write(root, "images/a b.png", "images/c.png")
    text(root, "synsets.txt", "sadness", "joy")
    text(root, "train.txt", '"a b.png" 1')
    text(root, "validation.txt", "c.png 0")
    return truth([("images/a b", "happy", "train"), ("images/c", "sad", "valid")])


def _coco(names: list[str], *annotations: tuple) -> dict:
    "Return a COCO file with annotations (image, category, box)"
    entries = [dict(zip(("image_id", "category_id", "bbox"), entry), id=n) for n, entry in enumerate(annotations)]
    images = [{"id": n, "file_name": name, "width": 48, "height": 48} for n, name in enumerate(names)]
    categories = [{"id": 0, "name": "faces"}, {"id": 1, "name": "joy"}, {"id": 2, "name": "sadness"}]
    return {"info": {}, "categories": categories, "images": images, "annotations": entries}


def imitate_coco_roboflow(root):
    first, second = f"a_png.rf.{_TAG}.jpg", f"b_png.rf.{_TAG}.jpg"
    write(root, f"train/{first}", f"train/{second}", f"valid/{second}")
    boxes = [(0, 1, [0, 0, 20, 20]), (0, 2, [20, 20, 28, 28]), (1, 2, [5, 5, 30, 40])]
    text(root, "train/_annotations.coco.json", _coco([first, second], *boxes))
    text(root, "valid/_annotations.coco.json", _coco([second.replace("b_png", "b_png")], (0, 1, [1, 2, 30, 30])))
    a, b = (f"train/{name[:-4]}" for name in (first, second))
    rows = [(f"{a}#0", "happy", "train", 0), (f"{a}#1", "sad", "train", 0), (b, "sad", "train", 1)]
    return truth([*rows, (f"valid/{second[:-4]}", "happy", "valid", 1)])


def imitate_coco_cvat(root):
    write(root, "images/train/a.png", "images/train/b.png", "images/test/a.png")
    text(
        root, "annotations/instances_train.json", _coco(["a.png", "b.png"], (0, 1, [0, 0, 9, 9]), (1, 2, [1, 1, 8, 8]))
    )
    text(root, "annotations/instances_test.json", _coco(["a.png"], (0, 2, [0, 0, 48, 48])))
    rows = [("images/train/a", "happy", "train"), ("images/train/b", "sad", "train"), ("images/test/a", "sad", "test")]
    return truth(rows)


def imitate_roboflow_folders(root):
    names = {
        f"{split}/{label}/{split}_png.rf.{_TAG}" for split in ("train", "valid", "test") for label in ("joy", "fear")
    }
    write(root, *(f"{name}.jpg" for name in sorted(names)))
    labels = {"joy": "happy", "fear": "fear"}
    groups = {"test": 0, "train": 1, "valid": 2}
    parts = [(name, *name.split("/")[:2]) for name in sorted(names)]
    return truth([(name, labels[label], split, groups[split]) for name, split, label in parts])


def imitate_roboflow_table(root):
    names = [f"a_png.rf.{_TAG}.jpg", f"a_png.rf.{_TAG[::-1]}.jpg", f"b_png.rf.{_TAG}.jpg"]
    write(root, *(f"train/{name}" for name in names[:2]), f"test/{names[2]}")
    text(root, "train/_classes.csv", "filename, fear, joy", f"{names[0]}, 0, 1", f"{names[1]}, 0, 1")
    text(root, "test/_classes.csv", "filename, fear, joy", f"{names[2]}, 1, 0")
    rows = [(f"train/{name[:-4]}", "happy", "train", 0) for name in names[:2]]
    return truth([*rows, (f"test/{names[2][:-4]}", "fear", "test", 1)])
