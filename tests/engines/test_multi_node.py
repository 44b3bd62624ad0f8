"""Engines on more GPUs than a node has: the words that each process is started with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import ResolvedModel
from autotuner.config import Candidate
from autotuner.engines import LaunchSpec, command_parts, engine_named, nodes_for
from autotuner.engines.multi_node import MultiNodeFile
from autotuner.errors import EngineError

TP, PP = "parallel.tensor_parallel", "parallel.pipeline_parallel"
GPU, EXTRA = "system.gpu_type", "misc.extra_args"


def rendered(
    engine: str, per_node: int | None, version: str | None = None, **settings: object
) -> LaunchSpec:
    found = engine_named(engine)
    installation = replace(found.assume(version), gpus_per_node=per_node)
    candidate = Candidate.from_settings({GPU: "h100", TP: 8, PP: 2, **settings})
    return found.render(candidate, ResolvedModel("m", "org/m"), installation)


@given(st.integers(1, 256), st.integers(1, 16))
def test_nodes_are_the_fewest_that_hold_equal_parts(gpus: int, per_node: int) -> None:
    nodes = nodes_for(gpus, per_node)
    assert gpus % nodes == 0
    assert gpus // nodes <= per_node
    fewer = [n for n in range(1, nodes) if gpus % n == 0 and gpus // n <= per_node]
    assert not fewer


def test_without_nodes_of_a_size_all_is_on_one() -> None:
    assert nodes_for(16, None) == 1
    spec = rendered("vllm", None)
    assert (spec.nodes, spec.gpus, spec.followers) == (1, 16, ())
    assert "--nnodes" not in spec.argv
    assert rendered("vllm", 16).argv == spec.argv


@pytest.mark.parametrize(
    ("engine", "words", "variable", "further"),
    [
        (
            "vllm",
            "--nnodes 2 --node-rank {} --master-addr 10.0.0.7 --master-port 4000",
            "VLLM_HOST_IP",
            True,
        ),
        (
            "sglang",
            "--nnodes 2 --node-rank {} --dist-init-addr 10.0.0.7:4000",
            "SGLANG_HOST_IP",
            False,
        ),
    ],
)
def test_each_process_knows_its_rank_and_where_they_meet(
    engine: str, words: str, variable: str, further: bool
) -> None:
    spec = rendered(engine, 8)
    assert (spec.nodes, spec.gpus) == (2, 16)
    for rank in (0, 1):
        own = spec.on_node(rank, f"10.0.0.{7 + rank}", "10.0.0.7", 4000)
        assert words.format(rank) in " ".join(own.argv_for(80))
        assert (variable, f"10.0.0.{7 + rank}") in own.env
        assert (own.nodes, own.gpus, own.is_follower) == (1, 8, rank > 0)
        assert ("--headless" in own.argv) is (further and rank > 0)
        assert "{" not in " ".join(own.argv_for(80))


def test_a_command_is_of_the_first_node_and_says_what_the_others_start() -> None:
    command = rendered("vllm", 8).command()
    assert command.startswith("VLLM_HOST_IP=HEAD vllm serve ")
    assert "--node-rank 0 --master-addr HEAD" in command
    comment = command.partition("  # ")[2]
    assert comment == (
        "on HEAD, the first of 2 nodes; the others start the same with their own VLLM_HOST_IP and "
        "their own --node-rank and --headless"
    )
    parts = command_parts(command)
    assert parts.arguments[-2:] == ("--master-port", "20000")
    multi_node = parts.table.file.nodes
    assert multi_node is not None
    assert multi_node.node_count(parts.arguments) == 2
    assert multi_node.node_count(("--nnodes",)) == 1


@pytest.mark.parametrize(
    ("engine", "version", "message"),
    [
        ("trtllm", None, "trtllm .* is not launched over 2 nodes"),
        ("vllm", "0.11.0", "vllm 0.11.0 is not launched over 2 nodes"),
    ],
)
def test_an_engine_that_cannot_is_refused(engine: str, version: str | None, message: str) -> None:
    with pytest.raises(EngineError, match=message) as refused:
        rendered(engine, 8, version)
    assert "lower the widths" in refused.value.remedy


@pytest.mark.parametrize("word", ["--nnodes", "--node-rank=1", "--headless"])
def test_words_of_several_nodes_are_not_given_twice(word: str) -> None:
    with pytest.raises(EngineError, match=f"misc.extra_args: {word}"):
        rendered("vllm", 8, **{EXTRA: [word]})
    assert word in rendered("vllm", 16, **{EXTRA: [word]}).argv


def test_a_file_names_every_place() -> None:
    with pytest.raises(ValueError, match=r'"{head}" has to stand there once'):
        MultiNodeFile(argv=("--nnodes", "{nodes}", "--rank", "{rank}", "--port", "{head_port}"))


def test_a_module_that_knows_no_followers_gives_way_to_one_that_does() -> None:
    vllm = engine_named("vllm")
    module = ("/py", "-m", vllm.table.module, *vllm.table.module_words)
    here = replace(vllm.assume(None), command=module)
    candidate = Candidate.from_settings({GPU: "h100", TP: 16})
    model = ResolvedModel("m", "org/m")
    alone = vllm.render(candidate, model, here)
    assert alone.argv[:5] == (*module[:4], "org/m")
    spec = vllm.render(candidate, model, replace(here, gpus_per_node=8))
    assert spec.argv[:5] == ("/py", "-m", "vllm.entrypoints.cli.main", "serve", "org/m")
    assert "--model" not in spec.argv
