"""Loads the tokenizer of an export for Hugging Face with transformers, and holds its tokens against
lookback's.

    python3 tests/reference/check_huggingface_tokenizer.py FOLDER

FOLDER holds the export with its tokenizer, and tokens.jsonl, a line {"text", "ids"} each, written by
lookback. Every text must have these ids, and these ids this text; the end of a text must have the
same id for the tokenizer, the configuration and generate().
Prints one line. Exit status: 0 all agree, 1 a difference, 77 skipped, for want of transformers.
"""

import json
import pathlib
import sys

try:
    from transformers import AutoTokenizer, GPT2LMHeadModel, PreTrainedTokenizerFast
except ImportError as missing:
    print(f"check_huggingface_tokenizer.py: skipped, {missing}")
    sys.exit(77)

END = "<|endoftext|>"


def text_faults(tokenizer, folder):
    """One line for each text that is split in another way; and how many texts there are."""
    cases = [json.loads(line) for line in (folder / "tokens.jsonl").read_bytes().splitlines()]
    # The end of a text is a token to transformers, and to lookback only if asked for.
    cases = [case for case in cases if END not in case["text"]]
    encoded = tokenizer([case["text"] for case in cases])["input_ids"]
    decoded = tokenizer.batch_decode([case["ids"] for case in cases])
    faults = []
    for case, ids, text in zip(cases, encoded, decoded):
        if ids != case["ids"]:
            faults.append(f"other tokens of {case['text']!a:.80}")
        if text != case["text"]:
            faults.append(f"another text for the tokens of {case['text']!a:.80}")
    return faults, len(cases)


def end_faults(tokenizer, folder):
    end = tokenizer.convert_tokens_to_ids(END)
    model = GPT2LMHeadModel.from_pretrained(folder)
    found = {
        "tokens": tokenizer(f"a{END}")["input_ids"][-1],
        "tokenizer.bos_token_id": tokenizer.bos_token_id,
        "tokenizer.eos_token_id": tokenizer.eos_token_id,
        "config.bos_token_id": model.config.bos_token_id,
        "config.eos_token_id": model.config.eos_token_id,
        "generation_config.bos_token_id": model.generation_config.bos_token_id,
        "generation_config.eos_token_id": model.generation_config.eos_token_id,
    }
    faults = [f"{where}: {id}, not {end}" for where, id in found.items() if id != end]
    if tokenizer.model_max_length != model.config.n_positions:
        faults.append(f"model_max_length is {tokenizer.model_max_length}")
    return faults


def main():
    folder = pathlib.Path(sys.argv[1])
    faults = []
    for kind in (AutoTokenizer, PreTrainedTokenizerFast):
        tokenizer = kind.from_pretrained(folder)
        found, count = text_faults(tokenizer, folder)
        faults += [f"{kind.__name__}: {fault}" for fault in found + end_faults(tokenizer, folder)]
    print(f"{folder.name}: {count} texts, {len(faults)} faults", *faults[:5], sep="; ")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
