"""Loads exports with the libraries they are for, and holds what they compute against lookback's.

    python3 tests/reference/check_libraries.py transformer-lens|transformer-lens-4|torch|huggingface FOLDER...

A FOLDER holds an export and expected.safetensors, written by lookback: tokens [B,T] and every
activation of theirs by its name, [B,T,D] for streams and logits, [B,H,T,...] for heads. Every name
must be one that the library shows, unless said otherwise here, and every number within TOLERANCE.
Prints one line per folder. Exit status: 0 all agree, 1 a difference too large, 2 unusable input,
77 skipped, for want of a library.
"""

import importlib.metadata
import importlib.util
import pathlib
import sys

TOLERANCE = 1e-4  # largest difference of any activation; they are of size 1 to 30
SQUARE = ("hook_attn_scores", "hook_pattern")  # [B,H,T,T] there as here
PER_HEAD = ("hook_q", "hook_k", "hook_v", "hook_z", "hook_rot_q", "hook_rot_k", "hook_result")
PER_HEAD += ("hook_smeared_k", "hook_q_input", "hook_k_input", "hook_v_input")

try:
    import torch
    from safetensors.torch import load_file
except ImportError as missing:
    print(f"check_libraries.py: skipped, {missing}")
    sys.exit(77)


def major_version(package):
    """0: it is not installed."""
    try:
        return int(importlib.metadata.version(package).partition(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return 0


def module_in(folder, name):
    """The Python file of an export, imported."""
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_ours(name, value):
    """The library's activation in the shape of lookback's: heads before positions."""
    return value.transpose(1, 2) if name.endswith(PER_HEAD) else value


class Comparison:
    """Differences by name between one export's run in its library and lookback's."""

    def __init__(self, folder):
        self.expected = load_file(folder / "expected.safetensors")
        self.tokens = self.expected.pop("tokens").long()
        self.differences = {}
        self.faults = []

    def compare(self, name, theirs):
        ours, theirs = self.expected[name], as_ours(name, theirs.detach())
        if ours.shape != theirs.shape:
            self.faults.append(f"{name} is {list(theirs.shape)}, not {list(ours.shape)}")
            return
        if name.endswith("hook_attn_scores"):  # -infinity above the diagonal
            if not torch.equal(ours.isinf(), theirs.isinf()):
                self.faults.append(f"{name} is masked elsewhere")
            ours, theirs = ours.tril(), theirs.tril()
        self.differences[name] = (ours - theirs).abs().max().item()

    def leave_out(self, endings):
        """What the library cannot show."""
        self.expected = {n: v for n, v in self.expected.items() if not n.endswith(endings)}

    def verdict(self, folder):
        """Prints the line; whether all is well."""
        missing = self.expected.keys() - self.differences.keys()
        faults = self.faults + [f"nothing shown for {name}" for name in sorted(missing)]
        for name, found in self.differences.items():
            if not found <= TOLERANCE:
                faults.append(f"{name} differs by {found:.1e}")
        worst = max(self.differences, key=self.differences.get)
        print(
            f"{folder.name}: {len(self.differences)} activations, largest difference "
            f"{self.differences[worst]:.1e} ({worst}), logits {self.differences['logits']:.1e}",
            *(f"; {fault}" for fault in faults),
        )
        return not faults


def after_weights(norm, value):
    """TransformerLens shows hook_normalized before the norm's weights (LayerNorm's in versions below
    3: after them), lookback always after them."""
    shown = []
    handle = norm.hook_normalized.register_forward_hook(lambda *args: shown.append(args[2]))
    sample = torch.randn(1, 3, norm.w.shape[0])
    whole = norm(sample)
    handle.remove()
    if torch.equal(shown[0], whole):
        return value
    return value * norm.w + getattr(norm, "b", 0)


def refusal(load, folder):
    """What the RuntimeError of a load says; "" where it loads."""
    try:
        load(folder)
    except RuntimeError as error:
        return str(error)
    return ""


def run_in_transformer_lens(folder, comparison):
    """The model and its activations. Versions that load.py was not made for must be refused."""
    module = module_in(folder, "load")
    true_version = module.version
    for unknown in ("1.19.0", "5.0", "40.1"):
        module.version = lambda package, unknown=unknown: unknown
        said = refusal(module.load, folder)
        if unknown not in said or "2, 3, 4" not in said:
            comparison.faults.append(f"version {unknown} is not refused: '{said}'")
    module.version = true_version
    model = module.load(folder)
    logits, cache = model.run_with_cache(comparison.tokens)
    comparison.compare("logits", logits)
    return model, cache


def check_transformer_lens(folder, comparison):
    model, cache = run_in_transformer_lens(folder, comparison)
    model.set_use_split_qkv_input(True)  # the inputs of single heads, and what each head writes
    model.set_use_attn_result(True)
    _, split = model.run_with_cache(comparison.tokens)
    by_head = ("_input", "hook_result")
    for name in comparison.expected.keys() - {"logits"}:
        shown = split if name.endswith(by_head) else cache
        if name not in shown:
            continue
        value = shown[name]
        if name.endswith("hook_normalized"):
            value = after_weights(model.get_submodule(name.rpartition(".")[0]), value)
        comparison.compare(name, value)


def check_other_pairs(folder, comparison):
    """A version that turned other pairs of rotary dimensions must be refused, not computed with."""
    from transformer_lens.model_bridge.sources.native.model import NativeRotary

    turn = NativeRotary._rotate_half
    NativeRotary._rotate_half = staticmethod(lambda x: turn(x).roll(1, -1))
    if "turns other pairs" not in refusal(module_in(folder, "load").load, folder):
        comparison.faults.append("other pairs of rotary dimensions are not refused")
    NativeRotary._rotate_half = staticmethod(turn)


def check_transformer_lens_4(folder, comparison):
    """A TransformerBridge around its native module shows no rotated queries and keys, no inputs or results
    of single heads, and the pattern under the name of the scores."""
    model, cache = run_in_transformer_lens(folder, comparison)
    comparison.leave_out(("hook_rot_q", "hook_rot_k", "_input", "hook_result", "hook_attn_scores"))
    rotary = model.cfg.positional_embedding_type == "rotary"
    if rotary:
        check_other_pairs(folder, comparison)
    half = model.cfg.d_head // 2
    for name in comparison.expected.keys() - {"logits"}:
        shown = name.replace("hook_normalized", "hook_out")  # after the norm's weights, as ours
        if shown not in cache:
            continue
        value = cache[shown]
        if rotary and name.endswith(("attn.hook_q", "attn.hook_k")):  # in the order of its pairs
            value = value.unflatten(-1, (half, 2)).transpose(-1, -2).flatten(-2)
        comparison.compare(name, value)


def check_torch(folder, comparison):
    model = module_in(folder, "model").load(folder)
    logits, cache = model.run_with_cache(comparison.tokens)
    if not torch.equal(logits, model(comparison.tokens)):
        comparison.faults.append("without the cache the logits are others")
    for name in cache.keys() & comparison.expected.keys():
        comparison.compare(name, cache[name])
    for name in sorted(cache.keys() - comparison.expected.keys()):
        comparison.faults.append(f"{name} is no name of lookback's")


def check_huggingface(folder, comparison):
    from transformers import GPT2LMHeadModel

    model, info = GPT2LMHeadModel.from_pretrained(
        folder, output_loading_info=True, attn_implementation="eager"
    )
    comparison.faults += [f"{key}: {sorted(found)}" for key, found in info.items() if found]
    model.eval()
    run = model(comparison.tokens, output_hidden_states=True, output_attentions=True)
    comparison.compare("logits", run.logits)
    for layer, pattern in enumerate(run.attentions):
        comparison.compare(f"blocks.{layer}.attn.hook_pattern", pattern)
        comparison.compare(f"blocks.{layer}.hook_resid_pre", run.hidden_states[layer])
    comparison.compare("ln_final.hook_normalized", run.hidden_states[-1])
    # It shows no more than these.
    comparison.expected = {name: comparison.expected[name] for name in comparison.differences}


CHECKS = {
    "transformer-lens": check_transformer_lens,
    "transformer-lens-4": check_transformer_lens_4,
    "torch": check_torch,
    "huggingface": check_huggingface,
}


# What a check is for; without it the check is skipped.
NEEDED = {
    "transformer-lens": ("transformer-lens", (2, 3)),
    "transformer-lens-4": ("transformer-lens", (4,)),
    "huggingface": ("transformers", (4, 5)),
}


def check(folder, run):
    comparison = Comparison(folder)
    with torch.no_grad():
        run(folder, comparison)
    return comparison.verdict(folder)


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in CHECKS:
        print(f"usage: check_libraries.py {'|'.join(CHECKS)} FOLDER...", file=sys.stderr)
        return 2
    package, versions = NEEDED.get(arguments[0], ("torch", (2,)))
    if major_version(package) not in versions:
        print(f"check_libraries.py: skipped, {package} {' or '.join(map(str, versions))} is missing")
        return 77
    torch.manual_seed(0)
    torch.set_num_threads(1)
    try:
        run = CHECKS[arguments[0]]
        return 0 if all([check(pathlib.Path(folder), run) for folder in arguments[1:]]) else 1
    except (ImportError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        print(f"check_libraries.py: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
