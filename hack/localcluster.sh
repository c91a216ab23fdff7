#!/bin/sh
# Usage: hack/localcluster.sh VERB [flags]; without a verb it lists them.
# Builds the localcluster program into the cache when its sources have changed, and runs it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export LOCALCLUSTER_SOURCE="$here/localcluster"
cd "$LOCALCLUSTER_SOURCE"
key=$(find . -path ./servers -prune -o -type f -print | LC_ALL=C sort | xargs cat | cksum | tr -d ' ')
dir=$("$here/cachedir")/localcluster/cli/$key
if [ ! -x "$dir/localcluster" ]; then
  mkdir -p "$dir"
  GOWORK=off CGO_ENABLED=0 go build -trimpath -o "$dir/localcluster.$$" .
  mv "$dir/localcluster.$$" "$dir/localcluster"
  # Earlier versions may still serve a cluster; a week later they do not.
  find "$dir/.." -mindepth 1 -maxdepth 1 -mtime +7 ! -path "$dir" -exec rm -rf {} +
fi
cd "$OLDPWD"
exec "$dir/localcluster" "$@"
