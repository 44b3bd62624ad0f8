"""Cost of tokens: of output, of input and of both, out of one price."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True)
class TokenCosts:
    """USD of a million tokens; None where no price is known.

    Tokens of each kind alone carry all that the devices cost: the three are three ways to read one
    bill, and never add up. Their reciprocals do: a dollar buys so many input and so many output
    tokens at once, and their sum is what it buys in total.

    Attributes:
        usd_per_million_tokens: over output tokens.
    """

    usd_per_million_tokens: float | None = None
    usd_per_million_input_tokens: float | None = None
    usd_per_million_total_tokens: float | None = None

    @classmethod
    def of_rate(
        cls, usd_per_hour: float | None, requests_per_s: float, isl: float, osl: float
    ) -> Self:
        """Costs of devices that answer so many requests a second.

        Args:
            usd_per_hour: of all devices; None where no price is known.
            isl, osl: mean tokens of a request.
        """
        tokens_per_s = requests_per_s * osl
        if usd_per_hour is None or not tokens_per_s > 0:
            return cls()
        return cls._of_output(usd_per_hour / (tokens_per_s * 3600) * 1e6, isl, osl)

    @classmethod
    def _of_output(cls, usd: float, isl: float, osl: float) -> Self:
        if not isl > 0:
            return cls(usd)
        return cls(usd, usd * osl / isl, usd * osl / (isl + osl))

    def to_json(self) -> dict[str, float | None]:
        """Fields of a document that has them beside others."""
        return asdict(self)


def token_costs(usd_per_million_tokens: float | None, isl: float, osl: float) -> TokenCosts:
    """All costs, from that of output tokens.

    Args:
        isl, osl: mean tokens of a request, or sums over some; `isl` is 0 where it is not known.
    """
    if usd_per_million_tokens is None or not osl > 0:
        return TokenCosts(usd_per_million_tokens)
    return TokenCosts._of_output(usd_per_million_tokens, isl, osl)
