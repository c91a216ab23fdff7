#!/usr/bin/env bash
# unit, golden and whole-command tests of the plugin's module
. "$(dirname "$0")/../lib.sh"

# The end-to-end tests need a cluster and are a part of their own.
mapfile -t packages < <(CGO_ENABLED=0 go list ./... | grep -v '/test/e2e')
# Some compare with what Helm itself renders.
HELM3=$(hack/tool helm3)
HELM4=$(hack/tool helm4)
export HELM3 HELM4
CGO_ENABLED=0 go run ./hack/checks/gotest "${packages[@]}"
