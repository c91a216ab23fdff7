# Tests of the training program for a part of the checks: sourced after lib.sh.

# run_pytest runs pytest in the serving image with the arguments, and leaves the part out where there is no such image.
run_pytest() {
  local reason
  reason=$(hack/localcluster.sh image vllm-cpu --check 2>&1) || leave_out "${reason#localcluster: }"
  [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] || leave_out "the serving image's files are entered by mounts, which needs root on Linux"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  # No cache of pytest's: it would lie in the tree.
  hack/trainer.sh -m pytest -p no:cacheprovider -q --durations=5 "$@" 2>&1 | tee "$log" >&2
  note "$(tail -1 "$log")"
}
