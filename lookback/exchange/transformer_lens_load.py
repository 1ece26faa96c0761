"""A HookedTransformer from the config.json and model.safetensors beside this file.

    from load import load          # or: python load.py
    model = load()
    logits, cache = model.run_with_cache(tokens)

Nothing is folded or centred: the weights are as trained. Needs safetensors, and transformer-lens
below 4: that version has no HookedTransformer any more.
"""

import json
from pathlib import Path

from safetensors.torch import load_file
from transformer_lens import HookedTransformer, HookedTransformerConfig


def load(folder=Path(__file__).parent, device="cpu", **config):
    """The model, for evaluation. `config` sets further fields, such as use_attn_result=True.

    Raises ValueError where the names of the weights are not exactly those of the model.
    """
    fields = json.loads((Path(folder) / "config.json").read_text())
    model = HookedTransformer(HookedTransformerConfig(**(fields | config), device=device))
    # Masks and rotary tables are constants of the configuration: this TransformerLens made its own.
    constants = dict(model.named_buffers()).keys()
    parameters = model.state_dict().keys() - constants
    stored = load_file(Path(folder) / "model.safetensors", device=device)
    weights = {name: values for name, values in stored.items() if name not in constants}
    if weights.keys() != parameters:
        missing = sorted(parameters - weights.keys())
        unexpected = sorted(weights.keys() - parameters)
        raise ValueError(f"{folder}: missing weights {missing}, unexpected weights {unexpected}")
    model.load_state_dict(weights, strict=False)
    return model.eval()


if __name__ == "__main__":
    print(load())
