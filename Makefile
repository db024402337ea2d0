# Everything runs in .venv. Targets set it up at the first call and after a change of the pins: the
# curve installs only its own packages, any other target installs the rest.
PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin
SOAK ?= tests
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

# Full sizes, some ten minutes on two cores. The site runs them small.
notebooks: $(STAMP)
	$(BIN)/python -m studies.running.notebooks studies/notebooks/*.py --out results/notebooks

# Two processes, for two cores. Tests of a module share simulations, so worksteal keeps neighbours
# together until one process has no tests left.
test: $(STAMP)
	$(BIN)/pytest -n 2 --dist worksteal

# Kills, stops and full disks (as root) at random moments, and long runs: tests/soak and what is
# marked `soak`, more than an hour. For a part: make soak SOAK=tests/soak/test_runs.py
soak: $(STAMP)
	$(BIN)/pytest -s --durations 0 -m soak $(SOAK)

# With the notebooks of `make notebooks` if they exist, else with small ones.
docs: $(STAMP)
	$(BIN)/sphinx-build --builder html --fail-on-warning --keep-going --quiet docs build/docs
	@echo 'The site begins at build/docs/index.html'

# Links to other sites; needs the network.
linkcheck: $(STAMP)
	$(BIN)/sphinx-build --builder linkcheck --quiet docs build/linkcheck

# 20 minutes.
bench: $(BENCH_STAMP)
	$(BIN)/python -m benchmarks

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Keeps results/.
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
