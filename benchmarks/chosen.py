"""Which of the networks that other benchmarks measured is ours: PublicTest chooses network and view, the claim is what that one has on PrivateTest.

    python benchmarks/chosen.py

Reads their results files, each with one network's PublicTest and PrivateTest; trains nothing. Small networks are held to a single view. Writes benchmarks/results/chosen.json.
"""

import argparse

from common import RESULTS, claim, write_result
from fer_fastai.io import read_json

FAMILIES = {  # claim: results files, of those that are there; views
    "resnet34_best_private_accuracy": (("resnet34_best", "resnet34_taught", "resnet34_student", "resnet34_grown", "resnet34_gpu"), ("single", "flip", "ten_crop")),
    "mini_xception_private_accuracy": (("mini_xception", "mini_xception_early", "mini_xception_64", "mini_xception_relu", "mini_xception_relu_on", "mini_xception_taught"), ("single",)),
}


def accuracy(result, split, view):
    "Against FER2013's labels"
    return next((m["accuracy"] for m in result[split]["metrics"] if (m["truth"], m["views"]) == ("FER2013 labels", view)), None)


def choose(systems, views):
    "Best system and view on PublicTest, and what each has there"
    files = {system: read_json(RESULTS / f"{system}.json", ("public", "private", "claims")) for system in systems if (RESULTS / f"{system}.json").exists()}
    public = {(system, view): found for system, result in files.items() for view in views if (found := accuracy(result, "public", view)) is not None}
    system, view = max(public, key=public.get)
    return system, view, public, files[system]


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    claims, choices, seeds = [], {}, set()
    for name, (systems, views) in FAMILIES.items():
        system, view, public, result = choose(systems, views)
        own = result["claims"][0]["protocol"].split("; PrivateTest")[0]     # how it was trained
        networks = len({other for other, _ in public})
        chosen = f"network (of {networks}) chosen on PublicTest; PrivateTest, single view" if len(views) == 1 else f"network (of {networks}) and view ({view.replace('_', ' ')}) chosen on PublicTest; PrivateTest"
        claims.append(claim(name, accuracy(result, "private", view), f"{system}.json: {own}; {chosen}, no face cleaned; 1 seed"))
        seeds |= set(result["seeds"])
        choices[name] = {"system": system, "view": view, "public": {f"{s} {v}": value for (s, v), value in public.items()}, **{key: result[key] for key in ("recipe", "seeds", "wall_s", "hardware", "versions", "commit")}}
    write_result("chosen", claims, seeds=sorted(seeds), choices=choices)


if __name__ == "__main__":
    main()
