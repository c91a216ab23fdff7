#!/usr/bin/env bash
# Usage: hack/test.sh PART...
# Runs parts of the checks, each a script in hack/checks, goes on after a failure, and ends with a table of what ran,
# how long it took, what was left out and why. `make check` and `make test` are lists of parts.
. "$(dirname "$0")/lib.sh"

if [ $# -eq 0 ]; then
  say "usage: hack/test.sh PART...; parts:"
  for script in hack/checks/*.sh; do
    say "  $(printf '%-12s' "$(basename "$script" .sh)") $(sed -n '2s/^# //p' "$script")"
  done
  exit 2
fi
for part in "$@"; do
  [ -x "hack/checks/$part.sh" ] || fail "no part named $part; hack/test.sh lists them"
done

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
# A part that catches Ctrl-C must not be taken for one that failed.
trap 'exit 130' INT

# run_part runs one part, keeps its notes and exit code, and says how long it took.
run_part() {
  local part=$1 started=$SECONDS code=0
  SUMMARIZER_NOTES=$work/$part.notes "hack/checks/$part.sh" || code=$?
  echo "$code $((SECONDS - started))" >"$work/$part.result"
}

# Parts that wait more than they work run beside the others; what they print is shown in their turn.
for part in "$@"; do
  if grep -q '^# beside the others' "hack/checks/$part.sh"; then run_part "$part" >"$work/$part.log" 2>&1 & fi
done

table=() failed=0 left_out=0 begun=$SECONDS
for part in "$@"; do
  printf '\n== %s: %s\n' "$part" "$(sed -n '2s/^# //p' "hack/checks/$part.sh")"
  if [ -e "$work/$part.log" ]; then
    while [ ! -e "$work/$part.result" ]; do sleep 0.2; done
    cat "$work/$part.log"
  else
    run_part "$part"
  fi
  read -r code seconds <"$work/$part.result"
  case $code in
    0) result=passed ;;
    77) result='left out' left_out=$((left_out + 1)) ;;
    *) result=FAILED failed=$((failed + 1)) ;;
  esac
  table+=("$(printf '%-13s %-9s %5d s' "$part" "$result" "$seconds")")
  while IFS= read -r line; do table+=("              $line"); done < <(cat "$work/$part.notes" 2>/dev/null)
done

printf '\n== summary\n'
printf '%s\n' "${table[@]}"
printf '%d parts: %d passed, %d failed, %d left out, in %d s\n' $# $(($# - failed - left_out)) $failed $left_out $((SECONDS - begun))
[ $failed -eq 0 ]
