#!/usr/bin/env bash
# the race detector finds nothing in the packages that do several things at once
. "$(dirname "$0")/../lib.sh"

# The detector is C, so this is the one build with cgo.
have gcc || hack/deps.sh gcc libc6-dev || leave_out "no C compiler, which the race detector needs"
HELM3=$(hack/tool helm3)
HELM4=$(hack/tool helm4)
export HELM3 HELM4
mapfile -t packages < <(CGO_ENABLED=1 go list ./internal/... ./pkg/...)
CGO_ENABLED=1 go run ./hack/checks/gotest -race "${packages[@]}"
