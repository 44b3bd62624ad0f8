import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from autotuner.config import BACKENDS, flag_of, parse_stored_task, parse_task
from autotuner.config.secret_values import secrets_in
from autotuner.errors import PolicyError
from autotuner.profiles import builtin_registry
from autotuner.profiles.profile import profile_from
from autotuner.profiles.registry import BUILTIN
from autotuner.tuning.prepare import prepare
from autotuner.workers.policy import Policy, allowed_flags, engine_environment, refused_words
from autotuner.workers.violations import (
    require_allowed,
    require_allowed_resolved,
    violations,
    violations_resolved,
)

PARSERS = Path(__file__).parents[1] / "engines" / "parsers"
QUICK = {
    "version": 2,
    "name": "quick",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 32, "osl": 8},
}
DANGEROUS = (
    *("trust-remote-code", "config", "load-format", "hf-token", "api-key", "host", "port", "uds"),
    *("chat-template", "download-dir", "middleware", "tokenizer", "model-loader-extra-config"),
    *("worker-cls", "tool-parser-plugin", "otlp-traces-endpoint", "hf-overrides", "lora-modules"),
    *("speculative-config", "speculative-draft-model-path", "json-model-override-args"),
    *("file-storage-path", "custom-weight-loader", "crash-dump-folder", "forward-hooks", "sidecar"),
)


def refused(policy=None, base=None, **written):
    return judged(parse_task(QUICK | written), policy, base)


def refused_though_stored(**written):
    """Of a task of before, which may have names that a new one may not."""
    return judged(parse_stored_task(QUICK | written, source="task 1"))


def judged(task, policy=None, base=None):
    return {p.path: p.message for p in violations(task, policy or Policy(), base=base)}


def test_what_the_examples_ask_for_is_allowed():
    assert refused() == {}
    searched = {"threads": [1, 2], "load_format": ["mmap", "none"], "dtype": "auto"}
    assert refused(misc=searched, attention={"backend": ["flash", "standard"]}) == {}


def test_everything_that_is_not_allowed_is_reported_at_once():
    found = refused(
        Policy(engines=("vllm",), max_gpus=2, max_minutes=10),
        model={"path": "/etc/passwd"},
        system={"total_gpus": 8, "gpu_type": "h100_sxm"},
        misc={"trust_remote_code": True},
        engine_path="/bin/sh",
        optimization={"budget": {"minutes": 60}},
    )
    assert list(found) == [
        "optimization.budget.minutes",
        "model.path",
        "engine_path",
        "system.backend",
        "system.total_gpus",
        "misc.trust_remote_code",
    ]


@pytest.mark.parametrize(
    ("policy", "written", "path"),
    [
        (
            Policy(engines=("llamacpp",)),
            {"system": {"backend": ["llamacpp", "vllm"]}},
            "system.backend",
        ),
        (Policy(deployment_modes=("replay",)), {}, "deployment_mode"),
        (Policy(tools=("autotuner",)), {"benchmark": {"tool": "genai-bench"}}, "benchmark.tool"),
        (
            Policy(max_concurrency=8),
            {"benchmark": {"concurrency": [1, 9]}},
            "benchmark.concurrency",
        ),
        (Policy(max_experiments=5), {}, "optimization.budget.experiments"),
        (
            Policy(max_experiments=5),
            {"optimization": {"budget": {"experiments": 6}}},
            "optimization.budget.experiments",
        ),
        (Policy(max_minutes=5), {}, "optimization.budget.minutes"),
        (
            Policy(max_gpus=4),
            {"system": {"gpu_type": "h100_sxm", "total_gpus": 8}},
            "system.total_gpus",
        ),
    ],
)
def test_an_operators_limit_is_reported_with_its_field(policy, written, path):
    assert refused(**written) == {}
    assert list(refused(policy, **written)) == [path]


def test_within_the_limits_all_is_allowed():
    policy = Policy(max_experiments=5, max_minutes=10, max_gpus=4, max_concurrency=8)
    written = {
        "optimization": {"budget": {"experiments": 5, "minutes": 10}},
        "system": {"gpu_type": "h100_sxm", "total_gpus": 4},
    }
    assert refused(policy, **written) == {}


@pytest.mark.parametrize(
    "name",
    [
        *("http://169.254.169.254/latest/meta-data", "https://hub.example/owner/name", "file:///x"),
        *("../models", "/etc/passwd", "~/x", "owner/../name", "--config=/etc/passwd", "-v/x"),
        *("\\\\host\\share", "owner/name/more", "owner/name\n", "a b/c", "owner/"),
    ],
)
def test_a_model_id_is_a_name_and_no_address(name):
    assert list(refused_though_stored(model={"id": name})) == ["model.id"]
    assert list(refused(misc={"speculative_draft_model": name})) == ["misc.speculative_draft_model"]


def test_which_models_may_be_used_is_the_operators_choice():
    ids = ("smollm2-135m", "Qwen/Qwen3-32B", "someone/something")
    allowed = {
        models: [i for i in ids if not refused(Policy(models=models), model={"id": i})]
        for models in ("any", "catalog", "local")
    }
    assert allowed == {"any": list(ids), "catalog": list(ids[:2]), "local": list(ids[:1])}


def test_files_lie_in_the_operators_folders(tmp_path):
    policy = Policy().at(tmp_path)
    places = {"models": tmp_path / "models" / "m", "landscapes": tmp_path / "landscapes" / "t.csv"}
    for place in places.values():
        place.parent.mkdir()
        place.touch()
    model, table = map(str, places.values())
    replay = {"deployment_mode": "replay"}
    assert refused(policy, model={"path": model}) == {}
    assert refused(policy, replay={"landscape": table}, **replay) == {}
    assert refused(policy, model={"path": "m"}, base=tmp_path / "models") == {}
    tokenizer = {"tool": "genai-bench", "tokenizer": model}
    assert refused(policy, benchmark=tokenizer) == {}
    assert refused(policy, misc={"speculative_draft_model": model}) == {}
    assert list(refused(policy, model={"path": table})) == ["model.path"]
    assert list(refused(policy, replay={"landscape": model}, **replay)) == ["replay.landscape"]
    elsewhere = {"tool": "genai-bench", "tokenizer": "/etc"}
    assert list(refused(policy, benchmark=elsewhere)) == ["benchmark.tokenizer"]
    draft = refused(policy, misc={"speculative_draft_model": [model, "/etc/passwd"]})
    assert list(draft) == ["misc.speculative_draft_model"]


def test_a_program_is_named_only_where_the_operator_lists_it():
    written = {"engine_path": "/opt/vllm/bin/vllm", "benchmark": {"tool_path": "/opt/gb"}}
    assert list(refused(**written)) == ["engine_path", "benchmark.tool_path"]
    policy = Policy(programs=("/opt/vllm/bin/vllm",))
    assert list(refused(policy, **written)) == ["benchmark.tool_path"]


@pytest.mark.parametrize(
    ("group", "field", "value"),
    [
        ("scheduling", "policy", "--trust-remote-code"),
        ("attention", "backend", ["flash", "--config"]),
        ("attention", "prefill_backend", "a b"),
        ("misc", "speculative_algorithm", "../x"),
        ("misc", "load_format", "runai_streamer"),
        ("misc", "load_format", ["mmap", "pt"]),
        ("system", "backend_version", "--x"),
    ],
)
def test_a_setting_is_no_flag_no_path_and_loads_no_code(group, field, value):
    assert list(refused(**{group: {field: value}})) == [f"{group}.{field}"]


def test_a_gpu_is_looked_up_under_any_of_its_names():
    assert refused(system={"gpu_type": "NVIDIA H100 80GB HBM3", "total_gpus": 1}) == {}


def test_names_that_become_words_of_a_command_line_are_no_flags():
    model = {"id": "owner/name", "served_name": "--config", "revision": "refs/../x"}
    assert list(refused_though_stored(model=model)) == ["model.served_name", "model.revision"]
    plain = {"id": "owner/name", "served_name": "org/m:v1", "revision": "refs/pr/1"}
    assert refused(model=plain) == {}


def test_code_of_models_runs_only_where_the_operator_lets_it():
    written = {"misc": {"trust_remote_code": [False, True]}, "model": {"id": "owner/name"}}
    assert list(refused(**written)) == ["misc.trust_remote_code"]
    assert refused(Policy(trust_remote_code=True), **written) == {}
    assert refused(misc={"trust_remote_code": False}) == {}


def test_what_a_combination_says_is_judged_on_its_own_engine():
    eager = {"extra_args": ["--enforce-eager"]}
    combinations = [
        {"system": {"backend": "vllm"}, "misc": eager},
        {"system": {"backend": "sglang"}, "misc": eager},
    ]
    found = refused(combinations=combinations)
    assert list(found) == ["combinations[1].misc.extra_args"]
    assert "sglang" in found["combinations[1].misc.extra_args"]
    both = [{"system": {"backend": name}} for name in ("vllm", "sglang")]
    assert "sglang" in refused(misc=eager, combinations=both)["misc.extra_args"]
    assert refused(misc=eager, combinations=both[:1]) == {}


@pytest.mark.parametrize("engine", BACKENDS)
@pytest.mark.parametrize("flag", DANGEROUS)
def test_no_engine_is_given_a_flag_that_loads_reads_or_listens(engine, flag):
    for word in (f"--{flag}", f"--{flag}=x", f"--{flag.replace('-', '_')}", f"--{flag[:-1]}"):
        assert refused_words([word], engine)


@pytest.mark.parametrize(
    "word",
    [
        "/etc/passwd",
        "../x",
        "http://169.254.169.254/",
        '{"a":1}',
        "a b",
        "$(id)",
        "owner/name",
        "@x",
    ],
)
def test_an_allowed_flag_takes_plain_words_only(word):
    assert refused_words(["--seed", word], "vllm")
    assert refused_words([f"--seed={word}"], "vllm")


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("vllm", ["--enforce-eager", "--cudagraph-capture-sizes", "1", "2", "--seed=-1"]),
        ("vllm", ["--max_num_seqs", "64"]),
        ("llamacpp", ["-b", "256", "--no-kv-offload", "-ngl", "0"]),
        ("sglang", ["--disable-overlap-schedule", "--moe-runner-backend", "triton"]),
        ("trtllm", ["--max_beam_width", "1"]),
    ],
)
def test_what_changes_only_the_computing_is_allowed(engine, words):
    assert refused_words(words, engine) == ()


def test_the_operator_widens_the_flags_of_one_engine():
    words = ["--chat-template", "/opt/templates/x.jinja", "--seed", "/etc/passwd"]
    assert [word for word, _ in refused_words(words, "vllm", ["--chat-template"])] == [
        "/etc/passwd"
    ]
    policy = Policy(extra_args={"vllm": ("--chat-template",)})
    written = {"system": {"backend": "vllm"}, "misc": {"extra_args": words[:2]}}
    assert refused(policy, **written) == {}
    written["system"] = {"backend": "sglang"}
    assert list(refused(policy, **written)) == ["misc.extra_args"]


@pytest.mark.parametrize("engine", ["vllm", "sglang", "lmdeploy"])
def test_every_listed_flag_is_one_of_the_engine(engine):
    (file,) = PARSERS.glob(f"{engine}-*.json")
    known = {name for each in json.loads(file.read_text())["flags"] for name in each["flags"]}
    short = {flag for flag in allowed_flags(engine) if not flag.startswith("--")}
    older = {"--swap-space", "--disable-cuda-graph", "--enable-dp-attention"}
    assert allowed_flags(engine) - short - older <= known
    assert all(flag_of(flag) == flag for flag in allowed_flags(engine))


def test_what_a_profile_sets_is_judged_too():
    layer = {"name": "all", "set": {"misc.extra_args": {"value": ["--lora", "/etc/x"], "why": "x"}}}
    sly = profile_from({"name": "sly", "description": "x", "layers": [layer]}, source="sly")
    registry = builtin_registry().joined_by(sly)
    task = parse_task(QUICK | {"profiles": ["sly"]})
    assert violations(task, Policy()) == ()
    prepared = prepare(task, base=Path(), registry=registry)
    found = {problem.path for problem in violations_resolved(prepared, Policy())}
    assert found == {"misc.extra_args"}
    require_allowed(task, Policy())
    with pytest.raises(PolicyError, match=r"misc\.extra_args: '--lora'"):
        require_allowed_resolved(prepared, Policy())


@pytest.mark.parametrize("profile", BUILTIN)
@pytest.mark.parametrize("engine", BACKENDS)
def test_what_the_built_in_profiles_set_is_allowed(profile, engine):
    model = "smollm2-135m" if engine == "llamacpp" else "Qwen/Qwen3-32B"
    system = {"backend": engine}
    if engine != "llamacpp":
        system |= {"gpu_type": "h100_sxm", "total_gpus": 8}
    written = {"model": {"id": model}, "system": system, "profiles": [profile]}
    prepared = prepare(parse_task(QUICK | written), base=Path())
    assert violations_resolved(prepared, Policy()) == ()


def test_a_candidate_takes_no_more_gpus_than_the_operator_allows():
    system = {"backend": "vllm", "gpu_type": "h100_sxm", "total_gpus": 8}
    written = {"model": {"id": "Qwen/Qwen3-32B"}, "system": system}
    prepared = prepare(parse_task(QUICK | written | {"parallel": {"tp": [2, 8]}}), base=Path())
    found = {problem.path for problem in violations_resolved(prepared, Policy(max_gpus=4))}
    assert found == {"system.total_gpus", "parallel"}


@pytest.mark.parametrize(
    "policy",
    [
        {"engines": ["vlm"]},
        {"extra_args": {"vlm": ["--x"]}},
        {"extra_args": {"vllm": ["x"]}},
        {"extra_args": {"vllm": ["--x=1"]}},
        {"model_roots": ["models"]},
        {"programs": ["vllm"]},
        {"max_gpus": 0},
        {"max_gpu": 1},
        {"models": "all"},
    ],
)
def test_a_policy_with_a_mistake_is_none(policy):
    with pytest.raises(ValidationError):
        Policy.model_validate(policy)


def test_engines_see_what_they_read_and_no_secret_that_is_not_listed():
    environment = {
        "PATH": "/bin",
        "CUDA_VISIBLE_DEVICES": "0",
        "HF_HOME": "/models",
        "HF_TOKEN": "hf_x",
        "VLLM_API_KEY": "x",
        "AUTOTUNER_DATABASE": "postgresql://me:secret@db/x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "MY_PROXY_PASSWORD": "x",
        "MY_PROXY_HOST": "x",
    }
    assert set(engine_environment(environment, Policy())) == {
        "PATH",
        "CUDA_VISIBLE_DEVICES",
        "HF_HOME",
    }
    wider = Policy(environment=("HF_TOKEN", "MY_*"))
    added = set(engine_environment(environment, wider)) - {
        "PATH",
        "CUDA_VISIBLE_DEVICES",
        "HF_HOME",
    }
    assert added == {"HF_TOKEN", "MY_PROXY_HOST"}


SECRET = "x7" * 20


@pytest.mark.parametrize(
    "metadata",
    [
        {"hub_token": "abc"},
        {"a": [{"API-KEY": "abc"}]},
        {"hfToken": "abc"},
        {"Authorization": "Basic x"},
        {"note": f"use hf_{SECRET}"},
        {"note": f"at_{SECRET}k3k3"},
        {"url": "postgresql://me:secret@db/x"},
        {"url": "redis://:me:secret@cache/0"},
        {"password": "abc"},
        {"AWS_SECRET_ACCESS_KEY": "abc"},
        {"key": f"-----BEGIN PRIVATE KEY-----{SECRET}"},
    ],
)
def test_a_secret_is_refused_by_its_place_and_never_repeated(metadata):
    (problem,) = secrets_in({"metadata": metadata})
    assert problem.path.startswith("metadata.")
    assert "environment" in problem.message
    for value in (SECRET, "abc", "me:secret"):
        assert value not in str(problem)
    assert len(refused(metadata=metadata)) == 1


@pytest.mark.parametrize(
    "metadata",
    [
        {"hub_token": {"env": "HF_TOKEN"}},
        {"tokens": 512, "max_total_tokens": 4096, "tokenizer": "x", "token": ""},
        {"author": "me", "link": "https://wiki.example/page:1", "note": "skipped at_ night"},
        {"keyboard": "qwerty", "secretary": "Ann"},
    ],
)
def test_what_only_sounds_like_a_secret_is_kept(metadata):
    assert secrets_in({"metadata": metadata}) == ()
