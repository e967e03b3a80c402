# make demo      train on synthetic faces and write a report
# make test      run every check and every test
# make lab       start JupyterLab on the notebooks
# make prepare   after a change of a notebook: clean, format, export, tests, README
# make docs      build the documentation from the notebooks into build/docs/html
# make bench     run all benchmarks; with uncommitted changes: make bench BENCH_OPTIONS=--allow-dirty
# make audit     compare the installed packages with the Python advisory database (needs a network)
# Each command creates .venv if it is missing. Another Python: make PYTHON=python3.12 demo

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
MEASURED := speed/data speed/loader speed/demo cleaning/copies cleaning/issues cleaning/active robustness/edits speed/widget \
  cleaning/impact accuracy/fer2013_resnet34 accuracy/joint accuracy/nets accuracy/fer2013_six accuracy/options \
  accuracy/few accuracy/ensemble accuracy/chosen accuracy/ablation accuracy/pca speed/angles accuracy/pruning \
  accuracy/embed robustness/glasses speed/predict speed/memory speed/two_processes speed/scaling speed/bulk \
  robustness/bad_inputs robustness/datasets robustness/covered
BENCH_OPTIONS ?=
UV = $(shell command -v uv || echo $(BIN)/uv)

.PHONY: demo test tree types lab prepare docs bench audit
.DELETE_ON_ERROR:

demo: $(READY)
	$(BIN)/fer demo

# Two jobs at a time. The documentation is built at low priority while the tests run, in the time in which they wait.
test: $(READY)
	@failed=0; log=$$(mktemp); \
	$(BIN)/python tools/check_tree.py & tree=$$!; \
	$(BIN)/mypy || failed=1; \
	wait $$tree || failed=1; \
	nice -n 10 $(BIN)/python -W ignore tools/docs.py >$$log 2>&1 & docs=$$!; \
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations=25 || failed=1; \
	wait $$docs || { failed=1; cat $$log; }; \
	rm -f $$log; exit $$failed

tree: $(READY)
	@$(BIN)/python tools/check_tree.py

types: $(READY)
	@$(BIN)/mypy

lab: $(READY)
	$(BIN)/jupyter lab --notebook-dir=nbs

# tools/check_tree.py runs the same commands in a copy.
prepare: $(READY)
	$(BIN)/nbdev-clean
	$(BIN)/ruff format --quiet nbs
	$(BIN)/nbdev-export
	$(BIN)/ruff format --quiet fer_fastai tests
	$(BIN)/python tools/readme.py
	$(BIN)/python tools/results_pages.py

docs: $(READY)
	$(BIN)/python -W ignore tools/docs.py

audit: $(READY)
	$(UV) pip install --quiet --python $(BIN)/python pip-audit
	$(BIN)/pip-audit --skip-editable --progress-spinner off

bench: $(READY)
	set -e; for name in $(MEASURED); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py $(BENCH_OPTIONS); done

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "fer_fastai needs Python 3.10 to 3.13; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up .venv: about 6 GB with torch, once"
	@if command -v uv >/dev/null; then uv venv --quiet --python "$$(command -v $(PYTHON))" .venv; else \
	  $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; fi || { rm -rf .venv; exit 1; }

$(READY): pyproject.toml | $(BIN)/python
	$(UV) pip install --python $(BIN)/python --config-settings editable_mode=compat --editable '.[dev]'
	@touch $@
