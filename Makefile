# `make` alone explains itself.
SHELL := /usr/bin/env bash
.DEFAULT_GOAL := help

MODULE  := github.com/kubectl-summarizer/kubectl-summarizer
VERSION ?= $(shell git describe --tags --match 'v*' --dirty 2>/dev/null || echo v0.0.0-dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
# The commit's date, not the clock's: the same commit builds the same bytes.
DATE    ?= $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)
LDFLAGS := -s -w \
	-X $(MODULE)/internal/version.version=$(VERSION) \
	-X $(MODULE)/internal/version.commit=$(COMMIT) \
	-X $(MODULE)/internal/version.date=$(DATE)

# Parts of the checks; each is hack/checks/PART.sh, and hack/test.sh PART... runs any of them.
CHECK_PARTS := format modules vet lint unit shell python chart download generated
TEST_PARTS  := $(CHECK_PARTS) race manifests vulnerable localcluster trainer training apiserver e2e

# Only a KUBECONFIG on make's own command line moves the demo to the user's cluster: one that is merely
# exported must not.
ifeq ($(origin KUBECONFIG),command line)
DEMO_ARGS := --kubeconfig '$(KUBECONFIG)'
endif

.PHONY: help
help: ## this list
	@echo 'kubectl summarizer: serve and use a summarization model on Kubernetes. Targets:'
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  %-13s %s\n' "$$name" "$$text"; done
	@echo 'One part of the checks: hack/test.sh PART. A pinned tool: $$(hack/tool NAME).'

.PHONY: build
build: ## the plugin, to bin/kubectl-summarizer
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/kubectl-summarizer ./cmd/kubectl-summarizer

.PHONY: check
check: ## the fast loop: format, vet, lint, unit and chart tests, generated files; no cluster, under 2 minutes warm
	@hack/test.sh $(CHECK_PARTS)

.PHONY: test
test: ## everything: check, rendered manifests, the local cluster, a real API server, end to end
	@hack/test.sh $(TEST_PARTS)

.PHONY: e2e
e2e: ## only the end-to-end tests, on the local cluster
	@hack/test.sh e2e

.PHONY: demo
demo: ## the whole loop: serve, train, judge, promote, on a real cluster; KUBECONFIG=FILE: on your own
	@hack/demo.sh $(DEMO_ARGS)

.PHONY: demo-serve
demo-serve: ## the short one, without training: install, query, uninstall
	@hack/demo-serve.sh $(DEMO_ARGS)

.PHONY: bench bench-train
bench: ## start-up, render and install in time and memory, against helm; writes docs/performance.md
	@hack/bench.sh
bench-train: ## tokens/s and memory of the training, against plain TRL; writes docs/performance.md
	@hack/bench-train.sh

.PHONY: generate
generate: ## values schema, chart README and command reference, from their sources
	@hack/generate.sh

.PHONY: cluster-up cluster-down
cluster-up: ## the local cluster (hack/localcluster.sh has more verbs)
	@hack/localcluster.sh up
cluster-down: ## stop it and remove what it left
	@hack/localcluster.sh down

.PHONY: clean
clean: ## what was built in the tree; the cache (hack/cachedir) stays
	rm -rf bin dist
