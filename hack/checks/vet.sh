#!/usr/bin/env bash
# go vet finds nothing in the plugin's module
. "$(dirname "$0")/../lib.sh"

CGO_ENABLED=0 go vet -tags e2e,lint ./...
