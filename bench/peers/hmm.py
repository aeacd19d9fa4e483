"""Seconds that a Python user's hidden Markov models take for one E-step on a CPU.

    python hmm.py --states 512 --length 32 --batch 256 --symbols 33278 --repeat 3

Prints one JSON line for each peer, with seconds of wall and of processor time:
- `hmmlearn`: CategoricalHMM, one EM iteration (its `fit` with n_iter=1), scaling implementation;
- `torch-log`: forward in log space with logsumexp, expected counts by autograd, as users write it;
- `torch-scaled`: forward in linear space with a scale a row and matrix products, counts by autograd.
"""

import argparse
import json
import time
import warnings

import numpy as np
import torch
from torch.nn.functional import embedding


def now():
    """Seconds of wall and of processor time."""
    return np.array([time.perf_counter(), time.process_time()])


def random_rows(generator, rows, columns):
    weights = torch.rand(rows, columns, generator=generator) + 0.5
    return weights / weights.sum(dim=1, keepdim=True)


def log_likelihood_log_space(tokens, initial, transition, emission):
    """Log-likelihood of each row of tokens; every step is a logsumexp over a [batch, states, states] tensor."""
    emitted = embedding(tokens, emission)
    alpha = initial + emitted[:, 0]
    for t in range(1, tokens.shape[1]):
        alpha = torch.logsumexp(alpha[:, :, None] + transition[None], dim=1) + emitted[:, t]
    return torch.logsumexp(alpha, dim=1)


def log_likelihood_scaled(tokens, initial, transition, emission):
    """The same with matrix products of scaled rows; parameters are given as logarithms too."""
    p_transition, emitted = transition.exp(), embedding(tokens, emission).exp()
    alpha = initial.exp() * emitted[:, 0]
    total = 0
    for t in range(tokens.shape[1]):
        if t > 0:
            alpha = (alpha @ p_transition) * emitted[:, t]
        scale = alpha.sum(dim=1, keepdim=True)
        alpha = alpha / scale
        total = total + scale.log()[:, 0]
    return total


def torch_seconds(log_likelihood, tokens, parameters, repeat, micro_batch):
    """An E-step: the gradient of the log-likelihood by a log-parameter is the expected count."""
    times = []
    for run in range(repeat + 1):
        # Emissions are symbol-major: a token's row is contiguous, and one gather fetches all positions.
        initial, transition, emission = parameters
        leaves = [p.log().requires_grad_(True) for p in (initial, transition, emission.T.contiguous())]
        began = now()
        # The first run only warms up.
        for rows in tokens.split(micro_batch)[: 1 if run == 0 else None]:
            log_likelihood(rows, *leaves).sum().backward()
        times.append(now() - began)
    return times[1:]


def hmmlearn_seconds(tokens, parameters, repeat):
    from hmmlearn.hmm import CategoricalHMM

    initial, transition, emission = (p.double().numpy() for p in parameters)
    times = []
    for _ in range(repeat):
        model = CategoricalHMM(
            n_components=len(initial), n_features=emission.shape[1], n_iter=1, init_params="", params="ste",
            implementation="scaling",
        )
        # Exact rows: hmmlearn refuses what does not sum to one in float64.
        model.startprob_ = initial / initial.sum()
        model.transmat_ = transition / transition.sum(1, keepdims=True)
        model.emissionprob_ = emission / emission.sum(1, keepdims=True)
        began = now()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(tokens.numpy().reshape(-1, 1), lengths=[tokens.shape[1]] * len(tokens))
        times.append(now() - began)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=512)
    parser.add_argument("--length", type=int, default=32)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--symbols", type=int, default=33278)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peers", default="hmmlearn,torch-log,torch-scaled")
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    parameters = [
        random_rows(generator, 1, options.states)[0],
        random_rows(generator, options.states, options.states),
        random_rows(generator, options.states, options.symbols),
    ]
    tokens = torch.randint(options.symbols, (options.batch, options.length), generator=generator)
    runs = {
        "hmmlearn": lambda: hmmlearn_seconds(tokens, parameters, max(1, options.repeat // 3)),
        # What autograd keeps of the log-space steps, length * rows * states^2 numbers, must fit in 2 GiB.
        "torch-log": lambda: torch_seconds(
            log_likelihood_log_space, tokens, parameters, 1,
            max(1, 2**29 // (options.length * options.states**2)),
        ),
        "torch-scaled": lambda: torch_seconds(
            log_likelihood_scaled, tokens, parameters, options.repeat, options.batch
        ),
    }
    for peer in options.peers.split(","):
        times = runs[peer]()
        wall, core = np.median(times, axis=0)
        print(json.dumps({"peer": peer, "seconds": wall, "coreSeconds": core, "runs": len(times)}), flush=True)


if __name__ == "__main__":
    main()
