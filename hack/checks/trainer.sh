#!/usr/bin/env bash
# the training program's tests in the serving image, with tiny models
. "$(dirname "$0")/../lib.sh"
. hack/pytest.sh

run_pytest -m 'not slow'
