# `make help` lists the targets; `make demo PORT=8010` changes a variable.
PYTHON ?= python3
PORT ?= 8000
DICOM_PORT ?= 11112
DATA ?= .demo
STUDY ?=
ONLY ?=
SETUP = $(PYTHON) deploy/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: demo test bench drills sbom lint help

demo: ## run everything on this machine: PORT=8000 DICOM_PORT=11112 DATA=.demo STUDY=a DICOM folder, zip or NIfTI file
	@$(SETUP) --web -- plaqueview demo --port $(PORT) --dicom-port $(DICOM_PORT) --data-dir "$(DATA)" $(if $(STUDY),--study "$(STUDY)")

test: ## every check: lint, types, floors, migrations, pytest, vitest, browser, wheel; ONLY=step runs one
	@$(SETUP) --extra dev --extra training --extra postgres --extra bfloat16 --web -- python -m tests $(ONLY)

bench: ## benchmarks, one JSON object a line; ONLY=name runs those whose name starts so
	@$(SETUP) --extra dev --extra training --extra bfloat16 --web -- python -m tests.bench $(ONLY)

drills: ## strikes a department on this machine, needs root; ONLY=name does one, FROM=commit upgrades an older one
	@$(SETUP) --extra dev --extra training --extra postgres --web -- python -m tests.drills $(ONLY) $(if $(FROM),--from $(FROM))

sbom: ## what PlaqueView is made of, as CycloneDX files in dist/sbom
	@$(SETUP) --extra dev --web -- python deploy/sbom.py dist/sbom

lint: ## format, lint, types and floors
	@$(SETUP) --extra dev --extra training --extra postgres -- python -m tests lint

help: ## this list
	@sed -n 's/^\([a-z]*\): ## /  make \1|/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'
