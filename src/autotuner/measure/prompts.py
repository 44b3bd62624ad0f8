"""Requests with exact lengths and prompts that no prefix cache has seen."""

from __future__ import annotations

import random
from dataclasses import dataclass

from autotuner.config import LengthDistribution

# Below it lie the special and single-byte tokens of the usual tokenizers; 8,192 is a vocabulary
# that nearly every model exceeds.
FIRST_PLAIN_TOKEN = 300
SAFE_VOCABULARY = 8192
_UNIQUE_PREFIX_TOKENS = 3


@dataclass(frozen=True)
class Request:
    """One request to send: token ids in, the number of tokens to ask for."""

    prompt: tuple[int, ...]
    output_tokens: int


class PromptSource:
    """Endless requests, the same ones for the same seed; no two share their first tokens.

    Prompts are token ids, so their length is exact whatever the tokenizer does with text.

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
        self._seen: set[tuple[int, ...]] = set()

    def draw(self) -> Request:
        """The next request. A prompt of fewer than three tokens may repeat."""
        input_tokens, output_tokens = self._lengths.draw(self._rng)
        prompt = tuple(self._rng.choices(self._tokens, k=input_tokens))
        while len(prompt) >= _UNIQUE_PREFIX_TOKENS and prompt[:_UNIQUE_PREFIX_TOKENS] in self._seen:
            prompt = tuple(self._rng.choices(self._tokens, k=input_tokens))
        self._seen.add(prompt[:_UNIQUE_PREFIX_TOKENS])
        return Request(prompt, output_tokens)
