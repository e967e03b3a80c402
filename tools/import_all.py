"""Import every module of an installed wheel: `python import_all.py SITE HINT TOOLS EXTRAS`, run by check_tree.py

First the packages in TOOLS and EXTRAS are blocked. A module then imports, or raises an error that contains HINT. After
that the packages in EXTRAS are available again, and every module imports.
"""

import importlib
import sys
from pathlib import Path


def problem(module, file, hint):
    "Return the reason why a module does not import from its file, an empty string if it does"
    try:
        found = Path(importlib.import_module(module).__file__)
    except ImportError as error:
        return "" if hint and hint in str(error) else f"{type(error).__name__}: {error}"
    return "" if found == file else f"imported from {found}, not from the wheel"


def main(site, hint, tools, extras):
    files = {}
    for file in sorted(Path(site).glob("fer_fastai/**/*.py")):
        if file.stem != "__main__":
            files[".".join(file.relative_to(site).with_suffix("").parts).removesuffix(".__init__")] = file
    sys.modules.update(dict.fromkeys([*tools.split(), *extras.split()]))
    for module, file in files.items():
        if found := problem(module, file, hint):
            print(f"{module} without extras: {found}")
    for name in extras.split():
        sys.modules.pop(name)
    for module, file in files.items():
        if found := problem(module, file, ""):
            print(f"{module}: {found}")


if __name__ == "__main__":
    main(*sys.argv[1:])
