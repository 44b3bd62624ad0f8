"""Engines on more GPUs than a node has: the words that each process is started with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import ResolvedModel
from autotuner.config import Candidate, parse_task
from autotuner.engines import LaunchSpec, command_parts, engine_named, nodes_for
from autotuner.engines.multi_node import MultiNodeFile
from autotuner.errors import EngineError
from autotuner.tuning.prepare import prepare

TP, PP = "parallel.tensor_parallel", "parallel.pipeline_parallel"
DP = "parallel.data_parallel"
GPU = "system.gpu_type"


def rendered(
    engine: str, per_node: int | None, version: str | None = None, **settings: object
) -> LaunchSpec:
    found = engine_named(engine)
    installation = replace(found.assume(version), gpus_per_node=per_node)
    widths = {GPU: "h100", TP: 8, PP: 2, **settings}
    return found.render(Candidate.from_settings(widths), ResolvedModel("m", "org/m"), installation)


def candidate(tensor: int, stages: int, replicas: int) -> Candidate:
    return Candidate.from_settings({GPU: "h100", TP: tensor, PP: stages, DP: replicas})


@given(st.integers(1, 16), st.integers(1, 6), st.integers(1, 6), st.integers(1, 16))
def test_nodes_share_the_gpus_equally_and_cut_no_replica_or_stage_unevenly(
    tensor: int, stages: int, replicas: int, per_node: int
) -> None:
    gpus = tensor * stages * replicas
    nodes = nodes_for(candidate(tensor, stages, replicas), per_node)
    assert gpus % nodes == 0
    assert gpus // nodes <= per_node
    assert nodes % replicas == 0 or replicas % nodes == 0
    of_replica = max(nodes // replicas, 1)
    assert stages % of_replica == 0 or of_replica % stages == 0


@pytest.mark.parametrize(
    ("tensor", "stages", "replicas", "nodes"),
    [
        (8, 1, 1, 1),
        (16, 1, 1, 2),
        (8, 2, 1, 2),
        (4, 2, 2, 2),
        (4, 3, 1, 3),
        (12, 2, 1, 4),
        (4, 1, 3, 3),
        (2, 1, 5, 5),
        (8, 1, 4, 4),
        (11, 1, 1, 11),
    ],
)
def test_of_nodes_with_eight_gpus_the_fewest_are_taken(
    tensor: int, stages: int, replicas: int, nodes: int
) -> None:
    assert nodes_for(candidate(tensor, stages, replicas), 8) == nodes


def test_without_nodes_of_a_size_all_is_on_one() -> None:
    assert nodes_for(candidate(16, 1, 1), None) == 1
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


@pytest.mark.parametrize(
    "word", ["--nnodes", "--node-rank=1", "--headless", "--nnode", "-n", "-r=0", "--master_port"]
)
def test_words_of_several_nodes_are_recognised_by_any_name(word: str) -> None:
    multi_node = engine_named("vllm").table.file.nodes
    assert multi_node is not None
    assert multi_node.named_in(["--enforce-eager", word]) == word.partition("=")[0].replace(
        "_", "-"
    )
    assert (
        multi_node.named_in(["--enforce-eager", "--no-x", "-x", "nnodes", "--nnodes-of-mine"])
        is None
    )


@pytest.mark.parametrize("spread", [True, False])
def test_a_task_says_once_how_launches_are_spread(spread: bool, tmp_path: Path) -> None:
    task = parse_task(
        {
            "version": 2,
            "name": "t",
            "deployment_mode": "ray",
            "ray": {"gpus_per_node": 8} if spread else {},
            "model": {"id": "Qwen/Qwen3-8B"},
            "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 16},
            "runtime": {"isl": 8, "osl": 4},
            "misc": {"extra_args": ["-n", "1"]},
        }
    )
    if not spread:
        prepare(task, base=tmp_path)
        return
    with pytest.raises(EngineError, match=r"misc.extra_args: -n says .* and so does ray.gpus_per"):
        prepare(task, base=tmp_path)


def test_a_file_names_every_place() -> None:
    with pytest.raises(ValueError, match=r'"{head}" has to stand there once'):
        MultiNodeFile(argv=("--nnodes", "{nodes}", "--rank", "{rank}", "--port", "{head_port}"))


def test_a_module_that_knows_no_followers_gives_way_to_one_that_does() -> None:
    vllm = engine_named("vllm")
    module = ("/py", "-m", vllm.table.module, *vllm.table.module_words)
    here = replace(vllm.assume(None), command=module)
    wide = candidate(16, 1, 1)
    model = ResolvedModel("m", "org/m")
    alone = vllm.render(wide, model, here)
    assert alone.argv[:5] == (*module[:4], "org/m")
    spec = vllm.render(wide, model, replace(here, gpus_per_node=8))
    assert spec.argv[:5] == ("/py", "-m", "vllm.entrypoints.cli.main", "serve", "org/m")
    assert "--model" not in spec.argv
