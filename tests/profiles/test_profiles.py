"""Profiles: layered, conditional, explained; later layers win, and nothing is lost in silence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import ModelFacts, ResolvedModel, gpus
from autotuner.engines import ENGINES
from autotuner.errors import CatalogError, ModelError, ProfileError
from autotuner.profiles import (
    BUILTIN,
    RULES,
    ResolvedConfig,
    TaskConfigFactory,
    TaskContext,
    builtin_registry,
    profile_from,
    registry_with,
)
from autotuner.tuning.resolve import Expressible

CASES = {
    "8b-l4": ("llama-3.1-8b", "l4", 1),
    "70b-h100": ("llama-3.1-70b", "h100", 8),
    "v3-h200": ("deepseek-v3", "h200", 8),
    "30b-a3b-rtx": ("qwen3-30b-a3b", "rtx_pro_6000", 2),
}


def context(case: str, engine: str) -> TaskContext:
    model, gpu, count = CASES[case]
    return TaskContext(model, engine, gpu, count, isl=2048, osl=512)


def built(
    case: str, engine: str, *profiles: str, user: dict[str, Any] | None = None
) -> ResolvedConfig:
    where = context(case, engine)
    factory = TaskConfigFactory().apply_base_defaults()
    for name in profiles:
        factory = factory.apply_profile(name)
    model = ResolvedModel(where.model, where.model, where.model_facts)
    refuses = Expressible(engine, ENGINES[engine].table.version, model)
    return factory.apply_user_overrides(user or {}).build(where, refuses)


@pytest.mark.parametrize("engine", ["sglang", "vllm", "trtllm"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("profile", BUILTIN)
def test_every_profile_builds_and_says_why(case: str, engine: str, profile: str) -> None:
    config = built(case, engine, profile)
    assert set(config.settings) <= set(config.provenance)
    for origins in config.provenance.values():
        for shown in origins:
            assert shown.why, shown
            assert shown.source.startswith("https://"), shown
    assert all(skipped.reason for skipped in config.skipped)


@pytest.mark.parametrize("engine", ["sglang", "vllm"])
@pytest.mark.parametrize("case", CASES)
def test_profiles_differ_where_they_should(case: str, engine: str) -> None:
    fast, many = built(case, engine, "low_latency"), built(case, engine, "high_throughput")
    requests = "scheduling.max_running_requests"
    assert max(fast.settings[requests]) < min(many.settings[requests])
    assert fast.settings["parallel.tensor_parallel"] >= many.settings["parallel.tensor_parallel"]


def test_what_the_model_and_the_gpus_decide() -> None:
    assert built("70b-h100", "vllm", "high_throughput").settings["parallel.tensor_parallel"] == 4
    assert built("70b-h100", "vllm", "low_latency").settings["parallel.tensor_parallel"] == 8
    both = built("70b-h100", "vllm", "high_throughput", "fp8_quantized").settings
    assert (both["parallel.tensor_parallel"], both["parallel.data_parallel"]) == (2, 4)
    deep = built("v3-h200", "sglang", "high_throughput").settings
    assert (deep["parallel.tensor_parallel"], deep["parallel.data_parallel"]) == (1, 8)
    assert deep["parallel.moe_expert_parallel"] == 8
    # No NVLink between these: latency is better with fewer collectives.
    assert built("30b-a3b-rtx", "vllm", "low_latency").settings["parallel.tensor_parallel"] == 1


def test_fp8_does_nothing_without_fp8_and_says_so() -> None:
    where = TaskContext("llama-3.1-8b", "vllm", "a100")
    config = TaskConfigFactory().apply_profile("fp8_quantized").build(where)
    assert dict(config.settings) == {}
    assert {s.reason for s in config.skipped} == {"gpu_supports_fp8 is false, not true"}


def test_a_quantised_checkpoint_is_left_as_it_is() -> None:
    config = built("v3-h200", "vllm", "fp8_quantized")
    assert "quantization.gemm_mode" not in config.settings
    assert "model_is_quantized is true, not false" in {s.reason for s in config.skipped}


def test_later_wins_and_the_provenance_shows_it() -> None:
    config = built(
        "8b-l4", "vllm", "high_throughput", "low_latency", user={"memory": {"mem_frac": 0.5}}
    )
    shown = config.provenance["scheduling.max_running_requests"]
    assert [o.status for o in shown] == ["replaced", "set"]
    assert shown[-1].layer == "low_latency/batching"
    share = config.provenance["memory.mem_fraction_static"]
    assert [(o.origin, o.status) for o in share] == [("profile", "replaced"), ("user", "set")]
    assert config.settings["memory.mem_fraction_static"] == 0.5


def test_a_rule_follows_what_the_user_says() -> None:
    config = built("70b-h100", "vllm", "high_throughput", user={"parallel": {"tp": 8}})
    assert config.settings["parallel.data_parallel"] == 1
    searched = built("70b-h100", "vllm", "high_throughput", user={"parallel": {"tp": [4, 8]}})
    assert searched.settings["parallel.data_parallel"] == [1, 2]


def test_what_only_a_profile_wants_and_the_engine_cannot_is_dropped_with_a_warning() -> None:
    own = {
        "name": "own",
        "layers": [
            {"set": {"scheduling.conservativeness": 0.5, "attention.backend": ["fa3", "triton"]}}
        ],
    }
    registry = builtin_registry()
    registry = type(registry)({**registry.profiles, "own": profile_from(own, source="own.yaml")})
    where = context("8b-l4", "vllm")
    model = ResolvedModel(where.model, where.model, where.model_facts)
    config = (
        TaskConfigFactory(registry=registry)
        .apply_profile("own")
        .build(where, Expressible("vllm", "0.32.0", model))
    )
    assert dict(config.settings) == {"attention.backend": ["triton"]}
    assert len(config.warnings) == 1
    assert "scheduling.conservativeness" in config.warnings[0]


def test_a_condition_may_be_a_callable_and_a_factory_never_changes() -> None:
    empty = TaskConfigFactory()
    never = empty.apply_profile("balanced", condition=lambda ctx: False)
    always = empty.apply_profile("balanced", condition=lambda ctx: ctx.gpu_supports_fp8)
    where = TaskContext("llama-3.2-1b", "sglang", "h100")
    assert dict(never.build(where).settings) == {}
    assert always.build(where).settings["scheduling.policy"] == "lpm"
    assert dict(empty.build(where).settings) == {}


def test_resolution_is_cached_by_content() -> None:
    first, second = (built("70b-h100", "sglang", "balanced") for _ in range(2))
    assert first is second
    assert built("70b-h100", "sglang", "balanced", user={"parallel.tp": 8}) is not first


def test_what_is_unknown_meets_no_condition_and_is_named() -> None:
    where = TaskContext("org/unknown", "vllm", facts=ModelFacts())
    config = TaskConfigFactory().apply_base_defaults().apply_profile("high_throughput").build(where)
    assert "gpu_is_cpu is not known" in {s.reason for s in config.skipped}
    on_gpu = TaskContext("org/unknown", "vllm", "h100", 8, facts=ModelFacts())
    config = TaskConfigFactory().apply_base_defaults().build(on_gpu)
    assert [o.status for o in config.provenance["parallel.tensor_parallel"]] == ["unknown"]


@pytest.mark.parametrize(
    ("document", "written"),
    [
        ([], "a profile is a mapping"),
        ({"layers": []}, "name is missing"),
        ({"name": "x", "layer": []}, "did you mean 'layers'"),
        ({"name": "x", "layers": [{"set": {"memory.mem_fraction": 1}}]}, "mem_frac"),
        ({"name": "x", "layers": [{"set": {"tp": 1}}]}, "unknown field 'tp'"),
        (
            {"name": "x", "layers": [{"set": {"parallel.tp": {"rule": "smallest_tp"}}}]},
            "unknown rule",
        ),
        ({"name": "x", "layers": [{"set": {"parallel.tp": {"why": "w"}}}]}, "give a value"),
        ({"name": "x", "layers": [{"set": {"parallel.tp": 0}}]}, "got 0"),
        ({"name": "x", "layers": [{"when": {"gpu_is": 1}, "set": {}}]}, "unknown fact"),
        ({"name": "x", "layers": [{"when": {"isl": {"above": 1}}, "set": {}}]}, "min and max"),
        ({"name": "x", "layers": [{"set": {"memory.page_size": None}}]}, "null is no value"),
        ({"name": "x", "layers": [{"set": {"misc.extra_args": 1}}]}, "takes a list"),
        ({"name": "x", "extends": ["a"]}, "extends"),
        ({"name": "x", "layers": [{"set": [1]}]}, "expected a mapping"),
        ({"name": "x", "layers": [{"when": {"isl": {"min": "a"}}, "set": {}}]}, "are numbers"),
        ({"name": "x", "layers": [{"set": {"system.gpu_type": "h100"}}]}, "the task's to say"),
        (
            {"name": "x", "layers": [{"set": {"parallel.tp": 1, "parallel.tensor_parallel": 2}}]},
            "parallel.tensor_parallel is given twice",
        ),
        (
            {"name": "x", "layers": [{"set": {"memory.mem_frac": {"rule": "requests_that_fit"}}}]},
            "a rule for scheduling.max_running_requests",
        ),
    ],
)
def test_a_malformed_profile_is_refused_with_its_place(document: Any, written: str) -> None:
    with pytest.raises(ProfileError, match=written) as caught:
        profile_from(document, source="mine.yaml")
    assert "mine.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("when", "written"),
    [
        ({"backend": "vlm"}, "did you mean 'vllm'"),
        ({"backend": ["vllm", "sglan"]}, "did you mean 'sglang'"),
        ({"gpu_type": "h1000"}, "did you mean 'h100'"),
        ({"gpu_type": {"min": 3}}, "it has no size"),
        ({"gpu_vendor": "nvidai"}, "did you mean 'nvidia'"),
        ({"gpu_supports_fp8": "yes"}, "give true or false"),
        ({"gpu_supports_fp8": {"min": 1}}, "it has no size"),
        ({"model_is_moe": 1}, "give true or false"),
        ({"isl": "long"}, "give a number"),
        ({"isl": True}, "give a number"),
        ({"isl": []}, "never met"),
        ({"isl": {"min": 8, "max": 4}}, "min 8 is above max 4"),
        ({"backend_version": 0.32}, "in quotes"),
    ],
)
def test_a_condition_that_can_never_hold_is_refused(when: dict[str, Any], written: str) -> None:
    with pytest.raises(ProfileError, match=written):
        profile_from({"name": "x", "layers": [{"when": when, "set": {}}]}, source="mine.yaml")


@pytest.mark.parametrize(
    "when",
    [
        {"gpu_type": "h100"},
        {"gpu_type": ["a100", "H100-80GB"]},
        {"model": "llama-3.1-70b"},
        {"model": "meta-llama/Llama-3.1-70B-Instruct"},
        {"isl": 2048},
        {"isl": {"min": 1, "max": 4096}, "total_gpus": 8},
    ],
)
def test_a_condition_holds_whatever_name_it_uses(when: dict[str, Any]) -> None:
    document = {"name": "x", "layers": [{"when": when, "set": {"memory.page_size": 64}}]}
    registry = builtin_registry().joined_by(profile_from(document, source="x.yaml"))
    config = (
        TaskConfigFactory(registry=registry).apply_profile("x").build(context("70b-h100", "vllm"))
    )
    assert dict(config.settings) == {"memory.page_size": 64}


def test_a_model_in_the_shape_of_another_is_not_that_model() -> None:
    document = {"name": "x", "layers": [{"when": {"model": "llama-3.1-70b"}, "set": {}}]}
    registry = builtin_registry().joined_by(profile_from(document, source="x.yaml"))
    where = TaskContext("llama-3.3-70b-instruct", "vllm")
    config = TaskConfigFactory(registry=registry).apply_profile("x").build(where)
    assert [s.layer for s in config.skipped] == ["x/settings"]


def test_every_fact_is_an_attribute_of_the_context() -> None:
    where = context("70b-h100", "vllm")
    for name, value in where.known.items():
        assert getattr(where, name) == value, name
    assert where.gpu_supports_fp8 is True
    with pytest.raises(AttributeError, match="did you mean 'gpu_supports_fp8'"):
        _ = where.gpu_support_fp8


def test_a_link_of_ones_own_decides_whether_there_is_nvlink() -> None:
    assert TaskContext("llama-3.1-8b", "vllm", "l40s").gpu_has_nvlink is False
    assert TaskContext("llama-3.1-8b", "vllm", "l40s", nvlink_bandwidth=300).gpu_has_nvlink is True
    assert TaskContext("llama-3.1-8b", "vllm", "h100", nvlink_bandwidth=64).gpu_has_nvlink is False
    assert TaskContext("llama-3.1-8b", "vllm").gpu_has_nvlink is None


def test_a_setting_given_twice_under_two_names_is_refused() -> None:
    for written in (
        {"parallel": {"tp": 4, "tensor_parallel": 2}},
        {"parallel": {"tp": 4}, "parallel.tensor_parallel": 2},
        {"parallel": {"tp": 4}, "parallel.tp": 2},
    ):
        with pytest.raises(ProfileError, match=r"parallel.tensor_parallel is given twice"):
            TaskConfigFactory().apply_user_overrides(written)


def test_widths_of_an_unknown_model_are_not_guessed() -> None:
    where = TaskContext("org/unknown", "vllm", "h100", 8, facts=ModelFacts())
    for profile in BUILTIN:
        factory = TaskConfigFactory().apply_base_defaults().apply_profile(profile)
        config = factory.build(where)
        assert not any(path.startswith("parallel.") for path in config.settings), profile
        shown = factory.apply_user_overrides({"parallel": {"tp": 4}}).build(where)
        assert shown.settings["parallel.tensor_parallel"] == 4
    replicas = TaskConfigFactory().apply_profile("high_throughput")
    written = replicas.apply_user_overrides({"parallel": {"tp": 4}}).build(where)
    assert written.settings["parallel.data_parallel"] == 2


@pytest.mark.parametrize("profile", BUILTIN)
def test_more_stages_than_gpus_leave_the_least_width(profile: str) -> None:
    config = built("70b-h100", "vllm", profile, user={"parallel": {"pp": 16}})
    assert config.settings["parallel.tensor_parallel"] == 1


def test_every_rank_holds_the_whole_latent() -> None:
    rule = RULES["requests_that_fit"]
    deep = context("v3-h200", "vllm")
    # 0.9 x 139.7 GiB less an eighth of 626.8 GiB leave 47.38 GiB on each GPU; a request takes
    # 61 layers x 576 values x 2 bytes x 2560 tokens: 283 fit.
    assert rule.apply(deep, {"parallel.tensor_parallel": 8}) == 256
    # 4 KV heads over 8 ranks: two hold the same, and each pays for a quarter.
    moe = TaskContext("qwen3-30b-a3b", "vllm", "a10", 8, isl=2048, osl=512)
    # 0.9 x 22 - 56.87 / 8 = 12.69 GiB; 48 layers x 1 head x 128 x 2 x 2 bytes x 2560: 216 fit.
    assert rule.apply(moe, {"parallel.tensor_parallel": 8}) == 128


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(f"name: {name}\n{text}", encoding="utf-8")


def test_a_profile_of_ones_own_extends_another(tmp_path: Path) -> None:
    write(tmp_path, "ours", "extends: low_latency\nlayers: [{set: {memory.page_size: 64}}]\n")
    registry = registry_with(tmp_path)
    where = context("8b-l4", "vllm")
    config = TaskConfigFactory(registry=registry).apply_profile("ours").build(where)
    assert config.settings["memory.page_size"] == 64
    assert config.settings["scheduling.max_running_requests"] == [8, 16, 32]


@pytest.mark.parametrize(
    ("files", "written"),
    [
        ({"a": "extends: b", "b": "extends: a"}, "a cycle: a -> b -> a"),
        ({"a": "extends: nothing"}, "'nothing' is unknown"),
        ({"balanced": "layers: []"}, "is taken by built-in balanced"),
        ({"a": "layers: ["}, "broken YAML at line 2"),
        ({"a": "description: x\ndescription: y"}, "'description' is given twice"),
        ({"a": "layers: [{set: {memory.page_size: 1, memory.page_size: 2}}]"}, "given twice"),
    ],
)
def test_a_broken_profile_hurts_only_who_uses_it(
    tmp_path: Path, files: dict[str, str], written: str
) -> None:
    write(tmp_path, "ours", "extends: low_latency\nlayers: [{set: {memory.page_size: 64}}]\n")
    for name, text in files.items():
        write(tmp_path, name, text)
    registry = registry_with(tmp_path)
    assert {one.name for one in registry.broken} == set(files)
    assert re.search(written, str([one.error.message for one in registry.broken]))
    assert {"ours", "balanced", "low_latency"} <= set(registry.names())
    assert registry.layers_of("ours")
    assert registry.layers_of("balanced"), "the built-in one"
    for name in set(files) - {"balanced"}:
        assert name not in registry.names()
        with pytest.raises(ProfileError):
            registry.layers_of(name)


def test_an_unknown_model_or_gpu_is_refused() -> None:
    with pytest.raises(ModelError, match="no-such-model"):
        TaskContext("no-such-model", "vllm")
    with pytest.raises(CatalogError, match="did you mean 'h100'"):
        TaskContext("llama-3.1-8b", "vllm", "h1000")


@given(
    st.sampled_from(sorted(gpus())),
    st.integers(1, 16),
    st.sampled_from([case[0] for case in CASES.values()]),
    st.lists(st.sampled_from(BUILTIN), max_size=3),
    st.sampled_from(["vllm", "sglang", "trtllm", "llamacpp"]),
)
def test_widths_always_fit_the_gpus(
    gpu: str, count: int, model: str, profiles: list[str], engine: str
) -> None:
    where = TaskContext(model, engine, gpu, count, isl=512, osl=128)
    factory = TaskConfigFactory().apply_base_defaults()
    for name in profiles:
        factory = factory.apply_profile(name)
    settings = factory.build(where).settings
    used = settings.get("parallel.tensor_parallel", 1) * settings.get("parallel.data_parallel", 1)
    assert used <= max(where.gpus, 1)
    assert (where.model_facts.heads or 1) % settings.get("parallel.tensor_parallel", 1) == 0


def test_no_rule_reads_itself_in_a_ring() -> None:
    reads: dict[str, set[str]] = {}
    for rule in RULES.values():
        for path in rule.sets:
            reads.setdefault(path, set()).update(rule.reads)

    def above(path: str) -> set[str]:
        return {path}.union(*(above(read) for read in reads.get(path, ())))

    for path, written in reads.items():
        assert all(path not in above(read) for read in written), path
