# The local cluster for a part of the checks: sourced after lib.sh.

# use_cluster brings the local cluster up and points KUBECONFIG and $kubectl at it, or takes the cluster of
# E2E_KUBECONFIG as it is. Where the machine allows no real node, there is an API server all the same.
use_cluster() {
  if [ -n "${E2E_KUBECONFIG:-}" ]; then
    have kubectl || leave_out "E2E_KUBECONFIG is set but there is no kubectl on PATH"
    export KUBECONFIG=$E2E_KUBECONFIG
    kubectl=$(command -v kubectl)
    note "on the cluster of $KUBECONFIG"
    return
  fi
  hack/localcluster.sh up >&2
  KUBECONFIG=$(hack/localcluster.sh kubeconfig)
  export KUBECONFIG
  kubectl=$(hack/localcluster.sh kubectl)
}

# need_node leaves a part out where no pod could run.
need_node() {
  [ -z "${E2E_KUBECONFIG:-}" ] || return 0
  [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] ||
    leave_out "a real node needs root on Linux; E2E_KUBECONFIG=FILE takes another cluster"
}

# need_images builds and loads images where the cluster is the local one; another has them or pulls them.
need_images() {
  [ -z "${E2E_KUBECONFIG:-}" ] || return 0
  for image in "$@"; do hack/localcluster.sh image "$image" >&2; done
}
