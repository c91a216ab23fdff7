#!/usr/bin/env bash
# the training program is formatted and linted (ruff) and typed (mypy --strict)
. "$(dirname "$0")/../lib.sh"

have python3 || leave_out "python3 is not installed"
trainer=pkg/train/trainer
venv=$cache/trainer/venv-$(cksum <"$trainer/dev.lock" | cut -d' ' -f1)
if [ ! -e "$venv/.complete" ]; then
  # Debian packages Python without what makes environments.
  python3 -c 'import ensurepip' 2>/dev/null || hack/deps.sh python3-venv
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" --disable-pip-version-check install --quiet --require-hashes --requirement "$trainer/dev.lock" >&2 ||
    fail "$trainer/dev.lock could not be installed: check the network and pip's index"
  touch "$venv/.complete"
fi
cd "$trainer" || exit
export RUFF_CACHE_DIR=$cache/trainer/cache/ruff MYPY_CACHE_DIR=$cache/trainer/cache/mypy-host
failed=''
"$venv/bin/ruff" format --quiet --check . >&2 || { "$venv/bin/ruff" format --diff . >&2 || true; say "not formatted: run  ruff format  in $trainer"; failed=yes; }
"$venv/bin/ruff" check . >&2 || failed=yes
# The libraries' own types are not read: the result is the same with and without them.
"$venv/bin/mypy" --strict >&2 || failed=yes
[ -z "$failed" ]
