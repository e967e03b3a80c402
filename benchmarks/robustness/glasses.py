"""Change of predictions under drawn glasses, dark lenses and covered regions, on every test face of FER2013.

    .venv/bin/python benchmarks/robustness/glasses.py [--run runs/resnet34_student-42] [--limit 200 --results FOLDER]

Arriaga et al. (2017) observed that glasses are read as anger. FER2013 has no labels for glasses, so each face is
compared with itself. Single view, without exact copies; 95 % intervals of the paired mean, normal approximation.
A sanity check of the saliency maps (rank correlation under random weights) is recorded beside them.

Needs: FER2013, the run resnet34_student of nets.py
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np

from fer_fastai.data.readers import load_fer2013
from fer_fastai.interpret.perturbation import (
    FACE_REGIONS,
    draw_glasses,
    label_flips,
    occlude,
    perturbation_effect,
    perturbed_pred_probs,
)
from fer_fastai.interpret.saliency import sanity_check
from fer_fastai.train.training import load_run

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common

CHANGES = {"frames": draw_glasses, "sunglasses": partial(draw_glasses, kind="sunglasses")}
CHANGES |= {f"{region} covered": partial(occlude, region=region) for region in FACE_REGIONS}
METHODS = ("gradient", "guided", "gradcam")


def test_faces(faces, limit):
    "Return PublicTest and PrivateTest without exact copies; at most `limit`, evenly spread"
    faces = faces.subset((faces.table.split != "train").to_numpy())
    faces = faces.subset(np.sort(np.unique(faces.exact_hashes(), return_index=True)[1]))
    if limit is None:
        return faces
    return faces.subset(np.linspace(0, len(faces) - 1, min(limit, len(faces))).astype(int))


def glasses_claims(tables, faces, seed):
    "Return the claims on anger under frames and dark lenses"
    frames, sunglasses = tables["frames"].loc["angry"], tables["sunglasses"].loc["angry"]
    fields = {
        "split": f"PublicTest + PrivateTest ({faces:,} faces without exact copies)",
        "selected_on": "PublicTest: epoch",
        "tta": "single",
        "seeds": [seed],
    }
    claims = []
    for id, row, words in (
        ("glasses_anger_probability_change", frames, "drawn glasses"),
        ("sunglasses_anger_probability_change", sunglasses, "drawn dark lenses"),
    ):
        claims.append(
            common.claim(
                id,
                row.change,
                f"Change of anger's mean probability under {words}",
                "difference",
                "lower",
                "robustness",
                **fields,
                reference=0.0,
                reference_source="the same faces without glasses",
                interval=[row.low, row.high],
                note="ResNet-34. The paper reports more anger under worn glasses. One seed.",
            )
        )
    return [
        *claims,
        common.claim(
            "glasses_anger_share_before",
            frames.fraction_before,
            "Faces predicted as angry, without drawn glasses",
            "fraction",
            "lower",
            "robustness",
            **fields,
            note="ResNet-34; baseline of the row with glasses. One seed.",
        ),
        common.claim(
            "glasses_anger_share_after",
            frames.fraction_after,
            "Faces predicted as angry, with drawn glasses",
            "fraction",
            "lower",
            "robustness",
            **fields,
            reference=frames.fraction_before,
            reference_source="the same faces without glasses",
            note="ResNet-34. One seed.",
        ),
    ]


def main():
    parser = common.Parser(__doc__)
    parser.add_argument("--run", type=Path, default=common.RUNS / "resnet34_student-42")
    parser.add_argument("--limit", type=int, help="number of faces for a trial; requires --results")
    parser.add_argument("--results", type=Path, help="folder to write to; default benchmarks/results")
    parser.add_argument("--seed", type=int, default=42, help="of the run")
    options = parser.parse_args()
    if options.limit is not None and options.results is None:
        parser.error("--limit is a trial; expected --results FOLDER beside it")
    common.RESULTS = options.results or common.RESULTS
    everything = load_fer2013()
    learner, faces = load_run(options.run, everything), test_faces(everything, options.limit)
    tables, flips = {}, {}
    for name, change in CHANGES.items():
        before, after = perturbed_pred_probs(learner, faces, change)
        tables[name], flips[name] = (
            perturbation_effect(before, after, faces.vocab),
            label_flips(before, after, faces.vocab),
        )
        print(name, tables[name].round(4), sep="\n", flush=True)
    some = faces.subset(range(0, len(faces), max(1, len(faces) // 64)))
    sanity = {}
    for method in METHODS:
        check = sanity_check(learner, some, method)
        print(check)
        table = check.table.round(4).reset_index().to_dict("records")
        sanity[method] = {"verdict": check.verdict, "passed": check.passed, "table": table}
    common.write_result(
        "glasses",
        glasses_claims(tables, len(faces), options.seed),
        seeds=[options.seed],
        run=options.run.name,
        faces=len(faces),
        changes={name: table.reset_index().to_dict("records") for name, table in tables.items()},
        label_flips={name: table.to_dict("index") for name, table in flips.items()},
        sanity=sanity,
    )


if __name__ == "__main__":
    main()
