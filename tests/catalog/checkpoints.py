"""Configurations of checkpoints that tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

QUANTIZED: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "quantization_configs.yaml").read_text("utf-8")
)
LLAMA_70B: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8192,
    "intermediate_size": 28672,
    "num_hidden_layers": 80,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131072,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
}
LLAMA_405B = LLAMA_70B | {
    "hidden_size": 16384,
    "intermediate_size": 53248,
    "num_hidden_layers": 126,
    "num_attention_heads": 128,
}
