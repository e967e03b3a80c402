"""Small imitations of datasets with faces from the web and from films, with noise instead of faces.

Each function `imitate_<layout>(root)` writes a dataset in its published layout and returns the faces that a reader must
find. The table has the index `face_id` and the columns label, split, group and pixels. The module imports nothing of
fer_fastai, so the tables are independent of the readers.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

FER2013 = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
RAFDB = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
AFFECTNET = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
AFEW = ("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")
FERPLUS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt", "unknown", "not_a_face")
FIRST_NUMBER = 1_000


class Imitation:
    "Files of a dataset under construction, and the faces that a reader must find"

    def __init__(self, root):
        self.root, self.rows, self.number = Path(root), {}, FIRST_NUMBER

    def image(self, name, size=(48, 48), color=False):
        "Write an image of noise and return its pixels as they are decoded"
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.number += 1
        shape = (size[1], size[0], 3) if color else size[::-1]
        noise = np.random.default_rng(self.number).integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(noise).save(path)
        with Image.open(path) as written:
            return np.asarray(written)

    def text(self, name, lines):
        "Write a text file"
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def face(self, face_id, label, split="train", pixels=None, group=None):
        "Add a face; without a group, it is a group of one"
        group = f"only {face_id}" if group is None else group
        self.rows[face_id] = {"label": label, "split": split, "group": group, "pixels": pixels}

    def truth(self):
        "Return the faces as a table"
        table = pd.DataFrame.from_dict(self.rows, orient="index").rename_axis("face_id")
        return table.assign(group=pd.factorize(table.group)[0])


def imitate_rafdb_list(root):
    "Write RAF-DB's basic set: list and aligned images"
    made, lines = Imitation(root), []
    for split, count in (("train", 14), ("test", 7)):
        for number in range(1, count + 1):
            name, code = f"{split}_{number:05d}", number * 3 % 7 + 1
            pixels = made.image(f"basic/Image/aligned/{name}_aligned.jpg", (100, 100), color=True)
            lines.append(f"{name}.jpg {code}")
            made.face(f"rafdb/{name}", RAFDB[code - 1], split, pixels)
    made.text("basic/EmoLabel/list_patition_label.txt", lines)
    return made.truth()


def imitate_rafdb_kaggle(root, tables=True):
    "Write RAF-DB as on Kaggle: folders 1 to 7, with or without tables"
    made = Imitation(root)
    for split, count in (("train", 14), ("test", 7)):
        lines = ["image,label"]
        for number in range(1, count + 1):
            name, code = f"{split}_{number:05d}", number * 3 % 7 + 1
            pixels = made.image(f"DATASET/{split}/{code}/{name}_aligned.jpg", (100, 100), color=True)
            lines.append(f"{name}_aligned.jpg,{code}")
            made.face(f"rafdb/{name}", RAFDB[code - 1], split, pixels)
        if tables:
            made.text(f"{split}_labels.csv", lines)
    return made.truth()


def imitate_rafdb_folders(root):
    "Write RAF-DB as on Kaggle, without the tables"
    return imitate_rafdb_kaggle(root, tables=False)


def imitate_affectnet_lists(root):
    "Write AffectNet: lists of the authors, boxes in photos, and images without an emotion"
    made = Imitation(root)
    header = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
    for table, split, count in (("training", "train", 22), ("validation", "valid", 11)):
        lines = [header]
        for number in range(count):
            name, code = f"{number % 3 + 1}/{split}{number:04d}", number % 11
            left, top, width, height = number % 5, 3, 30, 40 - number % 7
            pixels = made.image(f"Manually_Annotated_Images/{name}.jpg", (64, 56), color=True)
            value = -2 if code > 7 else round(0.1 * code - 0.3, 3)
            lines.append(f"{name}.jpg,{left},{top},{width},{height},1.5;2.5;3,{code},{value},{value}")
            if code < 8:
                crop = pixels[top : top + height, left : left + width]
                made.face(f"affectnet/{name}", AFFECTNET[code], split, crop)
        made.text(f"Manually_Annotated_file_lists/{table}.csv", lines)
    return made.truth()


def imitate_affectnet_npy(root):
    "Write AffectNet: one annotation per image as .npy file"
    made = Imitation(root)
    for folder, split, count in (("train_set", "train", 11), ("val_set", "valid", 8)):
        (made.root / folder / "annotations").mkdir(parents=True)
        for number in range(count):
            pixels = made.image(f"{folder}/images/{number}.jpg", (224, 224), color=True)
            code = number % 9
            np.save(made.root / folder / "annotations" / f"{number}_exp.npy", np.array(str(code)))
            if code < 8:
                made.face(f"affectnet/{folder}/{number}", AFFECTNET[code], split, pixels)
    return made.truth()


def imitate_affectnet_codes(root):
    "Write AffectNet: class folders 0 to 7"
    made = Imitation(root)
    for folder, split in (("train", "train"), ("val", "valid")):
        for code, label in enumerate(AFFECTNET):
            pixels = made.image(f"AffectNet/{folder}/{code}/image{code:04d}.jpg", (96, 96), color=True)
            made.face(f"affectnet/{folder}/{code}/image{code:04d}", label, split, pixels)
    return made.truth()


def imitate_affectnet_named(root):
    "Write AffectNet: class folders with names"
    made = Imitation(root)
    for folder, split in (("train", "train"), ("val", "valid"), ("test", "test")):
        for label in AFFECTNET:
            pixels = made.image(f"affectnet/{folder}/{label}/1.png", (96, 96), color=True)
            made.face(f"affectnet/{folder}/{label}/1", label, split, pixels)
    return made.truth()


def imitate_affectnet_kaggle(root):
    "Write AffectNet on Kaggle: labels.csv, which differs from some folders"
    made, lines = Imitation(root), [",pth,label,relFCs"]
    for number in range(16):
        folder, label = AFFECTNET[number % 8], AFFECTNET[(number + number // 12) % 8]
        pixels = made.image(f"{folder}/image{number:07d}.jpg", (96, 96), color=True)
        lines.append(f"{number},{folder}/image{number:07d}.jpg,{label},0.{number + 70}")
        made.face(f"affectnet/{folder}/image{number:07d}", label, "train", pixels)
    made.text("labels.csv", lines)
    return made.truth()


def imitate_affectnet_yolo(root):
    "Write AffectNet for YOLO: one label file per image"
    made = Imitation(root)
    names = ("Anger", "Contempt", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")
    labels = ("angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    for split in ("train", "valid", "test"):
        for code, label in enumerate(labels):
            pixels = made.image(f"{split}/images/image{code}.png", (96, 96), color=True)
            made.text(f"{split}/labels/image{code}.txt", [f"{code} 0.5 0.5 1 1"])
            made.face(f"affectnet/{split}/images/image{code}", label, split, pixels)
    made.text("data.yaml", ["train: ../train/images", "val: ../valid/images", "nc: 8", f"names: {list(names)}"])
    return made.truth()


def imitate_expw(root):
    "Write ExpW: boxes in photos with several faces"
    made, lines = Imitation(root), []
    for number in range(12):
        name = f"anger_man_{number}.jpg"
        pixels = made.image(f"image/origin/{name}", (80, 60), color=True)
        for face in range(1 + number % 3):
            top, left, bottom, right = 2 + face, 5 * face, 40 + face, 5 * face + 35
            code = (number + face) % 7
            lines.append(f"{name} {face} {top} {left} {right} {bottom} {50 + face}.25 {code}")
            face_id = f"expw/anger_man_{number}_{face}"
            made.face(face_id, FER2013[code], "train", pixels[top:bottom, left:right], group=name)
    made.text("label/label.lst", lines)
    return made.truth()


def imitate_ferplus(root, box=True):
    "Write FER+ in folders: ten votes per image, some without a majority"
    made, number = Imitation(root), 0
    for folder, split in (("FER2013Train", "train"), ("FER2013Valid", "valid"), ("FER2013Test", "test")):
        lines = []
        for winner in range(10):
            for case in range(3):  # clear majority; no majority; a majority only without single votes
                name, votes = f"fer{number:07d}.png", [0] * 10
                number += 1
                others = [column for column in range(10) if column != winner]
                votes[winner] = (10, 4, 4)[case]
                for column, count in zip(others, ((), (4, 2), (3, 1, 1, 1))[case]):
                    votes[column] = count
                pixels = made.image(f"{folder}/{name}")
                quoted = '"(0, 0, 48, 48)",' if box else ""
                lines.append(f"{name},{quoted}{','.join(map(str, votes))}")
                if case != 1 and winner < 8:
                    made.face(f"ferplus/{name[:-4]}", FERPLUS[winner], split, pixels)
        made.text(f"{folder}/label.csv", lines)
    return made.truth()


def imitate_ferplus_without_box(root):
    "Write FER+ in folders, with a name and ten votes per row"
    return imitate_ferplus(root, box=False)


def imitate_afew(root):
    "Write AFEW: frames in one folder per clip"
    made = Imitation(root)
    for folder, split in (("Train_AFEW", "train"), ("Val_AFEW", "valid")):
        for code, emotion in enumerate(AFEW):
            clip = f"{len(folder):03d}{code:03d}"
            for frame in range(3):
                pixels = made.image(f"{folder}/{emotion}/{clip}/{frame:03d}.png", color=True)
                made.face(f"afew/{folder}/{emotion}/{clip}/{frame:03d}", emotion.lower(), split, pixels, group=clip)
    return made.truth()


def imitate_sfew_aligned(root):
    "Write SFEW: frames with aligned faces beside them"
    made = Imitation(root)
    for folder, split in (("Train", "train"), ("Val", "valid")):
        for code, emotion in enumerate(AFEW):
            film = f"{folder}Film{code % 3}"
            name = f"{film}_00{code}519240_0000000{code}"
            made.image(f"{folder}/{emotion}/{name}.png", (72, 58), color=True)
            pixels = made.image(f"{folder}/{folder}_Aligned_Faces/{emotion}/{name}.png", (48, 48), color=True)
            made.face(f"sfew/{emotion.lower()}/{name}", emotion.lower(), split, pixels, group=film)
    return made.truth()


def imitate_fer2013_challenge(root):
    "Write FER2013: train.csv and test.csv of the challenge"
    made, rng = Imitation(root), np.random.default_rng(0)
    for split, count in (("train", 14), ("test", 7)):
        lines = ["emotion,pixels" if split == "train" else "pixels"]
        for row in range(count):
            pixels, code = rng.integers(0, 256, (48, 48), dtype=np.uint8), row * 2 % 7
            lines.append((f"{code}," if split == "train" else "") + " ".join(map(str, pixels.ravel())))
            made.face(f"fer2013/{split}/{row:05d}", FER2013[code] if split == "train" else None, split, pixels)
        made.text(f"{split}.csv", lines)
    return made.truth()
