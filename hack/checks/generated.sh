#!/usr/bin/env bash
# what is generated (values schema, chart README, command reference) is current
. "$(dirname "$0")/../lib.sh"

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
mkdir -p "$fresh/charts" "$fresh/docs"
cp -r charts/. "$fresh/charts"
hack/generate.sh "$fresh"
stale=0
for path in "$chart/values.schema.json" "$chart/README.md" "$chart/files/accelerators.json" docs/commands docs/matrix.md; do
  diff -ru "$path" "$fresh/$path" || { say "$path is not what its source says"; stale=1; }
done
[ $stale = 0 ] || fail "run  make generate  and commit what it changes"
