# make demo      the main job on embedded faces, to a report
# make test      every check and every test
# make lab       JupyterLab on the notebooks
# make prepare   after changing a notebook: clean, export, tests, README
# make docs      the documentation site, from the notebooks, into build/docs/html
# make bench     measure everything that README quotes
# make audit     look every installed package up in the Python advisory database (needs a network)
# Each sets up .venv first when it has to. Another Python: make PYTHON=python3.12 demo

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
MEASURED := data loader demo fer2013_resnet34 issues edits widget effect joint nets fer2013_six options ensemble chosen ablation pca angles pruning embed glasses predict memory two_processes scaling bulk bad_inputs covered
UV = $(shell command -v uv || echo $(BIN)/uv)

.PHONY: demo test tree types lab prepare docs bench audit
.DELETE_ON_ERROR:

demo: $(READY)
	$(BIN)/fer demo

test: $(READY)
	@failed=0; \
	$(MAKE) --no-print-directory --keep-going --jobs 2 tree types docs || failed=1; \
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations=10 || failed=1; \
	exit $$failed

tree: $(READY)
	@$(BIN)/python tools/check_tree.py

types: $(READY)
	@$(BIN)/mypy

lab: $(READY)
	$(BIN)/jupyter lab --notebook-dir=nbs

prepare: $(READY)
	$(BIN)/nbdev-clean
	$(BIN)/nbdev-export
	$(BIN)/python tools/readme.py

docs: $(READY)
	$(BIN)/python -W ignore tools/docs.py

audit: $(READY)
	$(UV) pip install --quiet --python $(BIN)/python pip-audit
	$(BIN)/pip-audit --skip-editable --progress-spinner off

bench: $(READY)
	set -e; for name in $(MEASURED); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py; done

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "fer_fastai needs Python 3.10 to 3.13; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up .venv: about 6 GB with torch, once"
	@if command -v uv >/dev/null; then uv venv --quiet --python "$$(command -v $(PYTHON))" .venv; else \
	  $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; fi || { rm -rf .venv; exit 1; }

$(READY): pyproject.toml | $(BIN)/python
	$(UV) pip install --python $(BIN)/python --editable '.[dev]'
	@touch $@
