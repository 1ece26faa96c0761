"""Holds what lookback computed in float32 against the reference in float64.

    python3 tests/reference/check.py CHECKPOINT.safetensors EXPECTED.safetensors

EXPECTED, written by lookback, all F32 (B sequences, T positions, V tokens, L layers, H heads of a
layer over all its steps):
    tokens [B,T], periods [B]          integers; periods P of repeated blocks, 1 <= P < T - 1
    logits [B,T,V], losses [B,T-1]     losses[b, t] of the prediction made at t
    patterns [B,L,H,T,T]               read on and below the diagonal only
    induction_score [L,H]              mean over the sequences of each one's score, which is the
                                       mean over its queries P <= t < T - 1
Prints one line per quantity. Exit status: 0 all agree, 1 a difference too large, 2 unusable input,
77 skipped, for want of NumPy.

The tolerance. Let u = 2^-24, float32's unit roundoff. A sum of n products makes 2n - 1 roundings,
each at most u S with S = |a_1 b_1| + ... + |a_n b_n|, whatever the order of summation. Where they
are uniform and independent, the sum's error has a standard deviation of at most
sqrt((2n - 1) / 3) u S < sqrt(n) u S; a single operation's error is at most u |result| (n = 1). How
far such errors carry depends on the weights (a sharp softmax magnifies what a flat one forgets), so
that is measured and not bounded: the reference runs again with every operation wrong by
sqrt(n) u S, with random signs (Monte Carlo arithmetic, Parker 1997). The largest deviation in a few
such runs is the tolerance. A computation in float32 stays well under it (PyTorch's, by a
factor of 4 to 40), for hardly a partial sum is as large as S. A relative error of 1e-3 in one
weight matrix, the other gelu, or 1e-6 for the norms' 1e-5 is above it.
"""

import sys

try:
    import numpy as np
except ImportError as missing:
    print(f"check.py: skipped, NumPy is not installed ({missing})")
    sys.exit(77)

import lookback_reference as reference

UNIT_ROUNDOFF = 2.0**-24
RUNS = 8
QUANTITIES = ("logits", "losses", "patterns", "induction_score")


class Perturbed:
    """Makes every operation err, by all that float32 may be expected to, with a random sign."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def rounded(self, value, magnitude=None, terms=1):
        magnitude = np.abs(value) if magnitude is None else magnitude
        signs = self.random.choice((-1.0, 1.0), size=np.shape(value))
        return value + np.sqrt(terms) * UNIT_ROUNDOFF * magnitude * signs

    def product(self, a, b):
        return self.rounded(a @ b, np.abs(a) @ np.abs(b), a.shape[1])


def integers(tensor, name, least, most):
    values = tensor.astype(np.int64)
    if np.any(values != tensor) or values.min() < least or values.max() > most:
        raise ValueError(f"{name}: integers in {least}..{most} are needed")
    return values


def compute(model, tokens, periods):
    """All quantities that are compared, by name, from tokens [B,T] and periods [B]."""
    found = {name: [] for name in QUANTITIES}
    rounding = model.arithmetic
    for row, period in zip(tokens, periods):
        logits, patterns = model.forward(row)
        found["logits"].append(logits)
        found["losses"].append(reference.losses(logits, row, rounding))
        found["patterns"].append(patterns)
        found["induction_score"].append(
            [[reference.induction_score(p, row, period, rounding) for p in ps] for ps in patterns]
        )
    found = {name: np.array(values) for name, values in found.items()}
    return found | {"induction_score": found["induction_score"].mean(axis=0)}


def difference(a, b):
    """max |a - b|; NaN anywhere makes it NaN, which no tolerance allows."""
    return np.abs(a - b).max()


def compare(model, expected):
    """Prints a line per quantity; whether all agree."""
    tokens = integers(expected["tokens"], "tokens", 0, model.options["vocabulary"] - 1)
    length = tokens.shape[1]
    if length > model.options["context"]:
        raise ValueError(f"tokens: {length} positions, the model has {model.options['context']}")
    periods = integers(expected["periods"].reshape(-1), "periods", 1, length - 2)
    if len(periods) != len(tokens):
        raise ValueError(f"periods: {len(periods)} for {len(tokens)} sequences")
    exact = compute(model, tokens, periods)
    perturbed = [
        compute(model.with_arithmetic(Perturbed(seed)), tokens, periods) for seed in range(RUNS)
    ]
    agree = True
    for name in QUANTITIES:
        theirs = expected[name]
        if theirs.shape != exact[name].shape:
            raise ValueError(f"{name}: shape {theirs.shape}, not {exact[name].shape}")
        if name == "patterns":
            theirs = np.tril(theirs)
        found = difference(theirs, exact[name])
        allowed = max(difference(run[name], exact[name]) for run in perturbed)
        verdict = "ok" if found <= allowed else "DIFFERS"
        agree = agree and verdict == "ok"
        print(f"{name:16} max |difference| {found:.2e}, allowed {allowed:.2e}: {verdict}")
    if model.unused():
        print(f"parameters that the reference never read: {', '.join(model.unused())}")
    return agree and not model.unused()


def main(arguments):
    if len(arguments) != 2:
        print("usage: check.py CHECKPOINT.safetensors EXPECTED.safetensors", file=sys.stderr)
        return 2
    try:
        model = reference.Model.load(arguments[0])
        expected, _ = reference.read_safetensors(arguments[1])
        missing = {"tokens", "periods", *QUANTITIES} - expected.keys()
        if missing:
            raise ValueError(f"{arguments[1]}: no tensor {', '.join(sorted(missing))}")
        return 0 if compare(model, expected) else 1
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        print(f"check.py: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
