"""Matrices that ranks share: equal parts, and whole blocks of what shares a scale. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from autotuner.catalog import ModelFacts
from autotuner.config import EXPERT_WIDTHS, Candidate
from autotuner.engines import ALL, TENSOR
from autotuner.space.context import WIDTHS, SpaceContext, Works, expert_ranks, width

_TP, _EP = WIDTHS[0], "parallel.moe_expert_parallel"
_BLOCKS = {"fp8_block": (128, 128)}
"""Blocks (outputs x inputs) of weight modes, where no checkpoint says its own."""


@dataclass(frozen=True)
class Split:
    """A side of a matrix that ranks share.

    Attributes:
        kind: of matrices, as a checkpoint's quantisation scheme has them.
        matrix: its name, in words.
        inputs: its inputs are shared, else its outputs.
        width: of that side, on all ranks together.
        copies: ranks above this number hold copies; None: there are none.
        merged: it is a part of a fused matrix.
    """

    kind: str
    matrix: str
    inputs: bool
    width: int
    copies: int | None = None
    merged: bool = False

    def part(self, over: int) -> float:
        """The width on each of so many ranks."""
        return self.width / min(over, self.copies or over)


def splits(facts: ModelFacts) -> Iterator[Split]:
    """Every side that is shared, as far as the model's widths are known."""
    inner = facts.moe_intermediate
    if facts.is_moe and inner:
        yield from _mlp("experts", "an expert", inner)
    dense = dict(facts.dense_parts)
    if facts.intermediate and ("mlp" in dense or facts.is_moe is False):
        yield from _mlp("mlp", "a dense layer", facts.intermediate)
    if facts.is_moe and facts.shared_intermediate:
        yield from _mlp("shared_experts", "the shared experts", facts.shared_intermediate)
    yield from _attention(facts)
    if facts.vocabulary and facts.quantization and facts.quantization.blocks("lm_head"):
        yield Split("lm_head", "lm_head", False, facts.vocabulary)


def _mlp(kind: str, whose: str, inner: int) -> Iterator[Split]:
    yield Split(kind, f"down_proj of {whose}", True, inner)
    yield Split(kind, f"gate_proj and up_proj of {whose}", False, inner, merged=True)


def _attention(facts: ModelFacts) -> Iterator[Split]:
    heads, kv_heads, size = facts.heads, facts.kv_heads, facts.head_size
    value = facts.value_size or size
    if not heads or not size or not value:
        return
    yield Split("attention", "o_proj", True, heads * value)
    if facts.is_mla:
        yield Split("attention", "q_b_proj", False, heads * size)
        return
    yield Split("attention", "q_proj", False, heads * size, merged=True)
    if kv_heads:
        yield Split("attention", "k_proj", False, kv_heads * size, kv_heads, merged=True)
        yield Split("attention", "v_proj", False, kv_heads * value, kv_heads, merged=True)


def blocks_reason(candidate: Candidate, context: SpaceContext, works: Works) -> str | None:
    """Which matrix is cut, and widths that would not; None where none is.

    Args:
        works: whether a changed candidate breaks no rule.
    """
    wrong = cut_matrix(candidate, context)
    return None if wrong is None else f"{wrong}{_remedy(candidate, context, works)}"


def cut_matrix(candidate: Candidate, context: SpaceContext) -> str | None:
    """Which matrix is cut in unequal parts, or within a block of FP8 or a group of integers."""
    for split in splits(context.facts):
        over = _ranks_of(split.kind, candidate, context)
        part = split.part(over)
        if over == 1 or (split.kind == "lm_head" and part != int(part)):
            continue
        columns = "columns" if split.inputs else "rows"
        shared = f"{split.matrix}: its {split.width} {columns} over {over} ranks"
        blocks = _blocks(split, candidate, context)
        if blocks is None:
            continue
        if part != int(part):
            return f"{shared} are no equal parts"
        if split.merged and not context.split.merged_whole:
            continue
        for outputs, inputs in blocks:
            unit = inputs if split.inputs else outputs
            grouped = outputs == 1
            # A group as wide as the matrix is one scale for each row, and has no parts.
            if int(part) % unit and not (grouped and unit >= split.width):
                what = "quantisation groups" if grouped else "FP8 blocks"
                return f"{shared} do not keep {what} of {unit} whole ({int(part)} each)"
    return None


def _blocks(
    split: Split, candidate: Candidate, context: SpaceContext
) -> tuple[tuple[int, int], ...] | None:
    """Blocks of a kind's matrices; None where the engine fills the last one up."""
    facts, asked = context.facts, candidate.quantization
    of_experts = split.kind == "experts"
    mode: str | None = asked.moe_mode if of_experts else asked.gemm_mode
    own = (facts.moe_format if of_experts else None) or facts.gemm_format
    scheme = facts.quantization
    if scheme is not None and mode in (None, own):
        formats = scheme.formats(split.kind)
        if any(form.mode in context.split.padded for form in formats):
            return None
        return scheme.blocks(split.kind)
    mode = mode or own
    if mode in context.split.padded:
        return None
    block = _BLOCKS.get(mode or "")
    return () if block is None or split.kind == "lm_head" else (block,)


def _ranks_of(kind: str, candidate: Candidate, context: SpaceContext) -> int:
    """How many ranks share a matrix."""
    parallel = candidate.parallel
    if kind == "experts":
        ep = parallel.moe_expert_parallel or parallel.expert_parallel
        return parallel.moe_tensor_parallel or max(expert_ranks(candidate) // width(ep), 1)
    over = context.split.over.get(kind, TENSOR)
    everywhere = over == ALL and context.facts.is_moe
    return expert_ranks(candidate) if everywhere else width(parallel.tensor_parallel)


def _remedy(candidate: Candidate, context: SpaceContext, works: Works) -> str:
    """Widths that work: the same with experts kept whole, or a narrower one."""
    settings = {
        path: value for path, value in candidate.settings().items() if path not in EXPERT_WIDTHS
    }
    every, experts = expert_ranks(candidate), context.facts.experts

    def works_with(changes: dict[str, int]) -> bool:
        return works(Candidate.from_settings({**settings, **changes}), context)

    ways = []
    if experts and experts % every == 0 and works_with({_EP: every}):
        ways.append(f"{_EP} {every} works")
    # Expert widths multiply to TP x DP: with another TP they are left to the engine.
    narrower = range(1, width(candidate.parallel.tensor_parallel))
    tensors = [str(tensor) for tensor in narrower if works_with({_TP: tensor})]
    if tensors:
        ways.append(f"{_TP} {', '.join(tensors)} {'works' if len(tensors) == 1 else 'work'}")
    return f"; {', or '.join(ways)}" if ways else ""
