"""Which of the networks that other benchmarks measured is ours: PublicTest chooses network and view, PrivateTest is quoted of that one alone.

    python benchmarks/chosen.py

Reads their results files, each with one network's PublicTest and PrivateTest; trains nothing. Small networks are held to a single view. Writes benchmarks/results/chosen.json.
"""

import argparse

from common import RESULTS, claim, write_result
from fer_fastai.core import read_json

FAMILIES = {  # claim: results files, of those that are there; views
    "resnet34_best_private_accuracy": (("resnet34_best", "resnet34_taught", "resnet34_student", "resnet34_grown", "resnet34_gpu"), ("single", "flip")),
    "mini_xception_private_accuracy": (("mini_xception", "mini_xception_early", "mini_xception_64", "mini_xception_relu", "mini_xception_gpu"), ("single",)),
}


def accuracy(result, split, view):
    "Against FER2013's labels"
    return next(m["accuracy"] for m in result[split]["metrics"] if (m["truth"], m["views"]) == ("FER2013 labels", view))


def choose(systems, views):
    "Best system and view on PublicTest, and what each has there"
    files = {system: read_json(RESULTS / f"{system}.json", ("public", "private", "claims")) for system in systems if (RESULTS / f"{system}.json").exists()}
    public = {(system, view): accuracy(result, "public", view) for system, result in files.items() for view in views}
    system, view = max(public, key=public.get)
    return system, view, public, files[system]


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    claims, choices = [], {}
    for name, (systems, views) in FAMILIES.items():
        system, view, public, result = choose(systems, views)
        own = result["claims"][0]["protocol"]
        claims.append(claim(name, accuracy(result, "private", view), f"{system}, {view} view, chosen on PublicTest among {len(public) // len(views)} networks; {own}"))
        choices[name] = {"system": system, "view": view, "public": {f"{s} {v}": value for (s, v), value in public.items()}, "seeds": result["seeds"], "hardware": result["hardware"], "commit": result["commit"]}
    write_result("chosen", claims, choices=choices)


if __name__ == "__main__":
    main()
