"""A transformer trained with lookback, as a PyTorch module; its weights lie beside this file.

    from model import load                      # or: python model.py
    model = load()
    logits = model(tokens)                      # tokens [B,T] -> [B,T,V]
    logits, cache = model.run_with_cache(tokens)
    cache["blocks.0.attn.hook_pattern"]         # [B,H,T,T]

Needs torch and safetensors. config.json says what is wired to what; its keys are explained where
they are used.

A layer makes `steps` attention steps one after another, each of `heads` parallel heads. Activations
have TransformerLens's names and shapes; the heads of a layer are counted step by step, so that head
h of step s is head s * heads + h. What only sequential steps have is named blocks.0.steps.1.*.

Legend: B sequences, T positions, V tokens, D = d_model, H heads of a step, E = d_head. Row vectors:
y = x W.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

HEAD_AXES = {"hook_attn_scores": 1, "hook_pattern": 1}  # [B,H,T,T]; all others are [B,T,H,...]


class Cache(dict):
    """The activations of one run by name. Modules show them as they make them."""

    def show(self, name, value):
        self[name] = value
        return value

    def show_heads(self, name, value):
        """The heads of one step; those of later steps go behind them."""
        axis = HEAD_AXES.get(name.rpartition(".")[2], 2)
        self[name] = torch.cat([self[name], value], axis) if name in self else value
        return value


class Nothing(Cache):
    """For runs that keep no activations."""

    def show(self, name, value):
        return value

    show_heads = show


class Norm(nn.Module):
    """LayerNorm, RMSNorm, or none at all: (x - mean) / scale * w + b."""

    def __init__(self, kind, config, name):
        super().__init__()
        self.kind, self.name, self.epsilon = kind, name, config["norm_epsilon"]
        if kind != "none":
            self.w = nn.Parameter(torch.empty(config["d_model"]))
        if kind == "layernorm":
            self.b = nn.Parameter(torch.empty(config["d_model"]))

    def forward(self, x, cache):
        if self.kind == "none":
            return x
        if self.kind == "layernorm":
            x = x - x.mean(-1, keepdim=True)
        scale = (x.square().mean(-1, keepdim=True) + self.epsilon).sqrt()
        x = x / cache.show(f"{self.name}.hook_scale", scale) * self.w
        if self.kind == "layernorm":
            x = x + self.b
        return cache.show(f"{self.name}.hook_normalized", x)


def weight(rows, columns):
    return nn.Parameter(torch.empty(rows, columns))


def bias(config, size):
    return nn.Parameter(torch.empty(size)) if config["biases"] else None


def rotate(x, base):
    """x [B,T,H,E]: pair (i, i + E/2) of position t turned by t / base^(2i/E)."""
    length, half = x.shape[1], x.shape[3] // 2
    frequency = base ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency
    cos, sin = (table.to(x)[:, None] for table in (angle.cos(), angle.sin()))  # [T,1,E/2]
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)


class Attention(nn.Module):
    """H parallel heads: sum_h softmax(q_h k_h^T / sqrt(E)) v_h W_O^h + b_O, causal.

    With "no_ov" there is neither W_V nor W_O: a head writes its keys, heads side by side.
    With "smeared_keys" a key is mixed with the one before it.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        d_model, width = config["d_model"], config["heads"] * config["d_head"]
        self.W_Q, self.b_Q = weight(d_model, width), bias(config, width)
        self.W_K, self.b_K = weight(d_model, width), bias(config, width)
        if config["smeared_keys"]:
            self.smear = nn.Parameter(torch.empty(config["heads"]))
        if not config["no_ov"]:
            self.W_V, self.b_V = weight(d_model, width), bias(config, width)
            self.W_O, self.b_O = weight(width, d_model), bias(config, d_model)

    def project(self, x, letter):
        """[B,T,D] -> [B,T,H,E]"""
        W, b = getattr(self, f"W_{letter}"), getattr(self, f"b_{letter}")
        y = x @ W if b is None else x @ W + b
        return y.unflatten(-1, (self.config["heads"], self.config["d_head"]))

    def forward(self, x, positions, name, cache):
        """x [B,T,D]; positions [T,D] are added to what queries and keys read (shortformer)."""
        c = self.config
        matching = x if positions is None else x + positions
        q = cache.show_heads(f"{name}.hook_q", self.project(matching, "Q"))
        k = cache.show_heads(f"{name}.hook_k", self.project(matching, "K"))
        if c["smeared_keys"]:
            k = cache.show_heads(f"{name}.hook_smeared_k", self.smeared(k))
        unrotated = k
        if c["positions"] == "rotary":
            q = cache.show_heads(f"{name}.hook_rot_q", rotate(q, c["rotary_base"]))
            k = cache.show_heads(f"{name}.hook_rot_k", rotate(k, c["rotary_base"]))
        if c["no_ov"]:
            v = k if c["no_ov_value"] == "after-rotation" else unrotated
        else:
            v = cache.show_heads(f"{name}.hook_v", self.project(x, "V"))
        scores = torch.einsum("bqhe,bkhe->bhqk", q, k) / c["d_head"] ** 0.5
        future = torch.ones_like(scores, dtype=torch.bool).triu(1)
        scores = cache.show_heads(f"{name}.hook_attn_scores", scores.masked_fill(future, -torch.inf))
        pattern = cache.show_heads(f"{name}.hook_pattern", scores.softmax(-1))
        z = cache.show_heads(f"{name}.hook_z", torch.einsum("bhqk,bkhe->bqhe", pattern, v))
        return z.flatten(2) if c["no_ov"] else self.write(z, name, cache)

    def write(self, z, name, cache):
        """z [B,T,H,E] -> [B,T,D]"""
        if not isinstance(cache, Nothing):
            W_O = self.W_O.unflatten(0, z.shape[2:])
            cache.show_heads(f"{name}.hook_result", torch.einsum("bthe,hed->bthd", z, W_O))
        out = z.flatten(2) @ self.W_O
        return out if self.b_O is None else out + self.b_O

    def smeared(self, k):
        """k_t <- s k_t + (1 - s) k_{t-1}; k_0 stays (Olsson et al. 2022)."""
        s = self.smear.sigmoid()[:, None]
        return s * k + (1 - s) * torch.cat([k[:, :1], k[:, :-1]], 1)


class MLP(nn.Module):
    """gelu(x W_in + b_in) W_out + b_out, with GPT-2's form of gelu."""

    def __init__(self, config):
        super().__init__()
        d_model, d_mlp = config["d_model"], config["d_mlp"]
        self.W_in, self.b_in = weight(d_model, d_mlp), bias(config, d_mlp)
        self.W_out, self.b_out = weight(d_mlp, d_model), bias(config, d_model)

    def forward(self, x, name, cache):
        pre = x @ self.W_in if self.b_in is None else x @ self.W_in + self.b_in
        post = F.gelu(cache.show(f"{name}.hook_pre", pre), approximate="tanh")
        out = cache.show(f"{name}.hook_post", post) @ self.W_out
        return out if self.b_out is None else out + self.b_out


class Step(nn.Module):
    """What one of several sequential steps has of its own: a norm, and weights unless shared."""

    def __init__(self, config, name, index):
        super().__init__()
        if index > 0:
            self.ln = Norm(config["norm_between"], config, f"{name}.ln")
        if not config["shared_weights"]:
            self.attn = Attention(config)


class Block(nn.Module):
    """One layer: attention steps, then an MLP if d_mlp > 0; each adds to the stream x.

    n = ln1(x), a_0 = A_0(n). Step s > 0 reads ln_s(base + a_0 + ... + a_{s-1}), where base is n, or
    x if step_input is "raw". Written to the stream: a_0 + a_1 + ...
    """

    def __init__(self, config, index):
        super().__init__()
        self.config, self.name = config, f"blocks.{index}"
        kind = "none" if index in config["layers_without_norm"] else config["norm"]
        self.ln1 = Norm(kind, config, f"{self.name}.ln1")
        if config["steps"] == 1 or config["shared_weights"]:
            self.attn = Attention(config)
        if config["steps"] > 1:
            self.steps = nn.ModuleList(
                Step(config, f"{self.name}.steps.{s}", s) for s in range(config["steps"])
            )
        if config["d_mlp"] > 0:
            self.ln2 = Norm(config["mlp_norm"], config, f"{self.name}.ln2")
            self.mlp = MLP(config)

    def forward(self, x, positions, cache):
        cache.show(f"{self.name}.hook_resid_pre", x)
        x = x + cache.show(f"{self.name}.hook_attn_out", self.attend(x, positions, cache))
        if self.config["d_mlp"] > 0:
            normed = self.ln2(cache.show(f"{self.name}.hook_resid_mid", x), cache)
            mlp_out = self.mlp(normed, f"{self.name}.mlp", cache)
            x = x + cache.show(f"{self.name}.hook_mlp_out", mlp_out)
        return cache.show(f"{self.name}.hook_resid_post", x)

    def attend(self, x, positions, cache):
        """What all steps together write: [B,T,D]."""
        steps = self.config["steps"]
        normed = self.ln1(x, cache)
        total = x if self.config["step_input"] == "raw" else normed
        written = torch.zeros_like(x)
        for s in range(steps):
            step_name, stream, reading = f"{self.name}.steps.{s}", x, normed
            if s > 0:
                stream = cache.show(f"{step_name}.hook_resid_pre", total)
                reading = self.steps[s].ln(stream, cache)
            self.show_inputs(stream, cache)
            attention = self.attn if hasattr(self, "attn") else self.steps[s].attn
            out = attention(reading, positions, f"{self.name}.attn", cache)
            if steps > 1:
                cache.show(f"{step_name}.hook_attn_out", out)
            total, written = total + out, written + out
        return written

    def show_inputs(self, stream, cache):
        """Each head's own copy of the stream, before the norm: [B,T,H,D]."""
        heads = self.config["heads"]
        for letter in "qk" if self.config["no_ov"] else "qkv":
            own = stream[:, :, None].expand(-1, -1, heads, -1)
            cache.show_heads(f"{self.name}.hook_{letter}_input", own)


class Embedding(nn.Module):
    def __init__(self, name, rows, columns):
        super().__init__()
        self.register_parameter(name, weight(rows, columns))


class Transformer(nn.Module):
    """Tokens [B,T] to logits [B,T,V].

    "positions": "learned" ones are added to the stream, "shortformer" ones to what queries and keys
    read, "rotary" ones turn queries and keys.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        vocabulary, d_model = config["vocabulary"], config["d_model"]
        self.embed = Embedding("W_E", vocabulary, d_model)
        if config["positions"] in ("learned", "shortformer"):
            self.pos_embed = Embedding("W_pos", config["context"], d_model)
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config["layers"]))
        self.ln_final = Norm(config["final_norm"], config, "ln_final")
        if not config["tied_embeddings"]:
            self.unembed = Embedding("W_U", d_model, vocabulary)

    def forward(self, tokens, cache=None):
        cache = Nothing() if cache is None else cache
        x = cache.show("hook_embed", self.embed.W_E[tokens])
        positions = None
        if hasattr(self, "pos_embed"):
            positions = self.pos_embed.W_pos[: tokens.shape[1]]
            cache.show("hook_pos_embed", positions.expand_as(x))
        if self.config["positions"] == "learned":
            x, positions = x + positions, None
        for block in self.blocks:
            x = block(x, positions, cache)
        W_U = self.embed.W_E.T if self.config["tied_embeddings"] else self.unembed.W_U
        return cache.show("logits", self.ln_final(x, cache) @ W_U)

    def run_with_cache(self, tokens):
        """The logits, and every activation by its name."""
        cache = Cache()
        return self(tokens, cache), cache


def load(folder=Path(__file__).parent, device="cpu"):
    """The model, for evaluation. Raises RuntimeError where the weights are not exactly its own."""
    config = json.loads((Path(folder) / "config.json").read_text())
    model = Transformer(config).to(device)
    model.load_state_dict(load_file(Path(folder) / "model.safetensors", device=device))
    return model.eval()


if __name__ == "__main__":
    print(load())
