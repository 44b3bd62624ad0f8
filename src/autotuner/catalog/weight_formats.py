"""From bits, type and block, as configurations spell them, to a `WeightFormat`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from autotuner.catalog.quantization import PLAIN, WeightFormat
from autotuner.config.tables import packaged_table

Fields = Mapping[str, Any]


@functools.cache
def table() -> Mapping[str, Any]:
    """The whole of `quantization.yaml`."""
    found: Mapping[str, Any] = packaged_table("autotuner.catalog", "quantization")
    return found


def spelled(fields: Fields, what: str) -> Any:
    """The value of a key, by any of its spellings; None where there is none."""
    names = table()["keys"][what]
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def weight_format(fields: Fields) -> WeightFormat:
    """The format of a row of the table, or of a configuration's fields over it.

    Raises:
        ValueError: bits are missing, or a number is none.
    """
    bits = float(fields["bits"])
    if bits >= 16:
        return PLAIN
    block = fields.get("block") or (1, fields.get("group") or 0)
    outputs, inputs = (int(side) for side in block)
    blocks = (outputs, inputs) if outputs > 0 and inputs > 0 else None
    activations = fields.get("activations")
    scale = float(fields.get("scale") or (0 if blocks is None else 16))
    if blocks is not None and fields.get("zero_points"):
        scale += bits
    mode = _mode(bits, str(fields["type"]), blocks, activations, bool(fields.get("static")))
    return WeightFormat(mode, bits, blocks, scale if blocks else 0.0, activations)


def overlaid(method: Fields, said: Fields) -> dict[str, Any]:
    """A row of the table with what a configuration says in its own spelling."""
    found = dict(method)
    if (bits := spelled(said, "bits")) is not None:
        found["bits"] = bits
    if (group := spelled(said, "group")) is not None:
        # A pair is a block of outputs x inputs.
        found |= {"block": group} if isinstance(group, list) else {"group": group}
    if isinstance(block := spelled(said, "block"), list | str):
        found["block"] = block.split("x") if isinstance(block, str) else block
    return found


def named_type(name: Any) -> dict[str, Any] | None:
    """Bits, type and group of a data type by its name."""
    found: dict[str, Any] | None = table()["types"].get(str(name).lower())
    return found


def _mode(
    bits: float,
    kind: str,
    block: tuple[int, int] | None,
    activations: str | None,
    static: bool,
) -> str:
    """The mode of aiconfigurator's that is nearest: as wide, and computed in the same format."""
    if kind == "float" and bits > 4:
        if block is not None and block[0] > 1:
            return "fp8_block"
        return "fp8_static" if static else "fp8"
    if kind == "float":
        if block is not None and block[1] == 16:
            return "nvfp4"
        return "w4a8_mxfp4_mxfp8" if activations == "fp8" else "w4a16_mxfp4"
    if bits > 4:
        return "sq" if activations == "int8" else "int8_wo"
    return "w4afp8" if activations == "fp8" else "int4_wo"
