# Everything that people and CI run. `make` alone lists it.
#
# Each target first makes .venv out of the locked requirements (see requirements/install.sh); the second time that
# takes no time. Nothing here needs root, a Redis or Docker.

BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install demo test faults fuzz check bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

install: ## make .venv; .venv/bin/umbel is then the command
	@sh requirements/install.sh

demo: install ## lead three conversations on real Celery workers, and watch
	@$(BIN)/umbel demo $(ARGS)

# All tests are shared by three processes, two of which wait most of the time; for some of them, and on a server of your
# own, it is one.
test: install ## run the tests, on a Valkey of their own (ARGS="-k name" picks some)
	@$(BIN)/python -m pytest $(or $(ARGS),$(if $(UMBEL_TEST_REDIS_URL),,-n 3))

faults: install ## kill, stop, cut and stall what works, for minutes (ARGS=--json, ARGS="killed rolled")
	@PYTHONPATH=tests $(BIN)/python -m faults $(ARGS)

fuzz: install ## read what a coverage-guided fuzzer makes of models' replies (ARGS="--seconds 600"; needs atheris)
	@PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

check: install ## format, lint, strict types, import contracts, locks
	@echo "umbel: format";  $(BIN)/ruff format --check --quiet . || { echo "umbel: run $(BIN)/ruff format ." >&2; exit 1; }
	@echo "umbel: lint";    $(BIN)/ruff check --quiet .
	@echo "umbel: types";   $(BIN)/mypy --no-error-summary
	@echo "umbel: imports"; $(BIN)/lint-imports --no-cache
	@echo "umbel: locks";   ! grep -nE '://|--(extra-)?index-url|--find-links| @ ' requirements/*.txt

bench: install ## measure against the raw Redis floor (ARGS=--quick is short)
	@$(BIN)/umbel bench $(ARGS)

lock: ## write the locked requirements anew (needs uv and the network; UPGRADE=1 takes the newest)
	@sh requirements/lock.sh

clean: ## remove .venv and all caches; the data in UMBEL_HOME stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
