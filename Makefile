PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests start hundreds of processes: each would compile the whole program again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-pages test-pages-all screenshots coverage lint check format bench fairness test-pbx test-foreign chaos distribution-race sabotage shift-change clean
.DEFAULT_GOAL := setup

# The front-end files are made anew when what they are made of has changed (0.3 s to see that it has not).
setup: $(STAMP)
	@$(BIN)/python -m gateway.web.assets

$(STAMP): requirements-dev.lock pyproject.toml hatch_build.py
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh deploy/setup.sh
	@touch $(STAMP)

demo: setup
	@$(BIN)/callmatrix demo $(DEMO)

test: setup
	$(BIN)/python -m pytest -m "not pbx and not chaos and not foreign and not pages" -n $(or $(WORKERS),2) --dist loadfile --max-worker-restart 2 $(TESTS)

coverage: setup
	$(BIN)/python -m pytest -m "not pbx and not chaos and not foreign and not pages" -n 2 --dist loadfile --cov --cov-report=term $(TESTS)

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint test

bench: setup
	@command -v wrk >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq wrk >/dev/null; } \
	  || { echo "wrk is needed to measure lookups: install the package wrk, or run make bench BENCH='--only matrix distribution triggers outbound intake backfill command_line accounts'"; exit 1; }
	$(BIN)/python -m tests.bench $(BENCH)

fairness: setup
	$(BIN)/python -m tests.unit.routing.distribution.compared $(or $(DEALS),20000)

test-pbx: setup
	@sh tests/e2e/pbx/install.sh
	$(BIN)/python -m pytest -m pbx $(or $(TESTS),tests/e2e/pbx)

test-pages: setup
	@sh tests/e2e/pages/install.sh
	$(BIN)/python -m pytest -m pages -n 0 $(or $(TESTS),tests/e2e/pages)

test-pages-all: setup
	@sh tests/e2e/pages/install.sh
	CALLMATRIX_PAGES_ALL=1 $(BIN)/python -m pytest -m pages -n 0 $(or $(TESTS),tests/e2e/pages)

screenshots: setup
	@sh tests/e2e/pages/install.sh
	$(BIN)/python -m tests.pictures $(SCREENSHOTS)

test-foreign: setup
	@PYTHON="$(BIN)/python" sh tests/foreign/install.sh
	$(BIN)/python -m pytest -m foreign -n 0 tests/foreign

chaos: setup
	$(BIN)/python -m tests.chaos --seed $(or $(SEED),1) --minutes $(or $(MINUTES),10)

distribution-race: setup
	$(BIN)/python -m tests.integration.distribution.race $(RACE)

shift-change: setup
	$(BIN)/python -m pytest -n 0 -q -s tests/integration/shift_change/long_form.py

sabotage: setup
	$(BIN)/python -m tests.sabotage $(SABOTAGE)

clean:
	rm -rf $(VENV) .foreign node_modules gateway/web/built .pages
