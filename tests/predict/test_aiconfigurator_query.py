"""A candidate becomes aiconfigurator's arguments, or a reason why it cannot."""

from __future__ import annotations

import pytest
from aiconfigurator_cases import candidate, scenario
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import GROUPS
from autotuner.predict.aiconfigurator.answers import (
    MODES,
    Answer,
    Attempt,
    NoRoom,
    Refusal,
    StepAnswer,
    UnansweredError,
    attempts,
    best_outcome,
    largest,
)
from autotuner.predict.aiconfigurator.questions import (
    ARGUMENTS,
    IGNORED_FIELDS,
    Question,
    UnaskableError,
    accepted_tokens,
    nearest_version,
    question,
)

MOE = "Qwen/Qwen3-235B-A22B"


def asked(model: str = "Qwen/Qwen3-32B", engine: str = "vllm", **settings: object) -> Question:
    return question(
        candidate({path.replace("__", "."): value for path, value in settings.items()}),
        scenario(model, engine=engine),
        model,
        "h200_sxm",
    )


def test_data_parallel_is_replicas_of_a_dense_model_and_attention_ranks_of_an_moe() -> None:
    dense = asked(parallel__data_parallel=4)
    assert (dense.replicas, dense.layout.attention_dp_size) == (4, 1)
    moe = asked(MOE, parallel__data_parallel=4)
    assert (moe.replicas, moe.layout.attention_dp_size) == (1, 4)


def test_replicas_that_share_no_experts_are_those_of_a_dense_model() -> None:
    own = {"parallel__moe_tensor_parallel": 2, "parallel__moe_expert_parallel": 1}
    found = asked(MOE, "sglang", parallel__data_parallel=4, **own)
    assert (found.replicas, found.layout.attention_dp_size) == (4, 1)
    assert (found.layout.moe_tp_size, found.layout.moe_ep_size) == (2, 1)


@pytest.mark.parametrize(
    ("settings", "widths"),
    [
        ({}, (8, 1)),
        ({"parallel__moe_expert_parallel": 4}, (2, 4)),
        ({"parallel__expert_parallel": 8}, (1, 8)),
        ({"parallel__moe_tensor_parallel": 2}, (2, 4)),
    ],
)
def test_expert_widths_fill_all_ranks(settings: dict[str, int], widths: tuple[int, int]) -> None:
    layout = asked(MOE, parallel__data_parallel=4, **settings).layout
    assert (layout.moe_tp_size, layout.moe_ep_size) == widths


def test_expert_widths_that_do_not_fit_are_reported() -> None:
    with pytest.raises(UnaskableError, match=r"3 x 2.*tensor x data parallel \(8\)"):
        asked(
            MOE,
            parallel__data_parallel=4,
            parallel__moe_tensor_parallel=3,
            parallel__moe_expert_parallel=2,
        )


@given(
    concurrency=st.integers(1, 4096),
    data=st.integers(1, 16),
    pipeline=st.integers(1, 4),
    slots=st.none() | st.integers(1, 512),
)
def test_the_batches_of_all_ranks_hold_what_is_served(
    concurrency: int, data: int, pipeline: int, slots: int | None
) -> None:
    found = asked(
        MOE,
        parallel__data_parallel=data,
        parallel__pipeline_parallel=pipeline,
        scheduling__max_running_requests=slots,
    )
    held = found.batch(concurrency) * found.requests_per_batch
    served = min(concurrency, concurrency if found.slots is None else found.slots)
    assert served <= held < served + found.requests_per_batch


def test_limits_on_sequences_and_tokens_are_slots() -> None:
    assert asked(scheduling__max_running_requests=8).slots == 8
    assert (
        asked(memory__max_total_tokens=10 * 1280, scheduling__max_running_requests=64).slots == 10
    )
    ranks = {"parallel__data_parallel": 4, "scheduling__max_running_requests": 8}
    assert (asked(MOE, **ranks).slots, asked(MOE, "sglang", **ranks).slots) == (32, 8)


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        ({}, 1024),
        ({"scheduling__max_num_batched_tokens": 512}, 512),
        ({"scheduling__max_num_batched_tokens": 8192}, 1024),
        ({"attention__chunked_prefill_size": 256, "scheduling__max_num_batched_tokens": 512}, 256),
        (
            {"attention__chunked_prefill_size": 256, "attention__enable_chunked_prefill": False},
            1024,
        ),
    ],
)
def test_a_step_takes_a_chunk_of_a_prompt_or_all_of_it(
    settings: dict[str, int], tokens: int
) -> None:
    assert asked(**settings).layout.ctx_tokens == tokens


def test_a_cached_prefix_counts_only_where_prefixes_are_cached() -> None:
    circumstances = scenario(prefix=512)
    on, off = (
        question(candidate({"attention.enable_prefix_caching": on}), circumstances, "m", "s")
        for on in (True, False)
    )
    assert (on.layout.prefix, off.layout.prefix) == (512, 0)


def test_every_field_is_an_argument_or_derived_or_ignored() -> None:
    every = {f"{group}.{field}" for group, model in GROUPS.items() for field in model.model_fields}
    assert set(ARGUMENTS) | set(IGNORED_FIELDS) <= every
    assert {"misc.threads", "scheduling.policy", "memory.page_size"} <= set(IGNORED_FIELDS)
    assert not {"runtime.nextn", "parallel.data_parallel"} & set(IGNORED_FIELDS)


@given(st.integers(1, 16))
def test_drafting_more_is_accepted_more_but_never_all(drafted: int) -> None:
    assert accepted_tokens(drafted - 1) < accepted_tokens(drafted) < drafted


@given(above=st.integers(1, 10_000), limit=st.integers(0, 10_000))
def test_the_largest_that_fits_is_found(above: int, limit: int) -> None:
    assert largest(lambda size: size <= limit, above) == min(limit, above - 1)


def step(*, fits: bool = True) -> StepAnswer:
    return StepAnswer(10.0, 1.0, 4.0, 5.0, 80.0, fits, "1")


@pytest.mark.parametrize(("limit", "batch"), [(100, 64), (40, 40), (1, 1), (0, None)])
def test_what_does_not_fit_is_served_in_the_largest_batch_that_does(
    limit: int, batch: int | None
) -> None:
    found = best_outcome(lambda _, size: step(fits=size <= limit), attempts(MODES, False), 64)
    if batch is None:
        assert found == NoRoom(5.0, 80.0)
    else:
        assert isinstance(found, Answer)
        assert found.batch == batch


def test_modes_are_tried_in_order_and_every_reason_is_kept() -> None:
    def only_sol(way: Attempt, batch: int) -> StepAnswer:
        if way.mode != "SOL":
            raise UnansweredError(f"no data of {way.mode[0]}")
        return step()

    found = best_outcome(only_sol, attempts(MODES, False), 1)
    assert isinstance(found, Answer)
    assert found.mode == "SOL"
    refused = best_outcome(only_sol, attempts(MODES[:2], False), 1)
    assert refused == Refusal("SILICON: no data of S; HYBRID: no data of H")


def test_a_quantised_checkpoint_is_asked_in_its_own_formats_before_any_estimate() -> None:
    ways = attempts(MODES, True)
    assert ways[:2] == (Attempt("SILICON"), Attempt("SILICON", own_formats=True))
    assert all(way.own_formats for way in ways[1:])


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [
        (None, "0.24.0"),
        ("0.24.0", "0.24.0"),
        ("0.26.1", "0.24.0"),
        ("0.32.0", "0.27.0"),
        ("0.9.2.post1", "0.24.0"),
        ("nightly", "0.24.0"),
    ],
)
def test_an_engine_version_is_answered_from_the_newest_that_is_not_newer(
    wanted: str | None, nearest: str
) -> None:
    assert nearest_version(wanted, ("0.24.0", "0.27.0")) == nearest


def test_release_candidates_come_before_the_release() -> None:
    known = ("1.3.0rc9", "1.3.0rc20")
    assert nearest_version("1.3.0", known) == nearest_version("1.3.0rc23", known) == "1.3.0rc20"
    assert nearest_version("1.3.0rc10", known) == "1.3.0rc9"
    assert nearest_version("1.0.0", ()) is None
