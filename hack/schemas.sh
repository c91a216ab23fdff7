#!/usr/bin/env bash
# Usage: hack/schemas.sh
# Prints the directory of kubeconform's schemas for the Kubernetes release that the local cluster runs, made
# once from the OpenAPI document in Kubernetes' own module.
. "$(dirname "$0")/lib.sh"

version=v1.37.2
# The generator is part of the key: another one makes other schemas.
dir=$cache/schemas/$version-$(cat hack/checks/schemas/*.go | cksum | cut -d' ' -f1)
if [ ! -d "$dir" ]; then
  say "making the schemas of Kubernetes $version, once"
  # What went wrong is in the answer.
  answer=$(go mod download -json "k8s.io/kubernetes@$version") ||
    fail "k8s.io/kubernetes@$version could not be downloaded: $(sed -n 's/^\t"Error": "\(.*\)".*$/\1/p' <<<"$answer")"
  source=$(sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$answer")
  [ -d "$source" ] || fail "k8s.io/kubernetes@$version was downloaded, and its directory is not in the answer: $answer"
  rm -rf "$dir.new"
  mkdir -p "$cache/schemas"
  go run ./hack/checks/schemas "$source/api/openapi-spec/swagger.json" "$dir.new"
  mv "$dir.new" "$dir"
fi
echo "$dir"
