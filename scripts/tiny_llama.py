"""Makes a tiny Llama with random weights and a byte-level tokenizer, to serve where no hub is.

.venv/engines/vllm/bin/python scripts/tiny_llama.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

VOCABULARY = 8192
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}


def tokenizer() -> PreTrainedTokenizerFast:
    """All bytes, then words that stand for nothing; ids reach to the end of the vocabulary."""
    words = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    words += [f"word{number}" for number in range(len(words), VOCABULARY)]
    inner = Tokenizer(models.BPE(vocab={word: n for n, word in enumerate(words)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(tokenizer_object=inner, **SPECIAL)
    made.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    return made


def main(folder: Path) -> None:
    """Writes the model folder."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=256,
        intermediate_size=688,
        num_hidden_layers=4,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=2048,
        bos_token_id=0,
        eos_token_id=1,
        dtype="bfloat16",
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    print(f"a tiny Llama lies in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
