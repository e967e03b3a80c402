"""Small imitations of datasets from a laboratory, with noise instead of faces; see imitations/wild.py"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from imitations.wild import FER2013, Imitation

CKPLUS = ("neutral", "angry", "contempt", "disgust", "fear", "happy", "sad", "surprise")
CK48 = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")  # folders
NAMES = {"anger": "angry", "sadness": "sad"}
CODES = {"AN": "angry", "DI": "disgust", "HA": "happy", "NE": "neutral", "SA": "sad", "SU": "surprise"}


def imitate_ckplus(root, images="", labels=""):
    "Write CK+: sequences of frames, some without a label"
    made = Imitation(root)
    for person in (5, 10, 999):
        for sequence in range(1, 5):
            count, code = 6 + sequence, (person + sequence) % 7 + 1
            place = f"S{person:03d}/{sequence:03d}"
            stem = f"S{person:03d}_{sequence:03d}_"
            (made.root / labels / "Emotion" / place).mkdir(parents=True)
            if sequence < 4:
                file = f"{labels}Emotion/{place}/{stem}{count:08d}_emotion.txt"
                made.text(file, [f"   {code}.0000000e+00"])
            for frame in range(1, count + 1):
                name = f"{stem}{frame:08d}"
                pixels = made.image(f"{images}cohn-kanade-images/{place}/{name}.png", (64, 49))
                if sequence < 4 and (frame == 1 or frame > count - 3):
                    label = "neutral" if frame == 1 else CKPLUS[code]
                    made.face(f"ckplus/{name}", label, "train", pixels, group=person)
    return made.truth()


def imitate_ckplus_wrapped(root):
    "Write CK+: the folders of both archives, each wrapped"
    return imitate_ckplus(root, "extended-cohn-kanade-images/", "Emotion_labels/")


def imitate_ck48(root):
    "Write CK+48: last frames in class folders"
    made = Imitation(root)
    for code, folder in enumerate(CK48):
        for person in (10 + code % 3, 20 + code):
            for frame in (15, 16, 17):
                name = f"S{person:03d}_{code + 1:03d}_{frame:08d}"
                pixels = made.image(f"CK+48/{folder}/{name}.png")
                made.face(f"ckplus/{name}", NAMES.get(folder, folder), "train", pixels, group=person)
    return made.truth()


def imitate_ckextended(root):
    "Write ckextended.csv: FER2013's columns and order, with 7 for contempt"
    made, rng, lines = Imitation(root), np.random.default_rng(0), ["emotion,pixels,Usage"]
    usages = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
    for row in range(24):
        pixels, code = rng.integers(0, 256, (48, 48), dtype=np.uint8), row % 8
        usage = list(usages)[row // 8]
        lines.append(f"{code},{' '.join(map(str, pixels.ravel()))},{usage}")
        made.face(f"ckextended/{row:05d}", (*FER2013, "contempt")[code], usages[usage], pixels)
    made.text("ckextended.csv", lines)
    return made.truth()


def imitate_jaffe(root):
    "Write JAFFE: person and expression in the file names"
    made, number = Imitation(root), 0
    for person in ("KA", "KL", "YM"):
        for code, label in (CODES | {"FE": "fear"}).items():
            for repeat in (1, 2):
                number += 1
                name = f"{person}.{code}{repeat}.{number}"
                pixels = made.image(f"jaffe/{name}.tiff", (64, 64))
                made.face(f"jaffe/{name}", label, "train", pixels, group=person)
    return made.truth()


def imitate_kdef(root, flat=False):
    "Write KDEF: person, expression and angle in the file names"
    made = Imitation(root)
    for session in "AB":
        for person in ("F01", "M02"):
            for code, label in (CODES | {"AF": "fear"}).items():
                for angle in ("S", "HL", "HR", "FL", "FR"):
                    name = f"{session}{person}{code}{angle}"
                    folder = "KDEF/" if flat else f"KDEF/{session}{person}/"
                    pixels = made.image(f"{folder}{name}.JPG", (57, 76), color=True)
                    made.face(f"kdef/{name}", label, "train", pixels, group=person)
    return made.truth()


def imitate_kdef_flat(root):
    "Write KDEF: all images in one folder"
    return imitate_kdef(root, flat=True)


def imitate_oulu(root, top="OriginalImg"):
    "Write Oulu-CASIA: light, intensity, person and emotion in the folders"
    made = Imitation(root)
    folders = {"Anger": "angry", "Disgust": "disgust", "Fear": "fear", "Happiness": "happy"}
    folders |= {"Sadness": "sad", "Surprise": "surprise"}
    for light in ("VL", "NI"):
        for intensity in ("Strong", "Weak", "Dark"):
            for person in ("P001", "P002"):
                for folder, label in folders.items():
                    name = f"{top}/{light}/{intensity}/{person}/{folder}/000"
                    pixels = made.image(f"{name}.jpeg", (32, 24), color=True)
                    made.face(f"oulu/{name}", label, "train", pixels, group=person)
    return made.truth()


def imitate_oulu_preprocessed(root):
    "Write Oulu-CASIA: cropped faces"
    return imitate_oulu(root, "PreProcess")
