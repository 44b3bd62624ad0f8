"""Writes src/autotuner/catalog/configs.json from a folder of Hugging Face config files.

The files are named ORG--NAME_config.json, with ORG--NAME_hf_quant_config.json beside them where the
format of the weights lies there. What decides size and shape is kept.

    python scripts/catalog_models.py FOLDER
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from autotuner.catalog.model_config import text_of

TARGET = Path(__file__).parents[1] / "src" / "autotuner" / "catalog" / "configs.json"
LEFT_OUT = ("_token_id", "_dropout", "_range", "_eps", "_bias", "_act", "_version", "_type_ids")
"""Ends of keys that decide neither size nor shape."""
LONGEST = 200
SUFFIX, QUANTISED = "_config.json", "_hf_quant_config.json"


def kept(config: dict[str, Any]) -> dict[str, Any]:
    """Numbers, words and short lists of the language model, in one spelling; its architecture."""
    text = text_of(config)
    text["architectures"] = config.get("architectures")
    found = {key: value for key, value in text.items() if not key.endswith(LEFT_OUT)}
    raw = config.get("quantization_config") or text.get("quantization_config") or {}
    if raw:
        found["quantization_config"] = raw
    if isinstance(found.get("layer_types"), list):
        found["layer_types"] = dict(Counter(found["layer_types"]))
    long = [k for k, v in found.items() if isinstance(v, list) and len(v) > LONGEST]
    return {key: value for key, value in found.items() if key not in long}


def main(folder: Path) -> None:
    """Reads all, writes one."""
    rows = {}
    for file in sorted(folder.glob("*" + SUFFIX)):
        if file.name.endswith(QUANTISED):
            continue
        config = json.loads(file.read_text(encoding="utf-8"))
        beside = file.with_name(file.name.replace(SUFFIX, QUANTISED))
        if beside.exists() and "quantization_config" not in config:
            config["quantization_config"] = json.loads(beside.read_text(encoding="utf-8"))
        rows[file.name.removesuffix(SUFFIX).replace("--", "/")] = kept(config)
    lines = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in rows.items())
    TARGET.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    print(f"{len(rows)} models -> {TARGET.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
