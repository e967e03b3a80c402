"""Selection among the trained ResNet-34s and mini-Xceptions on PublicTest, and the PrivateTest accuracy of each winner.

    .venv/bin/python benchmarks/accuracy/chosen.py

Reads the results files of nets.py, joint.py and gpu.py; trains nothing. PublicTest selects network and test-time
augmentation. Small networks compete in a single view.

Needs: results of joint.py and nets.py
"""

import sys
from pathlib import Path

from fer_fastai.io import read_json

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import FER_LABELS, PRIVATE, RESNET34_PUBLISHED, RESULTS, Parser, claim, write_result

MINI_XCEPTIONS = ("", "_early", "_64", "_relu", "_relu_on", "_taught")
FAMILIES = {  # claim: results files, of those that exist; test-time augmentations; metric; reference
    "resnet34_best_private_accuracy": (
        ("resnet34_best", "resnet34_taught", "resnet34_student", "resnet34_grown", "resnet34_gpu"),
        ("single", "flip", "ten_crop"),
        "Accuracy, ResNet-34 selected on PublicTest, FER2013",
        RESNET34_PUBLISHED,
    ),
    "mini_xception_private_accuracy": (
        tuple(f"mini_xception{name}" for name in MINI_XCEPTIONS),
        ("single",),
        "Accuracy, mini-Xception of 58,199 parameters selected on PublicTest, FER2013",
        (0.66, "Arriaga et al. 2017, as published"),
    ),
}


def score_row(result, split, tta):
    "Return the scores against FER2013's labels, or None"
    rows = result[split]["metrics"]
    return next((row for row in rows if (row["label_set"], row["tta"]) == (FER_LABELS, tta)), None)


def select(systems, ttas):
    "Return the best (system, tta) on PublicTest, and the accuracy of each there"
    keys = ("public", "private", "claims")
    paths = {system: RESULTS / f"{system}.json" for system in systems}
    files = {system: read_json(path, keys) for system, path in paths.items() if path.exists()}
    public = {}
    for system, result in files.items():
        for tta in ttas:
            if (row := score_row(result, "public", tta)) is not None:
                public[system, tta] = row["accuracy"]
    system, tta = max(public, key=public.get)
    return system, tta, public, files[system]


def main():
    Parser(__doc__).parse_args()
    claims, choices, seeds = [], {}, set()
    for name, (systems, ttas, metric, reference) in FAMILIES.items():
        system, tta, public, result = select(systems, ttas)
        networks = len({other for other, _ in public})
        row = score_row(result, "private", tta)
        selected = f"PublicTest: epoch, {'TTA, ' * (len(ttas) > 1)}network ({system}, 1 of {networks})"
        claims.append(
            claim(
                name,
                row["accuracy"],
                metric,
                "fraction",
                "higher",
                "accuracy",
                split=PRIVATE,
                selected_on=selected,
                tta=tta,
                seeds=result["seeds"],
                reference=reference[0],
                reference_source=reference[1],
                interval=row["intervals"]["accuracy"],
                note=result["claims"][0]["note"],
            )
        )
        seeds |= set(result["seeds"])
        kept = {key: result[key] for key in ("recipe", "seeds", "wall_s", "hardware", "versions", "commit")}
        candidates = {f"{other} {each}": value for (other, each), value in public.items()}
        choices[name] = {"system": system, "tta": tta, "public": candidates, **kept}
    write_result("chosen", claims, seeds=sorted(seeds), choices=choices)


if __name__ == "__main__":
    main()
