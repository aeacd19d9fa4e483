"""Seconds that PyJuice takes for an epoch of mini-batch EM: the sizes of bench/epochs.ts, on an NVIDIA GPU.

    python juice.py --model hmm --latents 4096 --symbols 50257 --variables 32
    python juice.py --model hclt --latents 256 --symbols 256 --variables 784

Prints one JSON line.
"""

import argparse
import json
import sys
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=["hmm", "hclt"], default="hmm")
    for name, default in [("latents", 512), ("symbols", 1000), ("variables", 32), ("batch", 256),
                          ("samples", 2048), ("epochs", 3)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    import torch
    if not torch.cuda.is_available():
        sys.exit("PyJuice computes on an NVIDIA GPU, and torch finds none")
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
    model = juice.compile(root)
    model.to(device)
    data = data.to(device)
    times = []
    for epoch in range(options.epochs + 1):
        torch.cuda.synchronize()
        began = time.perf_counter()
        for part in data.split(options.batch):
            model.init_param_flows(flows_memory=0.0)
            model(part)
            model.backward(part, flows_memory=1.0)
            model.mini_batch_em(step_size=0.1, pseudocount=0.1)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    print(json.dumps({
        "peer": f"pyjuice {getattr(juice, '__version__', '?')}", "adapter": torch.cuda.get_device_name(0),
        "model": options.model, "latents": options.latents, "symbols": options.symbols,
        "variables": options.variables, "batch": options.batch, "samples": len(data), "seconds": min(times[1:]),
    }))


main()
