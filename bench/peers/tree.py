"""Seconds that cirkit takes for one EM step of a hidden Chow-Liu tree on a CPU.

    python tree.py --tree TREE.json --states 256 --latents 128 --batch 256 --repeat 3

TREE.json: {"parents": [...]}, the parent of every variable, -1 for the root. Prints one JSON line: the
seconds of forward, backward and EM update of one batch.
"""

import argparse
import json
import resource
import time

import numpy as np
import torch
from cirkit.backend.torch.em_optimizer import EM
from cirkit.pipeline import compile as compile_circuit
from cirkit.pipeline import PipelineContext
from cirkit.templates.region_graph.algorithms.utils import tree2rg
from cirkit.templates.utils import Parameterization, name_to_input_layer_factory, parameterization_to_factory


def build(parents, states, latents):
    """EM needs the parameters themselves, not logits."""
    rows = parameterization_to_factory(Parameterization(activation="none", initialization="dirichlet"))
    return tree2rg(np.array(parents)).build_circuit(
        input_factory=name_to_input_layer_factory("categorical", num_categories=states, probs_factory=rows),
        sum_product="cp-t",
        sum_weight_factory=rows,
        num_input_units=latents,
        num_sum_units=latents,
        num_classes=1,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--states", type=int, default=256)
    parser.add_argument("--latents", type=int, default=128)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    torch.manual_seed(0)
    with open(options.tree) as file:
        parents = json.load(file)["parents"]
    circuit = build(parents, options.states, options.latents)
    with PipelineContext(backend="torch", semiring="lse-sum", fold=True, optimize=True):
        model = compile_circuit(circuit)
    optimizer = EM(model, lr=0.1, pseudocount=0.1)
    samples = torch.randint(options.states, (options.batch, len(parents)))
    seconds, core = [], []
    for _ in range(options.repeat + 1):
        began, worked = time.perf_counter(), time.process_time()
        optimizer.zero_grad()
        score = model(samples).sum()
        score.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - began)
        core.append(time.process_time() - worked)
    parameters = sum(p.numel() for p in model.parameters())
    print(json.dumps({
        "peer": "cirkit", "seconds": float(np.median(seconds[1:])),
        "coreSeconds": float(np.median(core[1:])), "runs": options.repeat,
        "parameters": parameters, "logLikelihood": score.item() / options.batch,
        "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))


if __name__ == "__main__":
    main()
