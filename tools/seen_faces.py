"""Write perceptual hashes of the faces that the bundled models were trained on: FER2013's Training.

    .venv/bin/python tools/seen_faces.py        needs FER2013; half a minute

`deploy.scoring` reads the file, so that a bundled model never scores labels of faces that it was trained on.
"""

from pathlib import Path

import numpy as np

from fer_fastai.data.duplicates import face_hashes
from fer_fastai.data.readers import load_fer2013

TARGET = Path(__file__).resolve().parent.parent / "fer_fastai" / "deploy" / "weights" / "seen_faces.npy"


def main():
    hashes = np.unique(face_hashes(load_fer2013().split("train")))
    np.save(TARGET, hashes)
    print(f"{len(hashes):,} hashes written to {TARGET.name}")


if __name__ == "__main__":
    main()
