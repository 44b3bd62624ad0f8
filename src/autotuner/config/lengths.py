"""Request lengths: how many tokens go in and come out, in genai-bench's notation.

`D(128,32)` always 128 in and 32 out; `N(480,240)/(300,150)` normal, mean and standard deviation
of input and output; `U(50,100)/(200,250)` uniform, smallest and largest of input and output.
"""

from __future__ import annotations

import math
import random
import re
from decimal import Decimal
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from autotuner.config.document import LARGEST

_PAIR = r"\(\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*\)"
_NOTATION = re.compile(rf"\s*(?:(D)\s*{_PAIR}|([NU])\s*{_PAIR}\s*/\s*{_PAIR})\s*")
_NORMAL_CUT_STD = 3.0


class LengthDistribution(BaseModel):
    """Token counts of a request, drawn independently for input and output.

    Attributes:
        kind: `D` deterministic, `N` normal, `U` uniform.
        input, output: D: (tokens, tokens); N: (mean, std); U: (smallest, largest).

    A normal draw is rounded, cut at three standard deviations and never below 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["D", "N", "U"]
    input: tuple[float, float]
    output: tuple[float, float]

    @classmethod
    def parse(cls, text: str) -> LengthDistribution:
        """Reads the notation.

        Raises:
            ValueError: not the notation, a length below 1, or a smallest above a largest.
        """
        match = _NOTATION.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is no length distribution; write D(isl,osl), N(mean,std)/(mean,std) "
                "or U(min,max)/(min,max)"
            )
        if match.group(1):
            isl, osl = float(match.group(2)), float(match.group(3))
            return cls(kind="D", input=(isl, isl), output=(osl, osl))
        numbers = [float(match.group(i)) for i in range(5, 9)]
        kind: Literal["N", "U"] = "N" if match.group(4) == "N" else "U"
        return cls(kind=kind, input=(numbers[0], numbers[1]), output=(numbers[2], numbers[3]))

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return cls.parse(value).__dict__ if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> LengthDistribution:
        for name, (first, second) in (("input", self.input), ("output", self.output)):
            if first < 1:
                raise ValueError(f"{name} length {first:g} is below 1 token")
            if max(first, second) > LARGEST:
                raise ValueError(f"{name}: {max(first, second):g} tokens are more than any model's")
            if second < 0:
                raise ValueError(f"{name}: {second:g} is below 0")
            if self.kind == "U" and second < first:
                raise ValueError(f"{name}: smallest {first:g} is above largest {second:g}")
        return self

    @model_serializer
    def _to_text(self) -> str:
        return str(self)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        found = handler(schema)
        whole = handler.resolve_ref_schema(found)
        as_mapping = dict(whole)
        whole.clear()
        text = {"type": "string", "pattern": f"^{_NOTATION.pattern}$"}
        parts: dict[str, Any] = {
            key: as_mapping.pop(key) for key in ("title", "description") if key in as_mapping
        }
        whole |= {**parts, "anyOf": [text, as_mapping]}
        return found

    def __str__(self) -> str:
        a, b, c, d = map(_number, (*self.input, *self.output))
        return f"D({a},{c})" if self.kind == "D" else f"{self.kind}({a},{b})/({c},{d})"

    def draw(self, rng: random.Random) -> tuple[int, int]:
        """One request's (input, output) tokens, each at least 1."""
        return self._one(self.input, rng), self._one(self.output, rng)

    def output_spread(self) -> float:
        """Standard deviation of output tokens over their mean, but for cuts and rounding."""
        first, second = self.output
        if self.kind == "D":
            return 0.0
        std = second if self.kind == "N" else (second - first) / math.sqrt(12)
        return std / self.mean()[1]

    def largest(self) -> int:
        """The most tokens (input + output) that one request can have."""
        return self.largest_input() + self.largest_output()

    def largest_input(self) -> int:
        """The most input tokens."""
        return self._largest(self.input)

    def largest_output(self) -> int:
        """The most output tokens."""
        return self._largest(self.output)

    def _largest(self, pair: tuple[float, float]) -> int:
        first, second = pair
        return round(first + _NORMAL_CUT_STD * second if self.kind == "N" else second)

    def mean(self) -> tuple[float, float]:
        """Mean (input, output) tokens."""
        if self.kind == "U":
            return sum(self.input) / 2, sum(self.output) / 2
        return self.input[0], self.output[0]

    def _one(self, pair: tuple[float, float], rng: random.Random) -> int:
        first, second = pair
        if self.kind == "D":
            return round(first)
        if self.kind == "U":
            return rng.randint(round(first), round(second))
        cut = _NORMAL_CUT_STD * second
        return max(1, round(min(max(rng.gauss(first, second), first - cut), first + cut)))


def _number(value: float) -> str:
    """As the notation has it, without an exponent, and with every digit."""
    return f"{Decimal(repr(value)):f}".removesuffix(".0")
