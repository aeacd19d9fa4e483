#!/usr/bin/env bash
# What the WebGPU engine does on a Linux machine with a graphics card: the doctor, matrix products and E-step with a table of kernels, and
# epochs of large models beside PyJuice's on the same card. The machine needs the card's driver, for PyJuice also a Python with PyTorch,
# and no network: what else is needed is in a folder that another machine prepares.
#
#     bench/gpu.sh --prepare FOLDER          on a machine with a network; at most 60 MiB
#     FOLDER/gpu.sh RESULTS                  on the machine with the card: one JSON file for each part, at most 100 minutes
#     FOLDER/gpu.sh --small RESULTS          small sizes: whether everything works, in a minute
#     ADAPTER=nvidia FOLDER/gpu.sh RESULTS   an adapter by a part of its name
#
# A part that fails or takes too long is told in RESULTS/parts.jsonl, with RESULTS/PART.log, and the others go on.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
if [ "${1:-}" = --prepare ]; then
  shift
  exec deno run --quiet --allow-all "$here/gpu/prepare.ts" "$@"
fi
small=no
if [ "${1:-}" = --small ]; then
  small=yes
  shift
fi
if [ $# -ne 1 ] || [ ! -f "$here/retort.tar.xz" ]; then
  sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0" >&2
  exit 2
fi
mkdir -p "$1"
results="$(cd "$1" && pwd)"
: >"$results/parts.jsonl"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
if command -v xz >/dev/null; then
  tar --extract --xz --file "$here/retort.tar.xz" --directory "$work"
else
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$here/retort.tar.xz" "$work"
fi

export DENO_DIR="$work/deno" DENO_WEBGPU_BACKEND=vulkan DENO_NO_UPDATE_CHECK=1
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"
PATH="$PATH:/usr/sbin:/sbin"
if ! ldconfig -p | grep 'libvulkan\.so\.1' >/dev/null; then
  export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
# A container often has NVIDIA's driver without the file that tells the loader of it.
if command -v nvidia-smi >/dev/null && ! ls /{etc,usr/share}/vulkan/icd.d/*nvidia* >/dev/null 2>&1; then
  echo '{"file_format_version":"1.0.0","ICD":{"library_path":"libEGL_nvidia.so.0","api_version":"1.3.0"}}' >"$work/nvidia.json"
  export VK_ADD_DRIVER_FILES="$work/nvidia.json"
fi

failed=0
# part NAME SECONDS COMMAND...: its standard output is NAME.json.
part() {
  local name="$1" limit="$2" code=0 began
  shift 2
  began="$(date +%s)"
  (cd "$work/retort" && timeout --kill-after=10 "$limit" "$@") >"$results/$name.json" 2>"$results/$name.log" || code=$?
  printf '{"part":"%s","code":%d,"seconds":%d,"limit":%d}\n' "$name" "$code" "$(($(date +%s) - began))" "$limit" |
    tee -a "$results/parts.jsonl"
  if [ "$code" -ne 0 ]; then failed=1; fi
}
retort() {
  local name="$1" limit="$2"
  shift 2
  part "$name" "$limit" "$work/deno-program" run --quiet --no-check --cached-only --allow-all "$@"
}
adapter=()
if [ -n "${ADAPTER:-}" ]; then adapter=(--adapter "$ADAPTER"); fi

if [ "$small" = yes ]; then
  sizes=(--size 128 --states 32 --batch 16 --runs 1)
  epochs=(--batch 16 --samples 32 --epochs 1 --gibibytes 0.25)
  models=("hmm 64 100 8" "hclt 16 16 16")
else
  sizes=(--size 2048 --states 2048 --batch 512)
  epochs=()
  models=("hmm 1024 50257 32" "hmm 4096 50257 32" "hclt 256 256 784" "hclt 1024 256 784")
fi
peer=no
if command -v nvidia-smi >/dev/null; then
  part card 20 nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv
  if python3 -c 'import torch' 2>/dev/null && ls "$here"/wheels/*.whl >/dev/null 2>&1; then
    peer=yes
    for wheel in "$here"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$work/python"; done
    export PYTHONPATH="$work/python${PYTHONPATH:+:$PYTHONPATH}"
  fi
fi
retort doctor 180 bench/gpu/doctor.ts ${ADAPTER:+"$ADAPTER"}
retort engines 600 bench/engines.ts "${adapter[@]}" --kernels --json "${sizes[@]}"
for model in "${models[@]}"; do
  read -r kind latents symbols variables <<<"$model"
  shape=(--model "$kind" --latents "$latents" --symbols "$symbols" --variables "$variables")
  retort "$kind-$latents" 420 bench/epochs.ts "${shape[@]}" "${adapter[@]}" "${epochs[@]}"
  if [ "$peer" = no ]; then continue; fi
  for precision in default f32; do
    part "$kind-$latents-pyjuice-$precision" 420 python3 bench/peers/juice.py "${shape[@]}" --precision "$precision"
  done
done
exit $failed
