#!/usr/bin/env bash
# the chart's download script, as a process, against a Hub over HTTP
# beside the others: its tests wait for retries and time limits
. "$(dirname "$0")/../lib.sh"

have python3 || leave_out "python3 is not installed"
requirements=$chart/tests/requirements.txt
venv=$cache/chart/venv-$(cksum <"$requirements" | cut -d' ' -f1)
if [ ! -x "$venv/bin/python" ] || [ ! -e "$venv/.complete" ]; then
  # Debian packages Python without what makes environments.
  python3 -c 'import ensurepip' 2>/dev/null || hack/deps.sh python3-venv
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" --disable-pip-version-check install --quiet --requirement "$requirements" >&2 ||
    fail "$requirements could not be installed: check the network and pip's index"
  touch "$venv/.complete"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m unittest discover --start-directory "$chart/tests" 2>&1 | tee "$log" >&2
note "download script: $(sed -n 's/^Ran \([0-9]* tests\).*/\1/p' "$log"), $(tail -1 "$log")"
