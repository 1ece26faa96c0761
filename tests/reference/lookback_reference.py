"""The forward pass of every architecture of lookback, written a second time, in NumPy.

Nothing here is shared with the C++: not the reader of the file, not the order of the operations.
Both follow the same equations, and check.py holds one against the other.

Legend: T positions, V tokens, D = d_model, H heads of a step, S sequential steps of a layer,
E = d_head. One sequence at a time; row vectors, y = x W; float64 throughout.

Every rounding that a computation in float32 would make goes through an Arithmetic. Exact makes
none; check.py passes another that makes them on purpose, to learn how far they carry.
"""

import json
import tomllib

import numpy as np

NORM_EPSILON = 1e-5

# Every key of [model], with the names that it allows where it is a choice. All must be there and no
# other: an option that this file does not know must not be ignored.
NORMS = ("none", "layernorm", "rmsnorm")
OPTIONS = dict.fromkeys(
    ("vocabulary", "context", "d_model", "d_head", "layers", "heads", "steps", "shared_weights")
    + ("layers_without_norm", "rotary_base", "biases", "d_mlp", "tied_embeddings")
    + ("smeared_keys", "no_ov")
) | {
    "norm": NORMS,
    "norm_between": NORMS,
    "mlp_norm": NORMS,
    "final_norm": NORMS,
    "step_input": ("normed", "raw"),
    "positions": ("none", "learned", "shortformer", "rotary"),
    "no_ov_value": ("before-rotation", "after-rotation"),
}


def read_safetensors(path):
    """The F32 tensors of a safetensors file, as float64, and its metadata.

    https://github.com/huggingface/safetensors: 8 bytes of little-endian header length, a JSON
    header, the data. Raises ValueError, in one line, where the file is not that.
    """
    with open(path, "rb") as file:
        content = file.read()
    size = int.from_bytes(content[:8], "little")
    if len(content) < 8 or size > len(content) - 8:
        raise ValueError(f"{path}: a header of {size} bytes in a file of {len(content)}")
    header = json.loads(content[8 : 8 + size])
    data = memoryview(content)[8 + size :]
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        count = int(np.prod(entry["shape"], dtype=np.int64))
        if not 0 <= begin <= end <= len(data) or end - begin != 4 * count:
            raise ValueError(f"{path}: {name}: bytes {begin}..{end}, shape {entry['shape']}")
        values = np.frombuffer(data[begin:end], dtype="<f4").astype(np.float64)
        tensors[name] = values.reshape(entry["shape"])
    return tensors, metadata


def read_model_table(config):
    """[model] of a checkpoint's TOML. Raises ValueError for what is missing or unknown."""
    table = tomllib.loads(config).get("model", {})
    if table.keys() != OPTIONS.keys():
        odd = ", ".join(sorted(table.keys() ^ OPTIONS.keys()))
        raise ValueError(f"[model]: missing, or unknown to the reference: {odd}")
    for key, value in table.items():
        if OPTIONS[key] and value not in OPTIONS[key]:
            raise ValueError(f"[model] {key} = {value!r}: allowed are {OPTIONS[key]}")
    return table


class Exact:
    """No rounding beyond float64's own."""

    def rounded(self, value, magnitude=None, terms=1):
        """`value`, a sum of `terms` numbers whose absolute values sum to `magnitude` (|value|)."""
        return value

    def product(self, a, b):
        return a @ b


class Model:
    """A checkpoint's model. `forward` is the only way in; `unused()` tells what it never read."""

    def __init__(self, tensors, options, arithmetic=Exact()):
        self.tensors = tensors
        self.options = options
        self.arithmetic = arithmetic
        self.read = set()

    @classmethod
    def load(cls, path):
        tensors, metadata = read_safetensors(path)
        if "config" not in metadata:
            raise ValueError(f"{path}: the metadata has no key config")
        return cls(tensors, read_model_table(metadata["config"]))

    def with_arithmetic(self, arithmetic):
        """The same model, its operations rounded as `arithmetic` says."""
        return Model(self.tensors, self.options, arithmetic)

    def unused(self):
        ours = ("embed.", "pos_embed.", "blocks.", "ln_final.", "unembed.")
        return sorted(n for n in self.tensors if n.startswith(ours) and n not in self.read)

    def forward(self, tokens):
        """tokens [T] -> logits [T,V], patterns [layers, S * H, T, T].

        x_0 = W_E[token] (+ W_pos); each layer adds to the stream; logits = LN_f(x) W_U.
        """
        o = self.options
        embedding = self.matrix("embed.W_E", o["vocabulary"], o["d_model"])
        x = embedding[tokens]
        if o["positions"] == "learned":
            x = self.add(x, self.positions(len(tokens)))
        patterns = []
        for layer in range(o["layers"]):
            written, layer_patterns = self.attention_steps(layer, x)
            x = self.add(x, written)
            if o["d_mlp"] > 0:
                x = self.add(x, self.mlp(layer, x))
            patterns.append(layer_patterns)
        final = self.norm(o["final_norm"], "ln_final", x)
        if o["tied_embeddings"]:
            unembedding = embedding.T
        else:
            unembedding = self.matrix("unembed.W_U", o["d_model"], o["vocabulary"])
        return self.arithmetic.product(final, unembedding), np.array(patterns)

    def attention_steps(self, layer, x):
        """What a layer's attention writes, and its patterns [S * H, T, T].

        n = LN x, or x where this layer has no norm;  u_0 = n,  a_0 = A_0(u_0), and for s > 0:
        u_s = n + a_0 + ... + a_{s-1}   (step_input "raw": x in the place of n)
        a_s = A_s(N_s u_s), N_s the norm between the steps, if any.   Written: a_0 + ... + a_{S-1}.
        """
        o = self.options
        kind = "none" if layer in o["layers_without_norm"] else o["norm"]
        normed = self.norm(kind, f"blocks.{layer}.ln1", x)
        base = x if o["step_input"] == "raw" else normed
        written, patterns = 0.0, []
        for step in range(o["steps"]):
            reading = normed
            if step > 0:
                name = f"blocks.{layer}.steps.{step}.ln"
                reading = self.norm(o["norm_between"], name, self.add(base, written))
            output, step_patterns = self.attention(self.attention_prefix(layer, step), reading)
            written = self.add(written, output)
            patterns += step_patterns
        return written, patterns

    def attention_prefix(self, layer, step):
        if self.options["steps"] == 1 or self.options["shared_weights"]:
            return f"blocks.{layer}.attn"
        return f"blocks.{layer}.steps.{step}.attn"

    def attention(self, prefix, x):
        """H parallel heads: sum_h softmax(q_h k_h^T / sqrt(E)) v_h W_O^h + b_O, causal.

        Without OV: softmax(q_h k_h^T / sqrt(E)) k_h, the heads side by side.
        """
        o = self.options
        heads, width, d_model = o["heads"], o["d_head"], o["d_model"]
        qk_input = x
        if o["positions"] == "shortformer":  # positions reach Q and K only, never the stream
            qk_input = self.add(x, self.positions(len(x)))
        query = self.linear(qk_input, f"{prefix}.W_Q", f"{prefix}.b_Q", heads * width)
        key = self.linear(qk_input, f"{prefix}.W_K", f"{prefix}.b_K", heads * width)
        if not o["no_ov"]:
            value = self.linear(x, f"{prefix}.W_V", f"{prefix}.b_V", heads * width)
        mixed, patterns = [], []
        for h in range(heads):
            own = slice(h * width, (h + 1) * width)  # this head's columns
            q, k = query[:, own], key[:, own]
            if o["smeared_keys"]:
                k = self.smear(k, self.vector(f"{prefix}.smear", heads)[h])
            unrotated = k
            if o["positions"] == "rotary":
                q, k = self.rotate(q), self.rotate(k)
            if not o["no_ov"]:
                v = value[:, own]
            else:
                v = k if o["no_ov_value"] == "after-rotation" else unrotated
            scores = self.arithmetic.product(q, k.T) / np.sqrt(width)
            patterns.append(self.causal_softmax(self.arithmetic.rounded(scores)))
            mixed.append(self.arithmetic.product(patterns[-1], v))
        z = np.concatenate(mixed, axis=1)
        if o["no_ov"]:
            return z, patterns
        return self.linear(z, f"{prefix}.W_O", f"{prefix}.b_O", d_model), patterns

    def mlp(self, layer, x):
        """gelu(LN(x) W_in + b_in) W_out + b_out, with GPT-2's gelu (Hendrycks and Gimpel 2016)."""
        o, prefix = self.options, f"blocks.{layer}.mlp"
        n = self.norm(o["mlp_norm"], f"blocks.{layer}.ln2", x)
        pre = self.linear(n, f"{prefix}.W_in", f"{prefix}.b_in", o["d_mlp"])
        bend = np.tanh(self.arithmetic.rounded(np.sqrt(2 / np.pi) * (pre + 0.044715 * pre**3)))
        post = pre / 2 * self.arithmetic.rounded(1 + bend, 1 + np.abs(bend))
        return self.linear(post, f"{prefix}.W_out", f"{prefix}.b_out", o["d_model"])

    # --- operations

    def norm(self, kind, name, x):
        """(x - mean) / sqrt(variance + epsilon) * w + b; rmsnorm: no mean, no b."""
        if kind == "none":
            return x
        width = x.shape[1]
        rounded = self.arithmetic.rounded
        if kind == "layernorm":
            size = np.abs(x).mean(axis=1, keepdims=True)
            mean = rounded(x.mean(axis=1, keepdims=True), size, width)
            x = rounded(x - mean, np.abs(x) + np.abs(mean))
        variance = rounded((x**2).mean(axis=1, keepdims=True), terms=width)
        y = rounded(x / np.sqrt(variance + NORM_EPSILON) * self.vector(f"{name}.w", width))
        return self.add(y, self.vector(f"{name}.b", width)) if kind == "layernorm" else y

    def linear(self, x, weight, bias, outputs):
        y = self.arithmetic.product(x, self.matrix(weight, x.shape[1], outputs))
        return self.add(y, self.vector(bias, outputs)) if self.options["biases"] else y

    def smear(self, k, logit):
        """k_t <- s k_t + (1 - s) k_{t-1}, s = sigmoid(logit); k_0 stays (Olsson et al. 2022)."""
        s = 1 / (1 + np.exp(-logit))
        return self.add(s * k, (1 - s) * np.concatenate([k[:1], k[:-1]]))

    def rotate(self, x):
        """Pair (x_i, x_{i+E/2}) turned by t base^(-2i/E), as a complex number (Su et al. 2021)."""
        half = x.shape[1] // 2
        frequency = self.options["rotary_base"] ** (-np.arange(half) / half)
        turn = np.exp(1j * np.outer(np.arange(len(x)), frequency))
        turned = (x[:, :half] + 1j * x[:, half:]) * turn
        size = np.tile(np.abs(x[:, :half]) + np.abs(x[:, half:]), 2)
        return self.arithmetic.rounded(np.hstack([turned.real, turned.imag]), size)

    def causal_softmax(self, scores):
        """Each row's softmax over itself and the past; 0 above the diagonal."""
        past = np.tril(np.ones(scores.shape, dtype=bool))
        rounded = self.arithmetic.rounded
        top = np.where(past, scores, -np.inf).max(axis=1, keepdims=True)
        power = rounded(np.exp(rounded(np.where(past, scores - top, 0)))) * past
        return rounded(power / rounded(power.sum(axis=1, keepdims=True), terms=len(scores)))

    def add(self, x, y):
        return self.arithmetic.rounded(x + y, np.abs(x) + np.abs(y))

    def positions(self, length):
        table = self.matrix("pos_embed.W_pos", self.options["context"], self.options["d_model"])
        return table[:length]

    # --- parameters, with the shape that they must have

    def matrix(self, name, rows, cols):
        if name not in self.tensors:
            raise ValueError(f"{name} is missing")
        if self.tensors[name].shape != (rows, cols):
            raise ValueError(f"{name} is {self.tensors[name].shape}, not {(rows, cols)}")
        self.read.add(name)
        return self.tensors[name]

    def vector(self, name, size):
        if name in self.tensors and self.tensors[name].shape == (size,):
            self.read.add(name)
            return self.tensors[name]
        return self.matrix(name, 1, size)[0]


def losses(logits, tokens, arithmetic=Exact()):
    """-log softmax(logits_t)[x_{t+1}] for t < T - 1; logits [T,V], tokens [T] -> [T-1]."""
    rounded = arithmetic.rounded
    logits, target = logits[:-1], tokens[1:]
    top = logits.max(axis=1)
    power = rounded(np.exp(rounded(logits - top[:, None])))
    log_sum = rounded(np.log(rounded(power.sum(axis=1), terms=logits.shape[1])))
    total = rounded(top + log_sum, np.abs(top) + np.abs(log_sum))
    chosen = logits[np.arange(len(target)), target]
    return rounded(total - chosen, np.abs(total) + np.abs(chosen))


def induction_score(pattern, tokens, period, arithmetic=Exact()):
    """The mean over queries P <= t < T - 1 of the attention on all 1 <= s <= t with x_{s-1} = x_t.

    pattern [T,T], tokens [T] of one sequence of repeated blocks -> a number in 0..1.
    """
    length = len(tokens)
    answers = np.zeros((length, length), dtype=bool)
    answers[:, 1:] = tokens[:, None] == tokens[None, :-1]
    answers &= np.tril(np.ones_like(answers))
    masses = (pattern * answers)[period : length - 1].sum(axis=1)
    return arithmetic.rounded(masses.mean(), terms=answers.sum())
