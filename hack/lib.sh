# Shared by the scripts in hack/: sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
cache=$(hack/cachedir)
chart=charts/vllm-summarizer

# say prints a line of progress; what a script produces goes to stdout, this does not.
say() { printf '%s\n' "$*" >&2; }

# fail ends the script with one sentence.
fail() { say "${0##*/}: $*"; exit 1; }

# note adds a line to the summary that hack/test.sh prints at the end.
note() { [ -z "${SUMMARIZER_NOTES:-}" ] || printf '%s\n' "$*" >>"$SUMMARIZER_NOTES"; say "$*"; }

# leave_out ends a part that cannot run on this machine; 77 is what Automake's tests use for it.
leave_out() { note "left out: $*"; exit 77; }

# have says whether a command is installed.
have() { command -v "$1" >/dev/null 2>&1; }
