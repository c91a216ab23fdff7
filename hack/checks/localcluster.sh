#!/usr/bin/env bash
# go vet and the tests of the local cluster's own module
. "$(dirname "$0")/../lib.sh"

(cd hack/localcluster && CGO_ENABLED=0 go vet ./...)
# The simulator is compared with the real vLLM, from the image's files.
[ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ] || export VLLM_COMPARE=1
if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ]; then
  note "left out: starting and stopping real clusters, which needs root on Linux"
elif compgen -G "${XDG_STATE_HOME:-$HOME/.local/state}/kubectl-summarizer/localcluster/*/kubeconfig" >/dev/null; then
  # The machine can be the node of one cluster only, and that one may be in use.
  [ -z "${CI:-}" ] || fail "a cluster is up, so that none can be started: hack/localcluster.sh down --name NAME"
  note "left out: starting and stopping real clusters, because one is up: make cluster-down first"
else
  export LOCALCLUSTER_E2E=1
fi
# One package at a time: some build images or run vLLM, and others hold a cluster to time limits. Never from Go's
# cache, which knows nothing of the scripts and of the servers' module.
CGO_ENABLED=0 go run ./hack/checks/gotest -C hack/localcluster -count=1 -p 1 -timeout 30m ./...
