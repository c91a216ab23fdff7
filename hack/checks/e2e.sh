#!/usr/bin/env bash
# end to end: the built plugin and both Helms on a real cluster, with real vLLM on CPU
. "$(dirname "$0")/../lib.sh"
. hack/cluster.sh

need_node
use_cluster
need_images vllm-sim vllm-cpu
make --no-print-directory build >&2
export E2E_PLUGIN=$root/bin/kubectl-summarizer E2E_KUBECTL=$kubectl
HELM3=$(hack/tool helm3)
HELM4=$(hack/tool helm4)
export HELM3 HELM4
CGO_ENABLED=0 go run ./hack/checks/gotest -tags e2e -count=1 -timeout 45m ./test/e2e/...
