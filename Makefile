# What a newcomer runs. `make demo` and `make test` need nothing but Rust: what is missing they install.
SHELL := /bin/bash
CARGO ?= cargo
TOOLS := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/holdfast/tools
export PATH := $(TOOLS)/bin:$(PATH)
export TOOLS

.PHONY: help demo up mesh mesh-drop test check bench bench-mesh bench-events deps tools fmt kafka kafka-stop test-kafka

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: deps ## A product drop of 500 units, from nothing, in one command
	$(CARGO) build --release --locked --package holdfast
	scripts/demo.sh

up: deps ## Run everything on http://127.0.0.1:8080 and gRPC 127.0.0.1:50051
	$(CARGO) run --release --locked --package holdfast -- up

mesh: deps ## The services apart: a process each, mutual TLS, events over Kafka, one PostgreSQL
	$(CARGO) build --release --locked --workspace
	scripts/mesh.sh up

mesh-drop: deps ## The drop through the mesh, from nothing
	$(CARGO) build --release --locked --workspace
	scripts/mesh.sh drop

test: deps tools ## Every test, against a real PostgreSQL
	$(CARGO) test --workspace --locked

check: tools ## Format, lints, contracts, licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- --deny warnings
	scripts/lint-protos.sh
	$(CARGO) deny --locked check licenses bans sources
	scripts/chart.sh
	scripts/containers.sh

bench: deps ## Holds per second: the naive way, ours, a bare echo, the raw statement
	$(CARGO) run --release --locked --package holdfast -- bench

bench-mesh: deps ## What the mesh promises: restarts, kills, balance, retries, deadlines, overload, its own cost
	$(CARGO) build --release --locked --workspace
	$(CARGO) run --release --locked --package holdfast -- bench-mesh

bench-events: deps ## How late events are, and what they cost the hot path
	$(CARGO) run --release --locked --package holdfast -- bench-events

test-kafka: deps ## The event bus's laws on a real Apache Kafka, one node and three
	$(CARGO) test --locked --package holdfast-platform --features testing --test kafka

kafka: ## Apache Kafka on loopback, one node (three: scripts/kafka.sh start --nodes 3)
	@scripts/kafka.sh start

kafka-stop: ## Stop it; its data stays in data/kafka
	@scripts/kafka.sh stop

deps: ## Install PostgreSQL's server programs where they are missing
	@scripts/deps.sh

tools: ## Install the tools that check and test use
	@scripts/tools.sh
	@scripts/chart-tools.sh
	@scripts/prometheus.sh

fmt: ## Format the code
	$(CARGO) fmt --all

.PHONY: chart chart-golden
chart: tools ## Lint, render, validate and score the Helm chart
	@scripts/chart.sh

chart-golden: tools
	@scripts/chart.sh golden

.PHONY: telemetry-test dashboards
telemetry-test: deps tools ## A real Prometheus on the running mesh: every panel and alert has its data
	$(CARGO) build --locked --workspace
	$(CARGO) test --locked --package holdfast --test monitoring -- --nocapture

dashboards: ## Write the Grafana dashboards of the chart
	python3 -B scripts/dashboards
