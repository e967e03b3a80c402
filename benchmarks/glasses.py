"""Are glasses read as anger? Drawn on every PublicTest and PrivateTest face of FER2013; what our ResNet-34 says before and after.

    python benchmarks/glasses.py [--run runs/resnet34_student-42] [--limit 200 --results FOLDER]

Arriaga and others (2017) saw that glasses are read as anger. FER2013 has no labels for glasses, so each face is compared with itself under
drawn frames, under dark lenses, and with a region covered. Single view; exact copies are left out; intervals of 95 % of the paired mean,
normal. How far the pictures of the network can be believed stands beside it (rank correlation under random weights). Writes glasses.json.
"""

import argparse
from functools import partial
from pathlib import Path

import common
import numpy as np
from fer_fastai.data.faceset import exact_hashes
from fer_fastai.data.sources import load_fer2013
from fer_fastai.interpret.perturbation import (
    REGIONS, perturbed_probabilities, occlude, draw_glasses, perturbation_effect, label_flips,
)
from fer_fastai.interpret.saliency import sanity_check
from fer_fastai.train.training import load_run

CHANGES = {"frames": draw_glasses, "sunglasses": partial(draw_glasses, kind="sunglasses")}
CHANGES |= {f"{region} covered": partial(occlude, region=region) for region in REGIONS}


def test_faces(faces, limit):
    "PublicTest and PrivateTest, one of each exact copy; at most `limit`, evenly spread"
    faces = faces.subset((faces.table.split != "train").to_numpy())
    faces = faces.subset(np.sort(np.unique(exact_hashes(faces), return_index=True)[1]))
    return faces if limit is None else faces.subset(np.linspace(0, len(faces) - 1, min(limit, len(faces))).astype(int))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=common.RUNS / "resnet34_student-42")
    parser.add_argument("--limit", type=int, help="faces, to try it; asks for --results")
    parser.add_argument("--results", type=Path, help="folder to write to; default benchmarks/results")
    options = parser.parse_args()
    if options.limit is not None and options.results is None:
        parser.error("--limit is a trial: say --results FOLDER")
    common.RESULTS = options.results or common.RESULTS
    everything = load_fer2013()
    learner, faces = load_run(options.run, everything), test_faces(everything, options.limit)
    tables, moved = {}, {}
    for name, change in CHANGES.items():
        before, after = perturbed_probabilities(learner, faces, change)
        tables[name], moved[name] = perturbation_effect(before, after, faces.vocab), label_flips(before, after, faces.vocab)
        print(name, tables[name].round(4), sep="\n", flush=True)
    sanity = {method: sanity_check(learner, faces.subset(range(0, len(faces), max(1, len(faces) // 64))), method) for method in ("gradient", "guided", "gradcam")}
    for check in sanity.values():
        print(check)
    frames, sunglasses = tables["frames"].loc["angry"], tables["sunglasses"].loc["angry"]
    protocol = f"{options.run.name} on {len(faces):,} PublicTest and PrivateTest faces without exact copies, each with drawn %s against itself, single view"
    interval = "; mean over faces, 95 %% from {0.low:+.4f} to {0.high:+.4f}"
    common.write_result("glasses", [
        common.claim("glasses_anger_probability_change", frames.change, (protocol + interval.format(frames)) % "frames"),
        common.claim("glasses_anger_share_before", frames.share_before, protocol % "frames" + "; share of the predictions before"),
        common.claim("glasses_anger_share_after", frames.share_after, protocol % "frames" + "; share of the predictions after"),
        common.claim("sunglasses_anger_probability_change", sunglasses.change, (protocol + interval.format(sunglasses)) % "dark lenses"),
    ], seeds=[42], run=options.run.name, faces=len(faces),
        changes={name: table.round(6).reset_index().to_dict("records") for name, table in tables.items()},
        moves={name: table.to_dict("index") for name, table in moved.items()},
        sanity={method: {"verdict": check.verdict, "passed": check.passed, "table": check.table.round(4).reset_index().to_dict("records")} for method, check in sanity.items()})


if __name__ == "__main__":
    main()
