# make demo    the whole loop on samples: label, train, evaluate, annotate   (KEEP=1 leaves Label Studio running)
# make test    everything: lint, types, unit tests, training, the real Label Studio server
# make fast    lint, types and the unit tests, in a few minutes
# make lowest  the unit tests with the lowest versions that pyproject.toml allows
# make clean   what the above made in this folder

PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
ifeq ($(OS),Windows_NT)
SCRIPTS := Scripts
LINK = cmd //c "mklink /J $(VENV)\\links\\pizhu ."
else
SCRIPTS := bin
LINK = ln -sfn ../.. $(VENV)/links/pizhu
endif
BIN := $(VENV)/$(SCRIPTS)
# A file's tests stay together, since they share servers and models.
PYTEST = $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile
WORKERS ?= 2
export PIZHU_LABEL_STUDIO_ENV ?= $(CURDIR)/.venv-label-studio

.PHONY: setup label-studio demo test fast lint lowest clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "pizhu needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c "import venv, ensurepip" || \
		{ echo "Python's venv module is missing; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]' || \
		{ echo "The packages could not be installed; pip needs a package registry that it reaches (see pip config)."; exit 1; }
	@mkdir -p $(VENV)/links && $(LINK)
	@touch $@

label-studio: setup
	@$(BIN)/pizhu label serve --install-only

demo: label-studio
	$(BIN)/pizhu demo $(if $(KEEP),--keep)

fast: setup lint
	$(PYTEST) -m "not slow and not server"

test: label-studio lint
	$(PYTEST) -m "not slow and not server" --cov --cov-report=
	@echo "Coverage of the unit tests: $$($(BIN)/python -m coverage report --format=total 2>/dev/null) %"
	$(PYTEST) -m "slow or server" --durations=15

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lowest:
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(LOWEST)/$(SCRIPTS)/uv pip install --quiet --python $(LOWEST) --resolution lowest-direct -e '.[all,dev]'
	$(LOWEST)/$(SCRIPTS)/python -m pytest -q -m "not slow and not server"

clean:
	rm -rf $(VENV) $(LOWEST) .venv-label-studio build out *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
