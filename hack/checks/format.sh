#!/usr/bin/env bash
# Go files are as gofmt writes them
. "$(dirname "$0")/../lib.sh"

# Files that git ignores are nobody's business; new ones that are not yet added are.
unformatted=$(git ls-files -z --cached --others --exclude-standard -- '*.go' |
  while IFS= read -r -d '' f; do [ -f "$f" ] && printf '%s\0' "$f"; done | xargs -0 -r gofmt -l)
[ -z "$unformatted" ] || fail "not formatted, run gofmt -w on: $(echo "$unformatted" | tr '\n' ' ')"
