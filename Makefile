# Everything runs in .venv, which is set up when it is needed and again when the pins change: what
# the curve needs first, all else for any other target.
PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin
SOAK ?= tests/soak/*.py
CURVE_STAMP := $(VENV)/.stamp-curve
STAMP := $(VENV)/.stamp
BENCH_STAMP := $(VENV)/.stamp-bench
PINS := pyproject.toml constraints.txt
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--constraint constraints.txt --editable

.PHONY: env curve notebooks test soak docs linkcheck bench lint clean

env: $(STAMP)

curve: $(CURVE_STAMP)
	$(BIN)/isingrl curve --temperature 1.5 5.1 19 2.1 2.5 17 3.8 4.2 9 \
		--methods metropolis mean-field-q independent-q \
		--sweeps 300000 --thermalization 15000 --interval 40 --out results/curve

# At full size, some ten minutes on two cores; the tests run one of them small, the site all.
notebooks: $(STAMP)
	$(BIN)/python -m studies.running.notebooks studies/notebooks/*.py --out results/notebooks

# Two at once: the machine that this is meant for has two cores. Tests of a module share what it
# simulates, so that neighbours stay together until one of the two has nothing left to do.
test: $(STAMP)
	$(BIN)/pytest -n 2 --dist worksteal

# Kills, stops and full disks (as root) at random moments, and long runs, 20 minutes; a part:
# SOAK=tests/soak/runs.py
soak: $(STAMP)
	$(BIN)/pytest -s --durations 0 $(SOAK)

# With the notebooks of `make notebooks` where they are, else with small ones made on the way.
docs: $(STAMP)
	$(BIN)/sphinx-build --builder html --fail-on-warning --keep-going --quiet docs build/docs
	@echo 'The site begins at build/docs/index.html'

# Links to other sites, which needs the network.
linkcheck: $(STAMP)
	$(BIN)/sphinx-build --builder linkcheck --quiet docs build/linkcheck

bench: $(BENCH_STAMP)
	$(BIN)/python -m benchmarks

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Results stay.
clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf docs/reference/generated docs/tutorial/*.ipynb
	find analysis benchmarks docs isingrl studies tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(CURVE_STAMP): $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "isingrl needs Python 3.11 or newer, and '$(PYTHON)' is not: $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one, as in: make $(or $(MAKECMDGOALS),env) PYTHON=python3.11" >&2; \
		exit 1; }
	@echo 'Setting up $(VENV) with pinned packages, once ...'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) .
	@touch $@

$(STAMP): $(CURVE_STAMP)
	@echo 'Adding packages for tests, site and notebooks to $(VENV), once ...'
	$(INSTALL) '.[dev]'
	@touch $@

$(BENCH_STAMP): $(STAMP)
	$(INSTALL) '.[bench]'
	@touch $@
