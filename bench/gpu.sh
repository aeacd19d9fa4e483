#!/usr/bin/env bash
# Sets up a Linux machine with a GPU and prints what the WebGPU engine does on it: the doctor, matrix products and E-step with a
# table of kernels, and epochs beside PyJuice's on the same card. Without sudo it uses what is installed.
#
#     bench/gpu.sh                     needs a Vulkan driver of the card; installs the loader where it may
#     ADAPTER=nvidia bench/gpu.sh      an adapter by a part of its name
#     PEERS=no bench/gpu.sh            without PyJuice (and the gigabytes of PyTorch)
#     EPOCHS=no bench/gpu.sh           without the epochs of large models
set -euo pipefail
cd "$(dirname "$0")/.."
export DENO_WEBGPU_BACKEND=vulkan
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"

if ! ldconfig -p | grep -q libvulkan.so.1; then
  sudo=""
  if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libvulkan1 >/dev/null
fi
deno=(deno)
command -v deno >/dev/null || deno=(npx --yes deno@2.9.6)
adapter=()
if [ -n "${ADAPTER:-}" ]; then adapter=(--adapter "$ADAPTER"); fi

"${deno[@]}" task --quiet doctor "${adapter[@]}"
echo
"${deno[@]}" task --quiet bench:engines "${adapter[@]}" --kernels \
  --size "${SIZE:-2048}" --states "${STATES:-2048}" --batch "${BATCH:-512}"

if [ "${EPOCHS:-yes}" != yes ]; then exit 0; fi
models=("--model hmm --latents 4096 --symbols 50257 --variables 32"
  "--model hclt --latents 256 --symbols 256 --variables 784"
  "--model hclt --latents 1024 --symbols 256 --variables 784")
python=""
if [ "${PEERS:-yes}" = yes ] && command -v nvidia-smi >/dev/null; then
  python3 -m venv .venv-peers
  .venv-peers/bin/pip install --quiet -r bench/peers/juice_requirements.txt
  python=.venv-peers/bin/python
fi
echo
for model in "${models[@]}"; do
  # What fails (too little memory, say) is told, and the others go on.
  # shellcheck disable=SC2086
  "${deno[@]}" run --quiet --allow-all bench/epochs.ts $model "${adapter[@]}" || true
  # shellcheck disable=SC2086
  if [ -n "$python" ]; then $python bench/peers/juice.py $model || true; fi
done
