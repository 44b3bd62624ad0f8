"""Replicas of v1's tasks: whole ones, and those of attention alone."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from v1_examples import note, translated

from autotuner.config import Candidate, parse_task, whole_replicas
from autotuner.migrate import Done, Note, Translation
from autotuner.migrate.database.candidates import TriedCandidates
from autotuner.migrate.results import v1_parameters

MIXTURE = {"id_or_path": "Qwen/Qwen3-235B-A22B"}
DENSE = {"id_or_path": "Qwen/Qwen3-8B"}


def layouts(translation: Translation) -> list[tuple[int | None, int | None, bool]]:
    """Tensor and data width of everything that is tried, and whether replicas are whole."""
    task = parse_task(translation.task)
    axes = {path: values for path, values in task.axes().items() if path.startswith("parallel.")}
    found = []
    for values in itertools.product(*axes.values()):
        for point in translation.task.get("combinations", [{}]):
            groups = Candidate.model_validate(point).settings()
            fixed = {k: v for k, v in task.fixed().items() if k.startswith("parallel.")}
            one = Candidate.from_settings(fixed | dict(zip(axes, values, strict=True)) | groups)
            widths = one.parallel
            found.append((widths.tensor_parallel, widths.data_parallel, whole_replicas(one.get)))
    return found


def changes(translation: Translation) -> list[Note]:
    """Notes of parameters that are lost or tried otherwise."""
    noted = translation.noted(Done.LOST, Done.CHANGED)
    return [one for one in noted if one.path.startswith("parameters")]


@pytest.mark.parametrize(
    ("section", "name"), [("parameters", "dp-size"), ("parallel_config", "dp")]
)
def test_replicas_of_a_mixture_of_experts_are_whole(section: str, name: str) -> None:
    sections: dict[str, Any] = {"parameters": {"tp-size": [4]}}
    sections[section] = sections.get(section, {}) | {name: [1, 2]}
    translation = translated(model=MIXTURE, **sections)
    assert layouts(translation) == [(4, 1, False), (4, 2, True)]
    assert note(translation, f"{section}.{name}").done is Done.TRANSLATED
    assert "combinations" not in translation.task
    dense = translated(model=DENSE, **sections)
    assert layouts(dense) == [(4, 1, False), (4, 2, False)]
    assert set(dense.task["parallel"]) == {"tensor_parallel", "data_parallel"}


def test_replicas_of_an_unknown_model_are_those_of_a_dense_one_with_a_note() -> None:
    unknown = {"id_or_path": "a/b"}
    translation = translated(model=unknown, parameters={"dp-size": [2], "tp-size": [4]})
    assert layouts(translation) == [(4, 2, False)]
    assert "moe_tensor_parallel is the tensor width" in str(translation.noted(Done.CHANGED))
    spoken = {"dp-size": [2], "tp-size": [4], "ep-size": [4]}
    assert layouts(translated(model=unknown, parameters=spoken)) == [(4, 2, True)]


def test_presets_with_replicas_are_carried_over_too() -> None:
    presets = {"presets": ["moe-optimized", "high-throughput", "large-model-tp"]}
    translation = translated(model=MIXTURE, parallel_config=presets)
    assert layouts(translation) == [(2, 8, True), (1, 8, True), (8, 1, False)]
    assert not translation.noted(Done.LOST)


def test_each_combination_has_the_widths_that_v1_started_it_with() -> None:
    parameters = {
        "tp-size": [8, "4"],
        "dp-size": [2, 4],
        "enable-dp-attention": ["true", False],
        "ep-size": [1, 4],
    }
    translation = translated(model=MIXTURE, parameters=parameters)
    assert not changes(translation)
    tried = TriedCandidates(translation)
    for values in itertools.product(*parameters.values()):
        given = dict(zip(parameters, values, strict=True))
        found = tried.tried(given, None)
        widths = Candidate.from_settings(found.settings).parallel
        tensor, data, attention = int(values[0]), int(values[1]), values[2] == "true"
        own = (tensor // data if attention else tensor, data, values[3], not attention)
        assert (
            widths.tensor_parallel,
            widths.data_parallel,
            widths.expert_parallel,
            whole_replicas(found.settings.get),
        ) == own
        assert own[:2] + own[3:] in layouts(translation)
        assert v1_parameters(translation.points, found.settings) == given
        assert found.unsettled == ()


def test_widths_that_v1s_engine_refused_are_left_out_and_named() -> None:
    parameters = {"tp-size": [8], "dp-size": [2, 3], "enable-dp-attention": [True]}
    translation = translated(model=MIXTURE, parameters=parameters)
    assert layouts(translation) == [(4, 2, False)]
    (left,) = changes(translation)
    assert (left.path, left.text[:15]) == ("parameters.dp-size", "3 is left out: ")
    alone = translated(model=MIXTURE, parameters=parameters | {"dp-size": [3]})
    assert layouts(alone) == [(8, 3, False)]
    assert "did not start" in changes(alone)[0].text


def test_the_switch_alone_changes_nothing() -> None:
    parameters = {"tp-size": [8], "enable-dp-attention": [True, False]}
    translation = translated(model=MIXTURE, parameters=parameters)
    assert translation.task["parallel"] == {"tensor_parallel": 8}
    assert "misc" not in translation.task
    assert not changes(translation)


def test_replicas_of_attention_are_the_same_ranks_counted_otherwise() -> None:
    mixture = {"id_or_path": "deepseek-ai/DeepSeek-V3"}
    widths = {"tp": [8, "16"], "dp-size": [8], "enable_dp_attention": ["true"]}
    translation = translated(model=mixture, parameters=widths)
    assert translation.task["parallel"] == {"tensor_parallel": [1, 2], "data_parallel": 8}
    assert "misc" not in translation.task
    assert not translation.noted(Done.LOST, Done.OVERRULED)
    tried = TriedCandidates(translation).tried(
        {"tp": "16", "dp-size": 8, "enable_dp_attention": "true"}, None
    )
    assert (tried.settings["parallel.tensor_parallel"], tried.unsettled) == (2, ())


def test_a_parameter_without_a_name_is_no_switch() -> None:
    translation = translated(base_runtime="vllm", parameters={"": [True]})
    assert note(translation, "parameters.").done is Done.LOST
