"""Makes models with other libraries, at random weights, for lookback to import.

    python3 tests/reference/make_models.py huggingface FOLDER
        GPT2LMHeadModels, saved by transformers itself: FOLDER/tied, FOLDER/untied
    python3 tests/reference/make_models.py transformer-lens FOLDER
        every export in FOLDER, its weights replaced by random ones and saved with the buffers

Exit status: 0 done, 2 wrong usage, 77 skipped, for want of a library.
"""

import importlib.util
import pathlib
import sys

try:
    import torch
    from safetensors.torch import save_file
except ImportError as missing:
    print(f"make_models.py: skipped, {missing}")
    sys.exit(77)


def randomize(model):
    """Parameters away from where they start: biases are zero there, norms' weights one."""
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3)


def make_huggingface(folder):
    from transformers import GPT2Config, GPT2LMHeadModel

    for name, tied in (("tied", True), ("untied", False)):
        config = GPT2Config(
            vocab_size=23, n_positions=20, n_embd=24, n_layer=3, n_head=4, tie_word_embeddings=tied
        )
        model = GPT2LMHeadModel(config)
        randomize(model)
        model.save_pretrained(folder / name)


def make_transformer_lens(folder):
    for export in folder.iterdir():
        spec = importlib.util.spec_from_file_location("load", export / "load.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        model = module.load(export)
        randomize(model)
        model.unembed.b_U.data.zero_()
        state = {name: values.contiguous() for name, values in model.state_dict().items()}
        save_file(state, export / "model.safetensors")


MAKERS = {"huggingface": make_huggingface, "transformer-lens": make_transformer_lens}


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in MAKERS:
        print(f"usage: make_models.py {'|'.join(MAKERS)} FOLDER", file=sys.stderr)
        return 2
    torch.manual_seed(0)
    try:
        with torch.no_grad():
            MAKERS[arguments[0]](pathlib.Path(arguments[1]))
    except ImportError as missing:
        print(f"make_models.py: skipped, {missing}")
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
