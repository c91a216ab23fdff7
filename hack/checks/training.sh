#!/usr/bin/env bash
# real training, judging and serving of the 135M model, on CPU
. "$(dirname "$0")/../lib.sh"
. hack/pytest.sh

run_pytest -m slow
