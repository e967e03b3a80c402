"""How many of FER2013's test faces lie in Training too, to the last pixel: what every figure on its own splits was measured with.

    python benchmarks/copies.py

Writes benchmarks/results/copies.json.
"""

import numpy as np
from common import write_result
from fer_fastai.data.faceset import exact_hashes
from fer_fastai.data.duplicates import drop_leaked
from fer_fastai.data.sources import load_fer2013


def main():
    faces = load_fer2013()
    content, split = exact_hashes(faces), faces.table.split.to_numpy()
    in_training = {name: int(np.isin(content[split == part], content[split == "train"]).sum()) for name, part in (("public", "valid"), ("private", "test"))}
    kept = drop_leaked(faces)
    write_result("copies", [], in_training=in_training, faces={"public": int((split == "valid").sum()), "private": int((split == "test").sum())},
                 left_out={part: len(faces.split(part)) - len(kept.split(part)) for part in ("train", "valid", "test")}, protocol="same pixels, labels not looked at")  # fmt: skip


if __name__ == "__main__":
    main()
