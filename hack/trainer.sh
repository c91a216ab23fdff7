#!/usr/bin/env bash
# Usage: hack/trainer.sh PYTHON-ARGUMENT...
# Runs python3 with the training program, in the files of the vllm-cpu image and as root on Linux on amd64: what trains,
# judges and serves in the local cluster, without the cluster. What it needs is made once into the cache. Inside:
#   /mnt/repo                  this repository; the working directory is /mnt/repo/pkg/train/trainer
#   /mnt/work                  a scratch directory, removed at the end
#   $SUMMARIZER_TEST_MODEL     the small model of the local Hub, read-only
#   $SUMMARIZER_LOCALCLUSTER   the program with the Hub stand-in: "$SUMMARIZER_LOCALCLUSTER" hub serve
# and the tools of dev.lock: hack/trainer.sh -m pytest tests/test_spec.py
. "$(dirname "$0")/lib.sh"

trainer=$root/pkg/train/trainer
here=$cache/trainer

[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] ||
  fail "the serving image's files are entered by mounts, which needs root on Linux; on a GPU node, run the program in vllm/vllm-openai"
hack/localcluster.sh image vllm-cpu --build >&2

# in_image runs a command in the image with the directories of the options before it.
in_image() { hack/localcluster.sh in-image "$@"; }

# made NAME FILE prints a directory that is named by a file's content, and whether it has been made.
made() { dir=$here/$1-$(cksum <"$2" | cut -d' ' -f1); [ -d "$dir" ]; }

# keep makes what was filled with packages the directory that made has named, unless another run was faster.
keep() { [ -d "$dir" ] || mv -T "$partial" "$dir" 2>/dev/null || [ -d "$dir" ]; }

mkdir -p "$here/cache"
partial=$(mktemp -d -p "$here")
work=$(mktemp -d)
trap 'rm -rf "$partial" "$work"' EXIT
chmod 755 "$partial" "$work"

if ! made layer "$trainer/layer.lock"; then
  say "installing the trainer's layer, once"
  # As the preparation of a run does it in the cluster.
  in_image --bind "$cache/packages:/mnt/packages:ro" --bind "$trainer:/mnt/trainer:ro" --bind "$partial:/mnt/layer" vllm-cpu \
    python3 -m pip install --quiet --no-cache-dir --no-index --find-links /mnt/packages --no-deps --require-hashes --no-build-isolation \
    --no-binary rouge-score --root-user-action ignore --target /mnt/layer --requirement /mnt/trainer/layer.lock
  keep
  partial=$(mktemp -d -p "$here")
  chmod 755 "$partial"
fi
layer=$dir
if ! made dev "$trainer/dev.lock"; then
  say "installing pytest, mypy and ruff, once"
  "$(hack/localcluster.sh uv)" pip install --quiet --no-deps --require-hashes --only-binary :all: --python /usr/bin/python3 \
    --python-version 3.11 --python-platform x86_64-manylinux_2_36 --target "$partial" --requirement "$trainer/dev.lock"
  keep
fi
dev=$dir
# What other versions of the lock files have left.
find "$here" -mindepth 1 -maxdepth 1 \( -name 'layer-*' -o -name 'dev-*' -o -name 'tmp.*' \) -mtime +7 ! -path "$layer" ! -path "$dev" -exec rm -rf {} +

model=HuggingFaceTB/SmolLM2-135M-Instruct
commit=$(cat "$cache/hub/models/$model/refs/main")
program=$(hack/localcluster.sh program)
in_image --bind "$root:/mnt/repo" --bind "$work:/mnt/work" --bind "$here/cache:/mnt/cache" --bind "$cache/hub:/mnt/hub:ro" \
  --bind "$layer:/mnt/layer:ro" --bind "$dev:/mnt/dev:ro" --bind "$(dirname "$program"):/mnt/bin:ro" vllm-cpu \
  env -C /mnt/repo/pkg/train/trainer PYTHONPATH=/mnt/repo/pkg/train/trainer/src:/mnt/layer:/mnt/dev \
  SUMMARIZER_TEST_MODEL="/mnt/hub/models/$model/$commit" SUMMARIZER_LOCALCLUSTER=/mnt/bin/localcluster TMPDIR=/mnt/work PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
  MYPY_CACHE_DIR=/mnt/cache/mypy RUFF_CACHE_DIR=/mnt/cache/ruff HYPOTHESIS_STORAGE_DIRECTORY=/mnt/cache/hypothesis \
  HF_HUB_DISABLE_TELEMETRY=1 DO_NOT_TRACK=1 VLLM_NO_USAGE_STATS=1 python3 "$@"
