"""Seconds that PyJuice takes for an epoch of mini-batch EM: the sizes of bench/epochs.ts, on an NVIDIA GPU.

    python juice.py --model hmm --latents 4096 --symbols 50257 --variables 32
    python juice.py --model hclt --latents 256 --symbols 256 --variables 784 --precision f32

Passes are replayed as CUDA graphs, as its authors measure it. With the precision `default` it chooses its kernels, whose products
are in bf16 or TF32 on tensor cores; with `f32` it is told to compute as Retort does. Prints one JSON line.
"""

import argparse
import importlib.util
import json
import sys
import time
import types


def stand_in(name, **members):
    """Puts a module in the place of one that is not installed, which PyJuice imports and learns without."""
    if importlib.util.find_spec(name.split(".")[0]) is None:
        sys.modules[name] = module = types.ModuleType(name)
        vars(module).update(members)


def stand_ins():
    # numba compiles loops of the time before the first epoch, which are slower without it.
    stand_in("numba", njit=lambda *given, **_: given[0] if given else lambda f: f)
    stand_in("tqdm", tqdm=lambda items, **_: items)
    stand_in("matplotlib.pyplot")
    stand_in("matplotlib", pyplot=sys.modules.get("matplotlib.pyplot"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=["hmm", "hclt"], default="hmm")
    parser.add_argument("--precision", choices=["default", "f32"], default="default")
    for name, default in [("latents", 512), ("symbols", 1000), ("variables", 32), ("batch", 256),
                          ("samples", 2048), ("epochs", 3)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    import torch
    if not torch.cuda.is_available():
        sys.exit("PyJuice computes on an NVIDIA GPU, and torch finds none")
    import importlib.metadata
    stand_ins()
    import pyjuice as juice
    device = torch.device("cuda:0")
    generator = torch.Generator().manual_seed(1)
    batches = -(-options.samples // options.batch)
    data = torch.randint(options.symbols, (batches * options.batch, options.variables), generator=generator)
    if options.model == "hmm":
        root = juice.structures.HMM(seq_length=options.variables, num_latents=options.latents,
                                    num_emits=options.symbols, homogeneous=True)
    else:
        root = juice.structures.HCLT(data.float().to(device), num_latents=options.latents,
                                     input_node_params={"num_cats": options.symbols})
    edges = sum(nodes.num_edges for nodes in root if nodes.is_sum())
    model = juice.compile(root)
    model.to(device)
    data = data.to(device)
    f32 = options.precision == "f32"
    torch.backends.cuda.matmul.allow_tf32 = not f32
    how = {"record_cudagraph": True, "apply_cudagraph": True, "force_use_fp32": f32}
    times = []
    # The first epoch compiles, tunes and records.
    for epoch in range(options.epochs + 1):
        torch.cuda.synchronize()
        began = time.perf_counter()
        for part in data.split(options.batch):
            model.init_param_flows(flows_memory=0.0)
            with torch.no_grad():
                model(part, **how)
                model.backward(part, flows_memory=1.0, **how)
            model.mini_batch_em(step_size=0.1, pseudocount=0.1)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    seconds = min(times[1:])
    version = importlib.metadata.version
    print(json.dumps({
        "peer": f"pyjuice {version('pyjuice')}", "adapter": torch.cuda.get_device_name(0),
        "precision": options.precision, "torch": torch.__version__, "cuda": torch.version.cuda,
        "triton": version("triton"), "model": options.model, "latents": options.latents,
        "symbols": options.symbols, "variables": options.variables, "batch": options.batch,
        "samples": len(data), "edges": edges, "seconds": seconds,
        "tflops": 6 * edges * len(data) / seconds / 1e12,
    }))


main()
