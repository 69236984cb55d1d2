# Three commands are enough to remember: make setup, make check (fast), make test (all).

PYTHON ?= python3
RUN := .venv/bin/python
# One thread for each of the two test processes: more of both is slower on two cores.
JOBS ?= 2
# The first and the last version of Python that types are checked for; each has a cache of its own, and they run side by side.
TYPED := 3.11 3.13
SETTINGS := OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1
PYTEST := $(SETTINGS) $(RUN) -m pytest -q
# The tests of a file stay together, since they share what its fixtures build; the files with most tests begin.
SHARED := -n $(JOBS) --dist loadfile
DISTRIBUTIONS := $(patsubst %/pyproject.toml,./%,$(wildcard core/pyproject.toml sdk/pyproject.toml plugins/*/*/pyproject.toml))

.DEFAULT_GOAL := help
.PHONY: help setup demo static check test slow browser sync bench bench-quality wheels clean

help: ## Show this list
	@echo 'functory: make demo shows what it does; make test checks everything. All of them make .venv first.'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv with every distribution editable, or bring it in step (PYTHON=python3.11 chooses)
	@$(PYTHON) scripts/bootstrap.py

demo: setup ## Build a function, evaluate, explain, optimize and package it, and call it from another environment
	@echo 'demo: scripts/demo.py'
	@$(RUN) scripts/demo.py

static: setup ## Check style, types, who imports whom, and that generated files are in step
	@echo 'static: ruff'
	@.venv/bin/ruff check --quiet --output-format concise .
	@echo 'static: what several folders agree on'
	@$(RUN) scripts/sync.py --check
	@echo 'static: who imports whom'
	@PYTHONPATH= .venv/bin/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }
	@echo 'static: mypy, for Python $(TYPED)'
	@echo $(TYPED) | xargs -n 1 -P $(JOBS) .venv/bin/mypy --python-version

check: static ## All of static, and the fast tests: core, SDK and workspace
	@echo 'check: the fast tests'
	@$(PYTEST) $(SHARED) core/tests sdk/tests tests/test_workspace_*.py

test: static ## All of static, and every test that is not slow
	@echo 'test: every test that is not marked slow or gpu'
	@$(PYTEST) $(SHARED) --durations 15

slow: setup ## The slow tests: the template for every kind, third parties, kills, peers
	@echo 'slow: every test marked slow, and after them every test marked peer, each in an environment of its own'
	@$(PYTEST) $(SHARED) -m 'slow and not gpu and not peer' --durations 15; slow=$$?; \
	$(SETTINGS) $(RUN) scripts/environments.py --jobs $(JOBS) && test $$slow -eq 0

browser: setup ## Bring Chromium and axe-core, by which pages are tested (apt-get, npm)
	@$(RUN) scripts/browser.py

sync: ## Write what several folders must agree on: version, ranges, extras, known names, import rules, tables, pages
	@$(PYTHON) scripts/sync.py
	@if [ -x $(RUN) ]; then for page in cli hooks recipes sdk; do $(RUN) scripts/$${page}_page.py; done; fi

bench: setup ## Measure this project beside its peers
	@echo 'bench: bench/run.py'
	@$(RUN) bench/run.py

bench-quality: setup ## The quality table: every task on real data beside peers, row by row; kept rows stay
	@echo 'bench-quality: bench/table.py'
	@$(RUN) scripts/environments.py bench bench/table.py

wheels: setup ## Build every distribution's wheel into dist/
	@echo 'wheels: $(words $(DISTRIBUTIONS)) distributions into dist/'
	@rm -rf dist
	@$(RUN) -m pip wheel -qq --no-deps --no-build-isolation --disable-pip-version-check -w dist $(DISTRIBUTIONS)
	@ls dist

clean: ## Remove .venv, dist and every cache of the tools
	@echo 'clean: .venv, dist, caches'
	@rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
