#!/usr/bin/env bash
# shell scripts parse, and shellcheck finds nothing
. "$(dirname "$0")/../lib.sh"

mapfile -t scripts < <(git ls-files --cached --others --exclude-standard | while read -r f; do
  [ -f "$f" ] && head -c 32 "$f" | head -n 1 | grep -Eq '^#!.*\b(ba)?sh\b' && echo "$f"; done; echo hack/lib.sh)
for script in "${scripts[@]}"; do bash -n "$script"; done
have shellcheck || hack/deps.sh shellcheck || leave_out "shellcheck is not installed and could not be"
# What is sourced is not followed (SC1091), so its variables look unset (SC2154); set -u finds real ones.
shellcheck --shell=bash --severity=warning --exclude=SC1091,SC2154 "${scripts[@]}"
note "${#scripts[@]} scripts"
