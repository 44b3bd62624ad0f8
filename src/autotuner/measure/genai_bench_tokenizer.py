"""Writes the tokenizer inside a GGUF file as a Hugging Face tokenizer folder.

Run by the Python of the environment in which genai-bench is installed, which has the libraries:
`python genai_bench_tokenizer.py MODEL.gguf FOLDER`. Byte-level BPE only, as nearly all GGUF
models have.
"""

from __future__ import annotations

import sys
from typing import Any


def main(model: str, folder: str) -> int:
    """Reads, converts, writes; 2 and a line on stderr where it cannot."""
    from gguf import GGUFReader
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    fields = GGUFReader(model).fields

    def texts(key: str) -> list[str]:
        field: Any = fields[key]
        return [bytes(field.parts[place]).decode("utf-8", "replace") for place in field.data]

    if "tokenizer.ggml.merges" not in fields:
        print("the tokenizer inside the GGUF file is no byte-level BPE", file=sys.stderr)
        return 2
    tokens = texts("tokenizer.ggml.tokens")
    merges = [tuple(line.split(" ", 1)) for line in texts("tokenizer.ggml.merges")]
    inner = Tokenizer(models.BPE(vocab={t: n for n, t in enumerate(tokens)}, merges=merges))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=inner).save_pretrained(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
