"""Training speed of the article's three setups: lookback beside idiomatic PyTorch, in one run.

    python3 benchmarks/pytorch_baseline.py --lookback build/release/lookback

For each setup and number of threads, each round measures in turn `lookback bench`, then PyTorch in
four modes:
    explicit           softmax(q k^T / sqrt(E)) v; the patterns are returned, as research needs them
    sdpa               F.scaled_dot_product_attention: no pattern can be seen
    each of them       eager, and under torch.compile
Each measure lasts --seconds; the order turns by one from round to round, so that nobody always
follows the same neighbor. Printed are medians, in tokens a second, and lookback's over PyTorch's.

A PyTorch step is what a training script does: forward, cross-entropy, backward, clipping, AdamW,
and the schedule. Its data is drawn before the clock starts and used in turn, so making data costs
PyTorch nothing here (lookback draws its own inside its measure). Compiling and warm-up steps are
not timed either.

Without PyTorch it says so in one line and exits 0.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as missing:
    print(f"pytorch_baseline.py: skipped, PyTorch is not installed ({missing})")
    sys.exit(0)

# B sequences a step, T positions, V tokens, D = d_model, H heads of an attention, E = d_head.
V, T, D, E = 256, 256, 128, 64
BATCH = 64
PERIODS = (16, 48)
SETUPS = ("two-layer", "one-layer-parallel", "one-layer-sequential")
MODES = ("explicit eager", "explicit compiled", "sdpa eager", "sdpa compiled")
DATA_BATCHES = 16
WARM_UP_STEPS = 3


# --- the models


class Attention(nn.Module):
    """H parallel causal heads, without biases: [B,T,D] -> [B,T,D] and the patterns [B,H,T,T]."""

    def __init__(self, heads, explicit):
        super().__init__()
        self.heads = heads
        self.explicit = explicit
        self.qkv = nn.Linear(D, 3 * heads * E, bias=False)
        self.out = nn.Linear(heads * E, D, bias=False)
        nn.init.normal_(self.qkv.weight, std=D**-0.5)
        nn.init.normal_(self.out.weight, std=0.5 * E**-0.5)
        self.register_buffer("future", torch.ones(T, T, dtype=torch.bool).triu(1), persistent=False)

    def forward(self, x):
        batch, length, _ = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, E).permute(2, 0, 3, 1, 4)
        if self.explicit:
            scores = q @ k.transpose(-2, -1) / math.sqrt(E)
            scores = scores.masked_fill(self.future[:length, :length], float("-inf"))
            pattern = scores.softmax(dim=-1)
            mixed = pattern @ v
        else:
            pattern = None
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, self.heads * E)), pattern


class Layer(nn.Module):
    """x + a_0 + a_1 + ..., where a_s = A_s(n + a_0 + ... + a_{s-1}) and n = LN x."""

    def __init__(self, heads, steps, explicit):
        super().__init__()
        self.norm = nn.LayerNorm(D)
        self.steps = nn.ModuleList(Attention(heads, explicit) for _ in range(steps))

    def forward(self, x):
        reading = self.norm(x)
        patterns = []
        for attention in self.steps:
            written, pattern = attention(reading)
            reading = reading + written
            x = x + written
            patterns.append(pattern)
        return x, patterns


class Transformer(nn.Module):
    """Tokens [B,T] -> the mean loss of predicting the next token, and every head's pattern."""

    def __init__(self, setup, explicit):
        super().__init__()
        layers, heads, steps = {
            "two-layer": (2, 1, 1),
            "one-layer-parallel": (1, 2, 1),
            "one-layer-sequential": (1, 1, 2),
        }[setup]
        self.embed = nn.Embedding(V, D)
        self.position = nn.Embedding(T, D)
        self.layers = nn.ModuleList(Layer(heads, steps, explicit) for _ in range(layers))
        self.final_norm = nn.LayerNorm(D)
        self.unembed = nn.Linear(D, V, bias=False)
        nn.init.normal_(self.embed.weight, std=0.3)
        nn.init.normal_(self.position.weight, std=0.3)
        nn.init.normal_(self.unembed.weight, std=D**-0.5)

    def forward(self, tokens):
        x = self.embed(tokens) + self.position.weight[: tokens.shape[1]]
        patterns = []
        for layer in self.layers:
            x, layer_patterns = layer(x)
            patterns += layer_patterns
        logits = self.unembed(self.final_norm(x))
        loss = F.cross_entropy(logits[:, :-1].reshape(-1, V), tokens[:, 1:].reshape(-1))
        return loss, patterns


# --- training


def repeated_blocks(batches, seed):
    """x_t = block[t mod P], P uniform on 16..48, a block for each sequence: [batches, BATCH, T]."""
    generator = torch.Generator().manual_seed(seed)
    low, high = PERIODS
    blocks = torch.randint(V, (batches * BATCH, high), generator=generator)
    periods = torch.randint(low, high + 1, (batches * BATCH, 1), generator=generator)
    return blocks.gather(1, torch.arange(T) % periods).view(batches, BATCH, T)


class Training:
    """One model in one mode, trained a little in each round: it goes on where it stopped."""

    def __init__(self, setup, mode, data):
        attention, execution = mode.split()
        torch.manual_seed(0)
        model = Transformer(setup, explicit=attention == "explicit")
        self.parameters = list(model.parameters())
        matrices = [p for p in self.parameters if p.dim() > 1]
        vectors = [p for p in self.parameters if p.dim() == 1]
        decayed = {"params": matrices, "weight_decay": 0.01}
        groups = [decayed, {"params": vectors, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98), fused=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: min(1.0, (step + 1) / 100)
        )
        self.model = torch.compile(model) if execution == "compiled" else model
        self.data = data
        self.steps = 0
        for _ in range(WARM_UP_STEPS):
            self.loss = self.step()

    def step(self):
        loss, _ = self.model(self.data[self.steps % len(self.data)])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.steps += 1
        return loss.item()

    def tokens_per_second(self, seconds):
        begin, steps = time.perf_counter(), 0
        while steps == 0 or time.perf_counter() - begin < seconds:
            self.loss = self.step()
            steps += 1
        return steps * BATCH * T / (time.perf_counter() - begin)


# --- measuring


def run_lookback(program, setup, seconds, threads):
    """What `lookback bench` reports. Raises RuntimeError, in one line, where it cannot."""
    command = [program, "bench", "--setup", setup, "--seconds", f"{seconds:g}"]
    command += ["--threads", str(threads), "--json"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60 + 20 * seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(first_line(error)) from error
    if done.returncode != 0:
        raise RuntimeError(f"exit status {done.returncode}: {first_line(done.stderr)}")
    try:
        report = json.loads(done.stdout)
        if not report["tokens_per_second"] > 0:
            raise ValueError("tokens_per_second is not above 0")
    except (ValueError, KeyError, TypeError) as error:
        raise RuntimeError(f"unreadable report: {type(error).__name__}: {error}") from error
    if (report.get("setup", setup), report.get("threads", threads)) != (setup, threads):
        raise RuntimeError(f"asked for {setup} on {threads}, it measured {first_line(done.stdout)}")
    return report


def first_line(message):
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    return lines[0][:200] if lines else "no message"


def failure(error):
    """The one line of an exception that says why: of torch.compile's, the cause inside."""
    cause = getattr(error, "inner_exception", None) or error
    kind = "" if type(cause) is RuntimeError else f"{type(cause).__name__}: "
    return kind + first_line(cause)


class Case:
    """One setup on a number of threads: everybody's figures, or the reason why there are none."""

    def __init__(self, setup, threads, options, data):
        self.setup, self.threads, self.options = setup, threads, options
        self.rates, self.unavailable, self.reports, self.trainings = {}, {}, [], {}
        modes = [m for m in MODES if options.compile or not m.endswith("compiled")]
        self.runners = ["lookback", *modes]
        for mode in modes:
            note(f"{setup}, {threads} threads: preparing {mode}")
            try:
                self.trainings[mode] = Training(setup, mode, data)
            except Exception as error:  # whatever torch.compile meets here, the other modes go on
                self.unavailable[mode] = failure(error)
        # The same seed and data: if the modes do not agree now, they do not train the same model.
        losses = [training.loss for training in self.trainings.values()]
        if losses and max(losses) - min(losses) > 1e-3 * max(losses):
            raise RuntimeError(f"{setup}: the modes' losses disagree after warm-up: {losses}")

    def measure(self, runner):
        if runner != "lookback":
            return self.trainings[runner].tokens_per_second(self.options.seconds)
        report = run_lookback(
            self.options.lookback, self.setup, self.options.seconds, self.threads
        )
        self.reports.append(report)
        return report["tokens_per_second"]

    def round(self, number):
        turn = number % len(self.runners)
        for runner in self.runners[turn:] + self.runners[:turn]:
            if runner in self.unavailable:
                continue
            try:
                self.rates.setdefault(runner, []).append(self.measure(runner))
            except RuntimeError as error:
                self.unavailable[runner] = failure(error)
                self.rates.pop(runner, None)
                continue
            note(f"round {number + 1}: {runner}: {self.rates[runner][-1]:,.0f} tokens/s")

    def result(self):
        medians = {runner: statistics.median(rates) for runner, rates in self.rates.items()}
        ours = medians.get("lookback")
        ratios = {r: ours / m for r, m in medians.items() if ours and r != "lookback"}
        counts = [sum(p.numel() for p in t.parameters) for t in self.trainings.values()]
        return {
            "setup": self.setup,
            "threads": self.threads,
            "parameters": counts[0] if counts else None,
            "tokens_per_second": self.rates,
            "median": medians,
            "lookback_over_pytorch": ratios,
            "unavailable": self.unavailable,
            "lookback_reports": self.reports,
        }


def note(line):
    print(line, file=sys.stderr, flush=True)


# --- reporting


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1] for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0].strip() if names else platform.processor()


def print_case(result):
    print(f"\n{result['setup']}, threads {result['threads']}, {result['parameters']} parameters")
    print(f"  {'':18} {'tokens/s, median':>17} {'least':>11} {'most':>11} {'lookback is':>12}")
    for runner, rates in result["tokens_per_second"].items():
        ratio = result["lookback_over_pytorch"].get(runner)
        shown = f"{ratio:.2f}x" if ratio else ""
        median = result["median"][runner]
        print(f"  {runner:18} {median:17,.0f} {min(rates):11,.0f} {max(rates):11,.0f} {shown:>12}")
    shares = [r["share_of_peak"] for r in result["lookback_reports"] if "share_of_peak" in r]
    if shares:
        print(f"  lookback at {statistics.median(shares):.1%} of the measured peak")
    for runner, reason in result["unavailable"].items():
        print(f"  {runner:18} unavailable: {reason}")


def thread_counts(text):
    """"1,all" -> [1, the processors that this process may use]."""
    available = len(os.sched_getaffinity(0))
    try:
        counts = [available if t.strip() == "all" else int(t) for t in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: numbers or all, with commas") from error
    if min(counts) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: at least 1 thread is needed")
    return list(dict.fromkeys(counts))


def positive(kind):
    def parse(text):
        value = kind(text)
        if not 0 < value < 1e6:
            raise argparse.ArgumentTypeError(f"{text}: above 0 and below a million is needed")
        return value

    return parse


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lookback", metavar="PATH", default="build/release/lookback")
    parser.add_argument("--rounds", type=positive(int), default=5)
    parser.add_argument("--seconds", type=positive(float), default=5.0, help="of each measure")
    parser.add_argument("--threads", type=thread_counts, default="1,all", help="such as 1,all")
    parser.add_argument("--setups", nargs="+", choices=SETUPS, default=list(SETUPS))
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse_options(arguments)
    data = repeated_blocks(DATA_BATCHES, seed=1)
    results = []
    for threads in options.threads:
        torch.set_num_threads(threads)
        for setup in options.setups:
            torch.compiler.reset()  # compiled code keeps the number of threads it was made for
            case = Case(setup, threads, options, data)
            for number in range(options.rounds):
                case.round(number)
            results.append(case.result())
            if not options.json:
                print_case(results[-1])
    if options.json:
        about = {"pytorch": torch.__version__, "python": platform.python_version()}
        about |= {"processor": processor(), "seconds": options.seconds, "rounds": options.rounds}
        print(json.dumps(about | {"batch": BATCH, "cases": results}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
