"""Holds tokens of lookback against those of the packages tokenizers and tiktoken.

    python3 tests/reference/check_tokens.py FOLDER

FOLDER holds tokenizer.json and tokens.jsonl, a line {"text", "ids"} each, written by lookback. Every
text must have these ids in both packages, and in tokenizers this text again. Where there is
training.txt, tokenizers must learn from it the merges that tokenizer.json has.
Prints one line. Exit status: 0 all agree, 1 a difference, 77 skipped, for want of a package.
"""

import json
import pathlib
import sys

try:
    import tiktoken
    import tokenizers
except ImportError as missing:
    print(f"check_tokens.py: skipped, {missing}")
    sys.exit(77)

PATTERN = (
    r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""  # GPT-2's
)
END = "<|endoftext|>"


def byte_of_characters():
    """Characters of the files of byte-level BPE and the bytes they stand for."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    characters = {chr(byte): byte for byte in plain}
    return characters | {chr(0x100 + i): byte for i, byte in enumerate(others)}


def as_tiktoken(model):
    """The vocabulary as tiktoken's encoding: ids are ranks."""
    byte_of = byte_of_characters()
    ranks = {
        bytes(byte_of[character] for character in text): rank
        for text, rank in model["vocab"].items()
        if text != END
    }
    return tiktoken.Encoding(
        "lookback", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={END: model["vocab"][END]}
    )


def learnt_merges(folder, size):
    """What tokenizers learns from training.txt."""
    learner = tokenizers.Tokenizer(tokenizers.models.BPE())
    learner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=[END],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    text = (folder / "training.txt").read_text(encoding="utf-8")
    learner.train_from_iterator([text], trainer)
    merges = json.loads(learner.to_str())["model"]["merges"]
    return [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]


def main():
    folder = pathlib.Path(sys.argv[1])
    model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    theirs = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs.encode_special_tokens = True  # texts of special tokens are text
    other = as_tiktoken(model)
    faults, count = [], 0
    for line in (folder / "tokens.jsonl").read_bytes().splitlines():
        case = json.loads(line)
        count += 1
        if theirs.encode(case["text"]).ids != case["ids"]:
            faults.append(f"tokenizers differs on {case['text']!a:.80}")
        if theirs.decode(case["ids"], skip_special_tokens=False) != case["text"]:
            faults.append(f"tokenizers does not give {case['text']!a:.80} back")
        if other.encode_ordinary(case["text"]) != case["ids"]:
            faults.append(f"tiktoken differs on {case['text']!a:.80}")
    learnt = "nothing learnt"
    if (folder / "training.txt").exists():
        merges = learnt_merges(folder, len(model["vocab"]))
        learnt = f"{len(merges)} merges learnt"
        if merges != model["merges"]:
            faults.append("tokenizers learns other merges")
    print(f"{folder.name}: {count} texts, {learnt}", *faults[:5], sep="; ")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
