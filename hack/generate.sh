#!/usr/bin/env bash
# Usage: hack/generate.sh [ROOT]
# Writes what is generated: the chart's schema and README from the comments in values.yaml, the command reference from
# the verbs' help, what the chart knows of accelerators and what works where from the catalog. ROOT is where charts/ and docs/ are read and written; without it, this checkout.
. "$(dirname "$0")/lib.sh"
target=${1:-$root}

(cd "$target/$chart" && "$("$root/hack/tool" helm-values-schema-json)" --config .schema.yaml) >&2
"$(hack/tool helm-docs)" --log-level warning --chart-search-root "$target/$chart"
CGO_ENABLED=0 go run ./hack/accelerators "$target/$chart/files/accelerators.json"
CGO_ENABLED=0 go run ./hack/docs "$target/docs/commands"
CGO_ENABLED=0 go run ./hack/matrix >"$target/docs/matrix.md"
