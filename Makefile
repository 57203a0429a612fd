# make demo      set up if needed, run the embedded default
# make tr26847   set up if needed, tabulate the splits of TR 26.847 (2 GB of models)
# make estimate  jobs, hours and disk that a run would still take
# make check     which results are whole, damaged or missing; make check REPAIR=1 makes them again
# make prune     list results that no study declares any more; make prune DELETE=1 deletes them
# make test      set up if needed, run the fast tests
# make test-slow the slow ones; MINUTES=30 runs the longest first and says what is left out
# make test-slurm the workflow on a real SLURM, started here (as root, from Debian's packages)
# make test-all  all of them
# make native    the coder of nnrd.nnc, built in place (part of the set-up; NNCodec's without it)
# make fuzz-native damaged data through that coder, under address and undefined-behaviour checks
# make lint      the linters and the type checker
# make clean     remove results, logs and what was built; the environment stays
# make distclean remove the environment too

PYTHON ?= python3.11
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Packages are installed uncompiled; what is imported is compiled once, and not by each job anew.
unexport PYTHONDONTWRITEBYTECODE
SNAKEMAKE := snakemake --workflow-profile workflow/profiles/default
READY := .venv/.ready
PACKAGES := .venv/.packages
NATIVE := scripts/nnrd/nnc/native
SLURM := slurmctld slurmd slurm-client munge

.PHONY: demo tr26847 estimate check prune test test-unit test-workflow test-slow test-slurm test-all lint setup native fuzz-native clean distclean

demo: $(READY)
	$(SNAKEMAKE)
	@$(MAKE) --no-print-directory results/report.html

# Made again when the results are newer.
results/report.html: results/provenance.json
	snakemake --report $@ --quiet all
	@python scripts/summarise_benchmarks.py benchmarks
	@echo "The report: $@; tables: results/tables/; plots: results/plots/"

results/provenance.json:
	$(SNAKEMAKE)

tr26847: $(READY)
	$(SNAKEMAKE) --config run='[tr26847]'
	snakemake --report results/report.html --quiet all --config run='[tr26847]'
	@echo "The report: results/report.html"

estimate: $(READY)
	@python scripts/estimate_cost.py

check: $(READY)
	@nnrd check $(if $(REPAIR),--repair)

prune: $(READY)
	@nnrd prune $(if $(DELETE),--delete)

# Both halves side by side: the one is a process, the other waits for Snakemake's.
test: $(READY)
	@$(MAKE) --no-print-directory -j2 test-unit test-workflow

test-unit: $(READY)
	pytest -m "not slow" tests/unit

test-workflow: $(READY)
	pytest -m "not slow" tests/workflow

test-slow: $(READY)
	pytest -m slow $(if $(MINUTES),--minutes $(MINUTES))

test-slurm: $(READY)
	@pip install --quiet --no-deps -r envs/slurm.txt \
	  || echo "envs/slurm.txt cannot be installed here: the tests on SLURM are left out"
	@command -v slurmctld > /dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends $(SLURM) > /dev/null; } \
	  || echo "SLURM cannot be installed here ($(SLURM)): its tests are left out"
	pytest tests/slurm

test-all: $(READY)
	pytest

lint: $(READY)
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile workflow/Snakefile workflow/rules
	snakemake --lint

setup: $(READY)

# nnrd itself, and its coder; again where the latter was edited.
$(READY): $(PACKAGES) setup.py $(wildcard $(NATIVE)/*)
	pip install --no-deps --no-build-isolation --editable .
	touch $@

# The packages are all there or are not: .packages is written last.
$(PACKAGES): envs/requirements.txt envs/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' \
	  || { echo "error: nnrd needs Python 3.11 or 3.12: make PYTHON=/path/to/python3.11"; exit 1; }
	@c++ --version > /dev/null 2>&1 \
	  || { echo "error: no C++ compiler (c++): NNCodec is built from source"; exit 1; }
	@[ ! -L .venv ] || { echo "error: .venv is a link: make the environment that it names"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	@# Python compiles what is imported, which is the smaller part.
	pip install --no-compile --progress-bar on -r envs/requirements.txt -c envs/constraints.txt
	touch $@

# It may fail: NNCodec's coder does the work then, and says so.
BUILD_NATIVE = python setup.py --quiet build_ext --inplace

native: $(READY)
	$(BUILD_NATIVE)

FUZZ := tests/native/fuzz.cpp $(wildcard $(NATIVE)/kernels_*.cpp)

fuzz-native: build/fuzz
	build/fuzz $(or $(COUNT),100000)

build/fuzz: $(FUZZ) $(wildcard $(NATIVE)/*.h* $(NATIVE)/*.inl)
	@mkdir -p build
	c++ -std=c++20 -O1 -g -ffp-contract=off -Wall -Wextra -Werror \
	  -fsanitize=address,undefined -fno-sanitize-recover=all $(FUZZ) -o $@

clean:
	rm -rf .snakemake benchmarks logs build dist
	find results -mindepth 1 ! -name README.md -delete

distclean: clean
	rm -rf .venv
