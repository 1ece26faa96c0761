"""The model in config.json and model.safetensors beside this file, for TransformerLens.

    from load import load          # or: python load.py
    model = load()
    logits, cache = model.run_with_cache(tokens)
    cache["blocks.0.attn.hook_pattern"]

transformer-lens 2 and 3 give a HookedTransformer, 4 a TransformerBridge; other versions are refused.
Version 4 shows the pattern as hook_attn_scores, too, and neither hook_result nor hook_rot_q.
Nothing is folded or centred: the weights are as trained, but for the order of rotary dimensions in
version 4 (see as_adjacent_pairs). Needs safetensors, too.
"""

import json
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import load_file

MADE_FOR = ("2", "3", "4")


def load(folder=Path(__file__).parent, device="cpu", **config):
    """The model, for evaluation. `config` sets further fields, such as use_attn_result=True in 2 and 3.

    Raises RuntimeError for a version of transformer-lens that this file is not made for, ValueError or
    RuntimeError where the names of the weights are not exactly those of the model.
    """
    found = version("transformer-lens")
    major = found.partition(".")[0]
    if major not in MADE_FOR:
        raise RuntimeError(f"load.py is made for transformer-lens {', '.join(MADE_FOR)}, not {found}")
    fields = json.loads((Path(folder) / "config.json").read_text()) | config
    weights = load_file(Path(folder) / "model.safetensors", device=device)
    build = bridge if major == "4" else hooked_transformer
    return build(fields, weights, device, folder).eval()


def hooked_transformer(fields, stored, device, folder):
    """Of versions 2 and 3."""
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    model = HookedTransformer(HookedTransformerConfig(**fields, device=device))
    # Masks and rotary tables are constants of the configuration: this TransformerLens made its own.
    constants = dict(model.named_buffers()).keys()
    parameters = model.state_dict().keys() - constants
    weights = {name: values for name, values in stored.items() if name not in constants}
    if weights.keys() != parameters:
        missing = sorted(parameters - weights.keys())
        unexpected = sorted(weights.keys() - parameters)
        raise ValueError(f"{folder}: missing weights {missing}, unexpected weights {unexpected}")
    model.load_state_dict(weights, strict=False)
    return model


def bridge(fields, weights, device, folder):
    """Of version 4, whose TransformerBridge wraps a module: its own, or Shortformer."""
    from transformer_lens import TransformerBridge, TransformerBridgeConfig
    from transformer_lens.utilities.tl_checkpoint_conversion import convert_tl_checkpoint

    positions = fields["positional_embedding_type"]
    standard = {"positional_embedding_type": "standard"} if positions == "shortformer" else {}
    cfg = TransformerBridgeConfig(**(fields | standard), device=device)
    if positions == "shortformer":
        model = shortformer(cfg, device)
    else:
        if positions == "rotary":
            cfg.rotary_base = fields["rotary_base"]  # the constructor rounds it
            cfg.rotary_adjacent_pairs = True
        model = TransformerBridge.boot_native(cfg, device=device, dtype=torch.float32)
    if positions == "rotary":
        require_adjacent_pairs(model.original_model.rotary, cfg, folder)
        weights = as_adjacent_pairs(weights)
    model.load_state_dict(convert_tl_checkpoint(weights, cfg), strict=True)
    return model


def as_adjacent_pairs(weights):
    """The same model where rotary positions turn dimensions (2i, 2i+1) of a head together, as version
    4 does, and not (i, i + E/2), as these weights and versions 2 and 3: queries and keys have their
    dimensions in another order, which no score depends on."""
    half = next(w for name, w in weights.items() if name.endswith(".W_Q")).shape[-1] // 2
    order = torch.arange(2 * half).view(2, half).T.reshape(-1)
    rotated = (".W_Q", ".W_K", ".b_Q", ".b_K")
    return {name: w[..., order] if name.endswith(rotated) else w for name, w in weights.items()}


def require_adjacent_pairs(rotary, cfg, folder):
    """Raises RuntimeError where this version turns other pairs: the logits would be wrong."""
    first = torch.eye(cfg.d_head)[0].expand(1, 1, 2, -1).to(rotary.cos_cached)  # at positions 0 and 1
    turned, _ = rotary.apply_rope(first, first)
    if turned[0, 0, 1].nonzero().flatten().tolist() != [0, 1]:
        raise RuntimeError(
            f"{folder}: transformer-lens {version('transformer-lens')} turns other pairs of rotary "
            "dimensions than (2i, 2i+1), which load.py is made for"
        )


def shortformer(cfg, device):
    """A bridge for positions that are added to what queries and keys read, not to the stream: version
    4 has none of its own."""
    from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module
    from transformer_lens.model_bridge.sources.native import NativeModel

    class Reading(torch.nn.Linear):
        """A projection of x + positions."""

        def forward(self, x):
            return super().forward(x + self.model[0].positions)

    class Shortformer(NativeModel):
        def __init__(self, cfg):
            super().__init__(cfg)
            for block in self.layers:
                for name in ("q", "k"):
                    reading = Reading(cfg.d_model, cfg.n_heads * cfg.d_head)
                    reading.model = [self]  # in a list, so that it is no submodule
                    setattr(block.attn, name, reading)

        def forward(self, input_ids=None, attention_mask=None, position_ids=None, **others):
            x = others.get("inputs_embeds")
            x = self.tok_embed(input_ids) if x is None else x
            if position_ids is None:
                position_ids = torch.arange(x.shape[1], device=x.device).expand(x.shape[:2])
            self.positions = self.pos(position_ids)
            for block in self.layers:
                (x,) = block(x, attention_mask=attention_mask, position_ids=position_ids)
            return self.head(self.ln_out(x))

    model = Shortformer(cfg).to(device)
    cfg.positional_embedding_type = "shortformer"
    return build_bridge_from_module(
        model, "TransformerLensNative", tl_config=cfg, device=device, model_name="lookback"
    )


if __name__ == "__main__":
    print(load())
