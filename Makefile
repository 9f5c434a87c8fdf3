# Two commands matter: `make demo` shows the product, `make test` proves it. Both do all the set-up themselves.
# Works with GNU make 3.81 (macOS) and later. PYTHON=/path/to/python3.12 chooses the interpreter.

VENV    := .venv
BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip install --quiet --disable-pip-version-check
STAMPS  := $(VENV)/.stamps
WORKERS ?= 2
ARGS    ?=

.PHONY: help demo test quick distributed lint screenshots mutants bench lock clean
.DELETE_ON_ERROR:

help: ## Say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -e 's/:.*## /|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(STAMPS)/$(if $(DATA),demo,run) ## Start Patron with a living town, print its address (PORT=8800; DATA=complete-journey)
	$(BIN)/patron demo $(if $(DATA),--data $(DATA)) $(if $(PORT),--port $(PORT)) $(ARGS)

test: $(STAMPS)/dev $(STAMPS)/npm tools lint ## Everything: lint, types, floors, all tests with browser and vendor SDKs
	@$(BIN)/python -m compileall -q src # else each of a thousand `patron` processes compiles it again where bytecode is not kept
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

quick: $(STAMPS)/dev ## The unmarked tests only: no browser, no node, about a minute
	$(BIN)/pytest -m "not slow and not browser and not sdk" $(ARGS)

distributed: $(STAMPS)/dev ## The same expressions on Spark: local, and a master with two workers (needs Java 17 or 21)
	$(BIN)/pytest -m distributed $(ARGS)

lint: $(STAMPS)/dev ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

screenshots: $(STAMPS)/dev tools ## Draw docs/screenshots/ anew from a running demo
	$(BIN)/python scripts/pictures.py

mutants: $(STAMPS)/dev ## Break each law by hand; a test must notice each time
	$(BIN)/python scripts/mutants.py $(ARGS)

bench: $(STAMPS)/run ## The online-path table, through HTTP, against its floors (ARGS="--quick")
	$(BIN)/patron bench $(ARGS)

lock: $(STAMPS)/dev ## Resolve the newest allowed versions and write the lock files
	$(BIN)/python scripts/lock.py
	cd tests/sdk && npm install --package-lock-only --ignore-scripts --no-audit --no-fund
	$(BIN)/python scripts/strip_npm_lock.py tests/sdk/package-lock.json

clean: ## Remove what make made (not your data)
	rm -rf $(VENV) tests/sdk/node_modules build dist
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.PHONY: tools
tools:
	@scripts/tools.sh

# Stamps: a step runs again only when what it depends on changed.
$(STAMPS)/venv: scripts/venv.sh
	scripts/venv.sh $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements.lock pyproject.toml $(STAMPS)/venv
	$(PIP) -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/run
	$(PIP) -r requirements-dev.lock
	@touch $@

$(STAMPS)/demo: requirements-demo.lock $(STAMPS)/run
	$(PIP) -r requirements-demo.lock
	@touch $@

$(STAMPS)/npm: tests/sdk/package.json tests/sdk/package-lock.json tests/sdk/requirements-2.2.3.txt $(STAMPS)/dev
	@scripts/tools.sh
	cd tests/sdk && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
	$(PIP) --no-deps --upgrade --target $(VENV)/segment-2.2.3 -r tests/sdk/requirements-2.2.3.txt
	@touch $@
