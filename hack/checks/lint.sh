#!/usr/bin/env bash
# golangci-lint finds nothing, and its import rules fire
. "$(dirname "$0")/../lib.sh"

linter=$(hack/tool golangci-lint)
"$linter" config verify
# That the import rules fire is a test of its own, on a module made up of breaches.
GOLANGCI_LINT=$linter go test -count=1 -tags lint -run TestTheLinter ./hack/checks/imports
failed=''
for module in . hack/localcluster; do
  (cd "$module" && CGO_ENABLED=0 "$linter" run ./...) || failed=yes
done
[ -z "$failed" ]
