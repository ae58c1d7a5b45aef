# Everything a person does with this repository. On a fresh Debian 12 or Ubuntu 24.04 with git, curl,
# make and a Rust toolchain, `make run` and `make test` do all of their own set-up.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# rustup puts cargo where a shell opened before it does not look.
export PATH := $(PATH):$(HOME)/.cargo/bin
# Queries are checked against the committed .sqlx data: a build needs no database.
export SQLX_OFFLINE := true

TARGET := $(or $(CARGO_TARGET_DIR),target)
POSTGRES := scripts/private-postgres

.PHONY: help run test chaos bench bench-queue bench-loop bench-load bench-growth build web lint check-manifests setup sqlx openapi clean-demo

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

run: web ## Run the demo: a whole laboratory on this machine (make run ARGS="--headless --rounds 3")
	cargo build --workspace --exclude benchmarks --bins
	@exec $(TARGET)/debug/loopwright demo $(ARGS)

test: web ## Run every test; the last line counts them
	@scripts/setup-system --for-tests
	@scripts/run-tests

KILLS ?= 1000
SEED ?= 1
AT_ONCE ?= 2

chaos: setup ## Kill processes at random over many fast campaigns; a table at the end (KILLS=1000 SEED=1 AT_ONCE=2)
	cargo build --workspace --bins
	@exec $(TARGET)/debug/chaos --kills $(KILLS) --seed $(SEED) --at-once $(AT_ONCE)

ROUNDS ?= 3
SECONDS ?= 3
THREADS ?= 2

bench: ## Measure the learner's training, scoring and choosing beside BoTorch (ROUNDS=3 THREADS=2 ARGS="--json")
	@scripts/check-rust
	@scripts/setup-system
	@scripts/setup-libtorch
	@THREADS=$(THREADS) scripts/bench --rounds $(ROUNDS) $(ARGS)

bench-queue: ## Measure the queue beside PostgreSQL itself and other queues (ROUNDS=3 SECONDS=3 ARGS="--json FILE --statements")
	@scripts/check-rust
	@scripts/setup-system
	@scripts/setup-node || true
	@scripts/bench-queue --rounds $(ROUNDS) --seconds $(SECONDS) $(ARGS)

bench-loop: ## Measure the loop around devices that take no time, start and memory (ROUNDS=3 ARGS="--json FILE --only orchestration")
	@scripts/check-rust
	@scripts/setup-system
	@scripts/bench-loop --rounds $(ROUNDS) $(ARGS)

DESIGNS ?= 100000

bench-load: ## Drive a week at a hundred times its load and say what saturates first (DESIGNS=100000 ARGS="--rounds 4 --device-ms 0")
	@scripts/check-rust
	@scripts/setup-system
	@scripts/bench-load --designs $(DESIGNS) $(ARGS)

MOST_JOBS ?= 1000000
MOST_OBSERVATIONS ?= 10000000

bench-growth: ## Measure what work costs when much of it is stored, every page, and ingest (MOST_JOBS= MOST_OBSERVATIONS= ARGS="--only pages")
	@scripts/check-rust
	@scripts/setup-system
	@scripts/bench-growth --most-jobs $(MOST_JOBS) --most-observations $(MOST_OBSERVATIONS) $(ARGS)

build: web ## Build the release binaries, with the web app in them, into target/release
	cargo build --release --workspace --exclude benchmarks --bins --features orchestrator/jemalloc

web: setup ## Build the web app into web/dist
	@scripts/build-web

lint: setup ## Check formatting, clippy, the web app, and the shell scripts
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings
	@scripts/build-web --packages
	export PATH="$$(scripts/setup-node --bin):$$PATH"; cd web; node_modules/.bin/biome check --error-on-warnings .; node_modules/.bin/tsc --noEmit
	@if command -v shellcheck >/dev/null; then shellcheck scripts/* .ci/run; else echo "shellcheck is not here: scripts not checked"; fi

check-manifests: ## Check deploy/kubernetes against Kubernetes' schemas (no cluster needed)
	@scripts/check-manifests

setup: ## Install what is missing (run, test and build do it by themselves)
	@scripts/check-rust
	@scripts/setup-system
	@scripts/setup-libtorch
	@scripts/setup-node

sqlx: setup ## Renew .sqlx after a change of a query or a migration
	@$(POSTGRES) scripts/prepare-sqlx

openapi: setup ## Renew docs/openapi.json after a change of a route
	cargo build -p orchestrator --bin loopwright
	$(TARGET)/debug/loopwright openapi > $(TARGET)/openapi.json
	mv $(TARGET)/openapi.json docs/openapi.json

clean-demo: ## Throw away the demo's data (.demo)
	@for pid in .demo/*/postmaster.pid .demo/*/*/postmaster.pid; do \
	  if [[ -e $$pid ]] && kill -0 "$$(head -n 1 "$$pid")" 2>/dev/null; then \
	    echo "a demo is running on .demo: stop it first" >&2; exit 1; \
	  fi; \
	done
	rm -rf .demo
