"""Writes src/autotuner/catalog/configs.json from a folder of Hugging Face config files.

The files are named ORG--NAME_config.json, with ORG--NAME_hf_quant_config.json beside them where the
format of the weights lies there. Only what `catalog.introspect` reads is kept.

    python scripts/catalog_models.py FOLDER
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from autotuner.catalog.introspect import READ_KEYS

TARGET = Path(__file__).parents[1] / "src" / "autotuner" / "catalog" / "configs.json"
KEPT_WHOLE = ("architectures", "layer_types", "quantization_config")
SUFFIX, QUANTISED = "_config.json", "_hf_quant_config.json"


def kept(config: dict[str, Any]) -> dict[str, Any]:
    """The keys that are read, the text model's own ones from its part."""
    flat = {**config, **config.get("text_config", {})}
    flat["architectures"] = config.get("architectures")
    found = {key: flat[key] for key in READ_KEYS if flat.get(key) is not None}
    raw = config.get("quantization_config") or flat.get("quantization_config") or {}
    if raw:
        found["quantization_config"] = raw
    if "layer_types" in found:
        found["layer_types"] = dict(Counter(found["layer_types"]))
    for key, value in found.items():
        if isinstance(value, dict | list) and key not in KEPT_WHOLE:
            found[key] = True
    return found


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
