"""Replicas of a mixture of experts that share nothing, beside replicas of its attention alone."""

from __future__ import annotations

from typing import Any

import pytest
from tried import tried, widths

from autotuner.catalog import MEMORY_READS, device_memory, known_model
from autotuner.config import REPLICA_WIDTHS, Candidate, whole_replicas
from autotuner.engines import engine_table

MOE = "qwen3-30b-a3b"
WHOLE = {"tp": 2, "dp": 2, "moe_tp": 2, "moe_ep": 1}


@pytest.mark.parametrize(
    ("parallel", "whole"),
    [
        ({"tp": 2, "dp": 4, "moe_tp": 2, "moe_ep": 1}, True),
        ({"tp": 4, "dp": 2, "moe_tp": 2, "ep": 2}, True),
        ({"dp": 2, "moe_tp": 1, "moe_ep": 1}, True),
        ({"tp": 2, "dp": 4, "moe_tp": 8, "moe_ep": 1}, False),
        ({"tp": 2, "dp": 1, "moe_tp": 2, "moe_ep": 1}, False),
        ({"tp": 2, "dp": 4, "moe_tp": 2}, False),
        ({"tp": 2, "dp": 4, "moe_ep": 2}, False),
    ],
)
def test_both_widths_of_experts_say_whether_replicas_share_them(
    parallel: dict[str, int], whole: bool
) -> None:
    candidate = Candidate.model_validate({"parallel": parallel})
    assert whole_replicas(candidate.get) is whole
    assert whole_replicas(candidate.settings().get) is whole


def test_sglang_launches_them_and_counts_their_gpus() -> None:
    kept, _ = tried(MOE, "sglang", "h100", 4, {"combinations": [{"parallel": WHOLE}]})
    assert widths(kept) == [2]
    assert kept[0].gpus == 4
    _, excluded = tried(MOE, "sglang", "h100", 3, {"combinations": [{"parallel": WHOLE}]})
    assert "data parallel (4) is more than total_gpus (3)" in next(iter(excluded))


@pytest.mark.parametrize("engine", ["vllm", "trtllm", "lmdeploy"])
def test_engines_that_share_experts_refuse_them(engine: str) -> None:
    whole = {"parallel": WHOLE | {"tp": 1, "moe_tp": 1}}
    kept, excluded = tried(MOE, engine, "h100", 4, {"combinations": [whole]})
    assert not kept
    assert "moe_tensor_parallel x moe_expert_parallel (1) is not TP x DP (2)" in next(
        iter(excluded)
    )


def test_a_dense_model_takes_them_as_its_replicas() -> None:
    kept, _ = tried("qwen3-8b", "sglang", "h100", 4, {"combinations": [{"parallel": WHOLE}]})
    assert widths(kept) == [2]
    shared = {"parallel": WHOLE | {"moe_tp": 4}}
    _, excluded = tried("qwen3-8b", "sglang", "h100", 4, {"combinations": [shared]})
    assert "expert widths above 1 on a dense model" in next(iter(excluded))


@pytest.mark.parametrize("slots", [1, 3])
def test_checks_of_attention_ranks_do_not_hold_for_them(slots: int) -> None:
    groups: dict[str, Any] = {"scheduling": {"max_running_requests": slots}}
    whole, _ = tried(MOE, "sglang", "h100", 8, groups | {"parallel": WHOLE | {"dp": 4}})
    assert len(whole) == 1
    ranks, excluded = tried(MOE, "sglang", "h100", 8, groups | {"parallel": {"tp": 2, "dp": 4}})
    assert not ranks
    assert any("attention data parallelism" in reason for reason in excluded)


def test_each_holds_all_experts() -> None:
    known = known_model(MOE)
    assert known is not None
    use = engine_table("sglang").memory
    layouts = ({"tp": 2}, WHOLE | {"dp": 4}, {"tp": 2, "dp": 4})
    found = [
        device_memory(
            known.facts, use, 80.0, Candidate.model_validate({"parallel": one}).settings()
        )
        for one in layouts
    ]
    one, whole, shared = (memory.weights_gib for memory in found if memory is not None)
    assert one == whole > 2 * shared
    assert set(REPLICA_WIDTHS) <= set(MEMORY_READS)
