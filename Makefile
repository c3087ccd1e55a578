# Each target runs in the environment that is active (see CONTRIBUTING.md). `make` alone lists them.
.PHONY: help test test-nojit test-nojit-all lint quick bench bench-beside docs all

# Tests of what kernels compute. Those of commands, texts and pictures only pass through them: test-nojit-all has them.
RUN_KERNELS = $(addprefix tests/, kernels engine ranks nn data training language sklearn recipes proofs ops \
	$(addprefix system/, test_bad_input.py test_branching_nets.py test_random_nets.py test_worked_numbers.py))

help:            ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

all: lint test test-nojit  ## lint, test and test-nojit

test:            ## the suite, kernels compiled
	python -m pytest -q

test-nojit:      ## what runs kernels, as plain Python: checks every index, also inside prange
	NUMBA_DISABLE_JIT=1 python -m pytest -q $(RUN_KERNELS)

test-nojit-all:  ## the whole suite in that way
	NUMBA_DISABLE_JIT=1 python -m pytest -q

lint:            ## style and types
	ruff check .
	ruff format --check .
	mypy

quick:           ## every system with --quick, as a user runs it
	python -m bench.quick_set

bench:           ## speed of every kernel and every system's step: some minutes
	python -m pytest --benchmark-only --benchmark-columns=median,iqr,rounds --benchmark-group-by=group

bench-beside:    ## the same steps and whole trainings beside PyTorch and others, where installed: more than half an hour
	python -m pytest --benchmark-only -m "peers or trainings" -s

docs:            ## the documentation site, in site/ (needs the `docs` extra); the notebooks are run for their pictures
	@python -c "import mkdocs, material, mkdocstrings, mkdocs_jupyter" 2>/dev/null || \
		{ echo "make docs: the site's tools are not installed; install them with: pip install -e '.[docs]'" >&2; exit 2; }
	NO_MKDOCS_2_WARNING=1 RUN_NOTEBOOKS=true python -m mkdocs build --strict
