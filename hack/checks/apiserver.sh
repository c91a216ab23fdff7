#!/usr/bin/env bash
# a real API server: every rendered variant under Pod Security "restricted" and Autopilot's rules; tests that need one
. "$(dirname "$0")/../lib.sh"
. hack/cluster.sh
. hack/variants.sh

use_cluster
helm3=$(hack/tool helm3) helm4=$(hack/tool helm4)
out=$(mktemp -d)
namespace=apiserver-$$
crd=$(hack/schemas.sh lws)
had_lws=$("$kubectl" get crd leaderworkersets.leaderworkerset.x-k8s.io --ignore-not-found -o name)
# What is left behind by a failure here goes with the cluster.
trap '"$kubectl" delete namespace "$namespace" --wait=false >/dev/null 2>&1 || true; [ -n "$had_lws" ] || "$kubectl" delete -f "$crd" --ignore-not-found --wait=false >/dev/null 2>&1 || true; rm -rf "$out"' EXIT
"$kubectl" create namespace "$namespace" >&2
# The definition alone: a replica over several nodes is judged by it, and no controller is there to run it.
if [ -z "$had_lws" ]; then
  "$kubectl" apply --server-side -f "$crd" >&2
  # `kubectl wait` fails on a definition that has no conditions yet.
  for _ in $(seq 60); do "$kubectl" get leaderworkersets -n "$namespace" >/dev/null 2>&1 && break; sleep 1; done
  "$kubectl" get leaderworkersets -n "$namespace" >&2
fi

# rules says what holds in the namespace: Pod Security warns of a Deployment whose pods it would refuse, and
# the local cluster refuses what GKE Autopilot would.
rules() {
  "$kubectl" label --overwrite namespace "$namespace" pod-security.kubernetes.io/enforce=restricted \
    pod-security.kubernetes.io/warn=restricted "localcluster/platform=$1" >&2
}

# accepted says whether the API server takes a manifest without an objection.
accepted() { "$kubectl" apply -n "$namespace" --dry-run=server -f "$1" >"$out/log" 2>&1 && ! grep -q '^Warning' "$out/log"; }

# A policy is in force some time after it is bound: wait until a breach is refused, or nothing below means anything.
rules gke-autopilot
"$helm3" template probe "$chart" --namespace "$namespace" --show-only templates/deployment.yaml |
  sed 's/^\( *\)enableServiceLinks:.*/&\n\1hostIPC: true/' >"$out/breach.yaml"
grep -q hostIPC "$out/breach.yaml" || fail "the breach could not be made: has templates/deployment.yaml changed?"
for _ in $(seq 30); do accepted "$out/breach.yaml" || break; sleep 1; done
grep -Eq 'host(IPC| namespaces)' "$out/log" || { cat "$out/log" >&2; fail "a pod with hostIPC was not refused"; }

failed=0 variants=0
for values in '' "$chart"/ci/*-values.yaml; do
  name=default
  [ -z "$values" ] || name=$(basename "$values" -values.yaml)
  platform=$(sed -n 's/^platform: *//p' "${values:-/dev/null}")
  rules "${platform:-gke-autopilot}"
  for helm in "$helm3" "$helm4"; do
    "$helm" install "$name" "$chart" --namespace "$namespace" --dry-run=server ${values:+-f "$values"} >"$out/$name.log" 2>&1 ||
      { tail -5 "$out/$name.log"; say "$name: ${helm##*/} install --dry-run=server was refused"; failed=1; }
  done
  "$helm3" template "$name" "$chart" --namespace "$namespace" ${values:+-f "$values"} >"$out/$name.yaml"
  accepted "$out/$name.yaml" || { cat "$out/log"; say "$name: the API server objects"; failed=1; }
  variants=$((variants + 1))
done
train_variants "$out" "$namespace"
for run in "$out"/train-*.yaml; do
  name=$(basename "$run" .yaml)
  case $name in train-standard) rules gke-standard ;; train-queue) rules custom ;; *) rules gke-autopilot ;; esac
  accepted "$run" || { cat "$out/log"; say "$name: the API server objects"; failed=1; }
  variants=$((variants + 1))
done
note "$variants variants"

# Packages whose tests ask for a real API server by this variable.
mapfile -t packages < <(grep -rl --include='*_test.go' TEST_KUBECONFIG cmd internal pkg | xargs -n1 dirname | sort -u | sed 's#^#./#')
TEST_KUBECONFIG=$KUBECONFIG CGO_ENABLED=0 go run ./hack/checks/gotest -count=1 "${packages[@]}" || failed=1
[ $failed = 0 ]
