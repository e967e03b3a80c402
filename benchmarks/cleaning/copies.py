"""Number of FER2013's test faces that are also in Training, pixel by pixel.

    .venv/bin/python benchmarks/cleaning/copies.py

Needs: FER2013
"""

import sys
from pathlib import Path

import numpy as np

from fer_fastai.data.readers import load_fer2013

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Parser, write_result

SPLITS = {"public": "valid", "private": "test"}


def main():
    Parser(__doc__).parse_args()
    faces = load_fer2013()
    content, split = faces.exact_hashes(), faces.table.split.to_numpy()
    training = content[split == "train"]
    kept = faces.drop_leaked()
    write_result(
        "copies",
        [],
        in_training={name: int(np.isin(content[split == part], training).sum()) for name, part in SPLITS.items()},
        faces={name: int((split == part).sum()) for name, part in SPLITS.items()},
        left_out={part: len(faces.split(part)) - len(kept.split(part)) for part in ("train", "valid", "test")},
        protocol="equal pixels; labels are not compared",
    )


if __name__ == "__main__":
    main()
