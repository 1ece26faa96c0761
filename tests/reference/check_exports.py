"""Reads exports with NumPy alone, and holds the logits that their files give against lookback's.

    python3 tests/reference/check_exports.py transformer-lens|torch|huggingface FOLDER...

A FOLDER holds an export and expected.safetensors, written by lookback: tokens [B,T] and logits
[B,T,V]. Each format is turned back into the reference's own names here, by what its program's
source says of its layout; nothing is shared with the C++ that wrote it. The tolerance is check.py's.
Prints one line per folder. Exit status: 0 all agree, 1 a difference too large, 2 unusable input,
77 skipped, for want of NumPy.
"""

import json
import pathlib
import sys

from check import RUNS, Perturbed, difference, integers  # ends with 77 where there is no NumPy

import numpy as np
import lookback_reference as reference

PLAIN = {
    "steps": 1,
    "shared_weights": False,
    "norm_between": "none",
    "step_input": "normed",
    "layers_without_norm": [],
    "rotary_base": 10000,
    "smeared_keys": False,
    "no_ov": False,
    "no_ov_value": "before-rotation",
}


def from_transformer_lens(config, theirs):
    """HookedTransformer: W_Q, W_K, W_V [H,D,E], W_O [H,E,D], biases [H,E]."""
    norms = {"LN": "layernorm", "RMS": "rmsnorm", None: "none"}
    norm = norms[config["normalization_type"]]
    options = PLAIN | {
        "vocabulary": config["d_vocab"],
        "context": config["n_ctx"],
        "d_model": config["d_model"],
        "d_head": config["d_head"],
        "layers": config["n_layers"],
        "heads": config["n_heads"],
        "d_mlp": 0 if config["attn_only"] else config["d_mlp"],
        "norm": norm,
        "mlp_norm": norm,
        "final_norm": "rmsnorm" if config["final_rms"] else norm,
        "positions": config["positional_embedding_type"].replace("standard", "learned"),
        "rotary_base": config.get("rotary_base", 10000),
        "biases": True,
        "tied_embeddings": False,
    }
    ours = {}
    for name, values in theirs.items():
        last = name.rpartition(".")[2]
        if last in ("W_Q", "W_K", "W_V"):
            values = values.transpose(1, 0, 2).reshape(options["d_model"], -1)
        elif last == "W_O":
            values = values.reshape(-1, options["d_model"])
        elif last in ("b_Q", "b_K", "b_V"):
            values = values.reshape(-1)
        ours[name] = values
    if ours.pop("unembed.b_U").any():
        raise ValueError("unembed.b_U is not zero")
    return options, ours


def from_huggingface(config, theirs):
    """GPT2LMHeadModel: Conv1D is y = x W; c_attn is W_Q, W_K, W_V side by side; nn.Linear is W^T."""
    options = PLAIN | {
        "vocabulary": config["vocab_size"],
        "context": config["n_positions"],
        "d_model": config["n_embd"],
        "d_head": config["n_embd"] // config["n_head"],
        "layers": config["n_layer"],
        "heads": config["n_head"],
        "d_mlp": config["n_inner"],
        "norm": "layernorm",
        "mlp_norm": "layernorm",
        "final_norm": "layernorm",
        "positions": "learned",
        "biases": True,
        "tied_embeddings": config["tie_word_embeddings"],
    }
    modules = {"ln_1": "ln1", "ln_2": "ln2", "attn.c_proj": "attn.O", "mlp.c_fc": "mlp.in"}
    modules |= {"mlp.c_proj": "mlp.out"}
    ours = {
        "embed.W_E": theirs.pop("transformer.wte.weight"),
        "pos_embed.W_pos": theirs.pop("transformer.wpe.weight"),
        "ln_final.w": theirs.pop("transformer.ln_f.weight"),
        "ln_final.b": theirs.pop("transformer.ln_f.bias"),
    }
    if not config["tie_word_embeddings"]:
        ours["unembed.W_U"] = theirs.pop("lm_head.weight").T
    for name, values in theirs.items():
        _, _, layer, rest = name.split(".", 3)  # transformer.h.0.attn.c_attn.weight
        module, _, part = rest.rpartition(".")
        kind = {"weight": "W", "bias": "b"}[part]
        if module == "attn.c_attn":
            for letter, third in zip("QKV", np.split(values, 3, axis=-1)):
                ours[f"blocks.{layer}.attn.{kind}_{letter}"] = third
        elif module.startswith("ln_"):
            ours[f"blocks.{layer}.{modules[module]}.{kind.lower()}"] = values
        else:
            home, _, letter = modules[module].partition(".")
            ours[f"blocks.{layer}.{home}.{kind}_{letter}"] = values
    return options, ours


def from_torch(config, theirs):
    """Our own module has our own names and shapes."""
    if config.pop("format") != "lookback torch module 1":
        raise ValueError("another format")
    if config.pop("norm_epsilon") != reference.NORM_EPSILON:
        raise ValueError("another epsilon")
    return config, theirs


READERS = {
    "transformer-lens": from_transformer_lens,
    "huggingface": from_huggingface,
    "torch": from_torch,
}


def logits(model, tokens):
    return np.array([model.forward(row)[0] for row in tokens])


def check(folder, reader):
    """Prints a line for one export; whether it agrees."""
    config = json.loads((folder / "config.json").read_text())
    weights, _ = reference.read_safetensors(folder / "model.safetensors")
    options, tensors = reader(config, weights)
    if options.keys() != reference.OPTIONS.keys():
        raise ValueError(f"options {sorted(options.keys() ^ reference.OPTIONS.keys())}")
    model = reference.Model(tensors, options)
    expected, _ = reference.read_safetensors(folder / "expected.safetensors")
    tokens = integers(expected["tokens"], "tokens", 0, options["vocabulary"] - 1)
    exact = logits(model, tokens)
    perturbed = [logits(model.with_arithmetic(Perturbed(seed)), tokens) for seed in range(RUNS)]
    allowed = max(difference(run, exact) for run in perturbed)
    found = difference(expected["logits"], exact)
    good = found <= allowed and not model.unused()
    unused = f", never read: {', '.join(model.unused())}" if model.unused() else ""
    verdict = "ok" if good else "DIFFERS"
    print(f"{folder.name}: logits differ by {found:.1e}, allowed {allowed:.1e}{unused}: {verdict}")
    return good


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in READERS:
        print(f"usage: check_exports.py {'|'.join(READERS)} FOLDER...", file=sys.stderr)
        return 2
    try:
        good = [check(pathlib.Path(folder), READERS[arguments[0]]) for folder in arguments[1:]]
        return 0 if all(good) else 1
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        print(f"check_exports.py: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
