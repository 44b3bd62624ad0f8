"""Requests with exact lengths and prompts that no prefix cache has seen."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass

from autotuner.config import LengthDistribution

# Below it lie the special and single-byte tokens of the usual tokenizers; 8,192 is a vocabulary
# that nearly every model exceeds.
FIRST_PLAIN_TOKEN = 300
SAFE_VOCABULARY = 8192
_UNIQUE_PREFIX_TOKENS = 3


_POOL_PROMPTS, _SMALLEST_POOL, _LARGEST_POOL = 8, 256, 1 << 16
"""Tokens of the text that prompts are cut out of: of so many mean prompts, within these."""


@dataclass(frozen=True)
class Request:
    """One request to send: token ids in, the number of tokens to ask for.

    `prompt_json` is the inside of a JSON array of `input_tokens` ids.
    """

    prompt_json: bytes
    input_tokens: int
    output_tokens: int

    @property
    def prompt(self) -> tuple[int, ...]:
        """The token ids."""
        return tuple(json.loads(b"[%b]" % self.prompt_json))


class PromptSource:
    """Endless requests, the same ones for the same seed; no two share their first tokens.

    Prompts are token ids, so their length is exact whatever the tokenizer does with text. What
    takes time, drawing and encoding tokens, is done when the source is made: a prompt is a
    beginning of its own, which no prefix cache has seen, and a cut out of one random text.

    Args:
        vocabulary: ids lie between the special tokens and this; the served model's size, or
            `SAFE_VOCABULARY` where it is not known.
    """

    def __init__(
        self, lengths: LengthDistribution, *, seed: int, vocabulary: int = SAFE_VOCABULARY
    ) -> None:
        self._lengths = lengths
        self._rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
        first = FIRST_PLAIN_TOKEN if vocabulary > 2 * FIRST_PLAIN_TOKEN else 0
        self._tokens = range(first, vocabulary)
        # All tokens take the same number of bytes, so that a cut needs no search for its edges.
        self._width = len(str(vocabulary)) + 1
        mean = math.ceil(lengths.mean()[0])
        self._size = min(max(_POOL_PROMPTS * mean, _SMALLEST_POOL), _LARGEST_POOL)
        drawn = self._rng.choices(self._tokens, k=self._size)
        self._pool = b"".join(map(self._encoded, drawn))
        self._seen: set[tuple[int, ...]] = set()

    def draw(self) -> Request:
        """The next request. A prompt of fewer than three tokens may repeat."""
        input_tokens, output_tokens = self._lengths.draw(self._rng)
        beginning = self._beginning(min(input_tokens, _UNIQUE_PREFIX_TOKENS))
        prompt = b"".join(map(self._encoded, beginning)) + self._cut(input_tokens - len(beginning))
        return Request(prompt[:-1], input_tokens, output_tokens)

    def _beginning(self, tokens: int) -> tuple[int, ...]:
        drawn = tuple(self._rng.choices(self._tokens, k=tokens))
        while tokens >= _UNIQUE_PREFIX_TOKENS and drawn in self._seen:
            drawn = tuple(self._rng.choices(self._tokens, k=tokens))
        self._seen.add(drawn)
        return drawn

    def _cut(self, tokens: int) -> bytes:
        place = self._rng.randrange(self._size)
        left, cut = tokens, []
        while left > 0:
            taken = min(left, self._size - place)
            cut.append(self._pool[place * self._width : (place + taken) * self._width])
            left, place = left - taken, 0
        return b"".join(cut)

    def _encoded(self, token: int) -> bytes:
        return b"%*d," % (self._width - 1, token)
