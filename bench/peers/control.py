"""Seconds that the published algorithm takes to keep a language model to a constraint on a CPU.

    python control.py --model HMM.safetensors --task TASK.json --out RATIOS.f32

Look-ahead by the product of a hidden Markov model and an automaton over tokens, as Zhang, Kung, Yoshida, Van den Broeck
and Peng, "Adaptable Logical Control for Large Language Models" (2024) publish it: logarithms throughout, the whole vocabulary
for every state of the automaton, a mask over it. Written anew from the published algorithm.

The model has the tensors `alpha_exp`, `beta` and `gamma`. TASK.json: {"states", "width", "start", "classes": [tokens],
"next": [states * width], "accepting": [states], "least", "most", "suffix": [tokens], "text": [tokens]}. RATIOS.f32 gets
`[len(text), tokens]` logarithms in single precision: of the probability of the constraint after each token, before each token
of the text. Prints one JSON line: seconds of wall and of processor time of the table, and of a token.
"""

import argparse
import json
import time

import numpy as np
import torch

NEVER = -1e30


def now():
    """Seconds of wall and of processor time."""
    return np.array([time.perf_counter(), time.process_time()])


def log_product(a, b):
    """log(exp(a) @ exp(b))."""
    top_a, top_b = a.amax(-1, keepdim=True), b.amax(-2, keepdim=True)
    return torch.log((a - top_a).exp() @ (b - top_b).exp()) + top_a + top_b


def log_times_matrix(a, b):
    """log(exp(a) @ b)."""
    top = a.amax(-1, keepdim=True)
    return torch.log((a - top).exp() @ b) + top


def matrix_times_log(a, b):
    """log(a @ exp(b))."""
    top = b.amax(-2, keepdim=True)
    return torch.log(a @ (b - top).exp()) + top


class Edges:
    """An automaton as edges between states, each with a set of tokens."""

    def __init__(self, states, width, start, classes, next, accepting, **_):
        classes, next = np.array(classes), np.array(next).reshape(states, width)
        tokens = np.nonzero(classes >= 0)[0]
        self.states, self.start, self.accepting = states, start, [s for s in range(states) if accepting[s]]
        self.after = lambda state, token: int(next[state, classes[token]])
        pairs, sets = [], []
        for state in range(states):
            to = next[state, classes[tokens]]
            for target in np.unique(to):
                mask = np.zeros(len(classes), dtype=np.float32)
                mask[tokens[to == target]] = 1
                pairs.append((state, int(target)))
                sets.append(mask)
        self.tokens = torch.from_numpy(np.stack(sets))  # [edges, tokens]
        self.source = torch.tensor([source for source, _ in pairs])
        self.target = torch.tensor([target for _, target in pairs])
        every = torch.arange(states)
        self.leaves = (every[:, None] == self.source[None]).float()  # [states, edges]
        self.enters = (self.target[:, None] == every[None]).float()  # [edges, states]


class Control:
    """Tables of a constraint, and the weights of the next token."""

    def __init__(self, transition, emission, initial, edges, least, most, suffix):
        self.transition, self.emission, self.edges = transition, emission, edges
        self.least, self.most, self.suffix = least, most, suffix
        hidden = initial.shape[0]
        row, self.of_suffix = torch.zeros(hidden), []
        for t in reversed(range(len(suffix))):
            if t != len(suffix) - 1:
                row = matrix_times_log(transition, row[:, None])[:, 0]
            row = row + emission[:, suffix[t]]
            self.of_suffix.insert(0, row)
        weights = matrix_times_log(edges.tokens, emission.T).nan_to_num(neginf=NEVER)  # [edges, hidden]
        now_ = torch.full((edges.states, hidden), NEVER)
        now_[edges.accepting] = row
        now_ = log_times_matrix(now_, transition.T)
        table = [now_]
        source = edges.source[:, None].expand(-1, hidden)
        for _ in range(most):
            ways = weights + now_[edges.target]
            top = torch.full((edges.states, hidden), NEVER).scatter_reduce(0, source, ways, "amax")
            sums = torch.zeros(edges.states, hidden).scatter_reduce(0, source, (ways - top[edges.source]).exp(), "sum")
            now_ = log_times_matrix(torch.log(sums) + top, transition.T)
            table.append(now_)
        # Rows for every range of numbers of tokens that may be left.
        ranges = {(i, i + most - least) for i in range(least + 1)} | {(0, i) for i in range(most - least)}
        self.ranges = {one: i for i, one in enumerate(sorted(ranges))}
        picked = torch.zeros(len(ranges), most + 1)
        for (low, high), i in self.ranges.items():
            picked[i, low:high + 1] = 1
        table = torch.stack(table).nan_to_num(neginf=NEVER)
        summed = matrix_times_log(picked, table.flatten(1)).nan_to_num(neginf=NEVER)
        self.table = summed.view(-1, edges.states, hidden)
        self.forward, self.state = {(): initial}, {(): edges.start}

    def weights(self, text):
        """log N[x] and log D[x] for every token x after these tokens; the text without its last token was asked before."""
        if text:
            before = text[:-1]
            ahead = self.forward[before] + self.emission[:, text[-1]]
            self.forward[text] = log_times_matrix(ahead[None], self.transition)[0]
            self.state[text] = self.edges.after(self.state[before], text[-1])
        forward, state, edges = self.forward[text], self.state[text], self.edges
        joint = torch.full((self.emission.shape[1],), NEVER)
        if len(text) < self.most:
            left = (max(1, self.least - len(text)) - 1, self.most - len(text) - 1)
            rows = forward[None] + self.table[self.ranges[left]]
            ways = log_product(rows, self.emission)  # [states, tokens]
            mask = (edges.leaves[state][:, None] * edges.enters).T @ edges.tokens
            joint = torch.logsumexp(ways + torch.log(mask).nan_to_num(neginf=NEVER), 0)
        # Where the text may end with the first tokens of the suffix already.
        for read in range(min(len(self.suffix), len(text) + 1)):
            end = len(text) - read
            if not self.least <= end <= self.most or tuple(self.suffix[:read]) != text[end:]:
                continue
            if self.state[text[:end]] in edges.accepting:
                ending = torch.logsumexp(forward + self.of_suffix[read], 0)
                joint[self.suffix[read]] = torch.logaddexp(joint[self.suffix[read]], ending)
        return joint, log_product(forward[None], self.emission)[0]


def tensors(path):
    """Tensors of a safetensors file, in single precision."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        head, data = json.loads(file.read(size)), file.read()
    return {
        name: torch.from_numpy(
            np.frombuffer(data[slice(*one["data_offsets"])], dtype=np.float32).reshape(one["shape"]).copy()
        )
        for name, one in head.items() if name != "__metadata__"
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ["model", "task", "out"]:
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    model = tensors(options.model)
    with open(options.task) as file:
        task = json.load(file)
    edges = Edges(**task)
    initial = torch.log_softmax(model["gamma"], 0)
    began = now()
    control = Control(model["alpha_exp"], model["beta"], initial, edges, task["least"], task["most"], task["suffix"])
    table = now() - began
    ratios, times = [], []
    for n in range(len(task["text"])):
        scores = torch.zeros(model["beta"].shape[1])
        began = now()
        joint, alone = control.weights(tuple(task["text"][:n]))
        torch.log_softmax(torch.log_softmax(scores, 0) + joint - alone, 0)
        times.append(now() - began)
        ratios.append((joint - alone).numpy())
    np.stack(ratios).astype(np.float32).tofile(options.out)
    wall, core = np.median(times[1:], axis=0)
    print(json.dumps({"seconds": wall, "coreSeconds": core, "runs": len(times) - 1,
                      "tableSeconds": table[0], "tableCoreSeconds": table[1]}))


if __name__ == "__main__":
    with torch.inference_mode():
        main()
