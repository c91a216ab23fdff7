#!/usr/bin/env bash
# Usage: hack/schemas.sh [lws]
# Prints the directory of kubeconform's schemas for the Kubernetes release that the local cluster runs, made
# once from the OpenAPI document in Kubernetes' own module and LeaderWorkerSet's CRD; with lws, the file of that CRD.
. "$(dirname "$0")/lib.sh"

version=v1.37.2
lws=v0.9.0
# The generator is part of the key: another one makes other schemas.

# module prints the directory of a module's source; usage: module PATH VERSION
module() {
  local answer source
  # What went wrong is in the answer.
  answer=$(go mod download -json "$1@$2") ||
    fail "$1@$2 could not be downloaded: $(sed -n 's/^\t"Error": "\(.*\)".*$/\1/p' <<<"$answer")"
  source=$(sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$answer")
  [ -d "$source" ] || fail "$1@$2 was downloaded, and its directory is not in the answer: $answer"
  echo "$source"
}

if [ "${1:-}" = lws ]; then
  source=$(module sigs.k8s.io/lws "$lws")
  echo "$source/config/crd/bases/leaderworkerset.x-k8s.io_leaderworkersets.yaml"
  exit
fi
# The generator is part of the key: another one makes other schemas.
dir=$cache/schemas/$version-$lws-$(cat hack/checks/schemas/*.go | cksum | cut -d' ' -f1)
if [ ! -d "$dir" ]; then
  say "making the schemas of Kubernetes $version and LeaderWorkerSet $lws, once"
  source=$(module k8s.io/kubernetes "$version")
  crd=$(hack/schemas.sh lws)
  rm -rf "$dir.new"
  mkdir -p "$cache/schemas"
  go run ./hack/checks/schemas "$source/api/openapi-spec/swagger.json" "$dir.new" "$crd"
  mv "$dir.new" "$dir"
fi
echo "$dir"
