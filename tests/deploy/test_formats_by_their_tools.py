"""Every format by its own tool where that is at hand, or by a strict model of what may be in it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from shlex import quote
from typing import Any

import kubernetes_validate
import pytest
import yaml
from deployed import GPU, HUB_MODEL, deployed, on_cpu, rendered, summary_of
from strict_documents import MODELS

from autotuner.config import BACKENDS
from autotuner.deploy import (
    FORMATS,
    DeployedEngine,
    DeployFileText,
    ExportWishes,
    deployed_engine,
)
from autotuner.errors import ExportError

KUBERNETES = "1.33"
WIDE = {"parallel.tensor_parallel": 8, "scheduling.max_running_requests": 64}


def engines(**wishes: Any) -> list[DeployedEngine]:
    """Every engine, narrow, wide, and on a CPU."""
    named = {"image": "registry/engine:1", **wishes}
    on_gpus = [deployed(name, chosen, **named) for name in BACKENDS for chosen in ({}, WIDE)]
    return [*on_gpus, *(on_cpu(2, name, **named) for name in BACKENDS)]


def exported(form: str, **wishes: Any) -> list[tuple[DeployFileText, ...]]:
    """The files of a format for every engine that it fits, in every version."""
    found = FORMATS[form]
    files = [
        found.files(engine, version)
        for engine in engines(**wishes)
        if found.why_not(engine) is None
        for version in (None, *found.versions(engine))
    ]
    assert files
    return files


@pytest.mark.parametrize("replicas", [1, 3])
def test_kubernetes_takes_the_manifests(replicas: int) -> None:
    for files in exported("kubernetes", replicas=replicas):
        for document in yaml.safe_load_all(files[0].text):
            kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_the_patch_of_llm_d_is_a_deployment_but_for_what_its_base_has() -> None:
    for _, patch in exported("llm-d"):
        document = yaml.safe_load(patch.text)
        labels = {"llm-d.ai/model": "m"}
        template = document["spec"]["template"]
        template["metadata"] = {"labels": labels}
        limits = template["spec"]["containers"][0]["resources"]["limits"]
        assert [limits.pop("cpu"), limits.pop("memory")] == [None, None]
        document["spec"] |= {"selector": {"matchLabels": labels}}
        document["spec"].get("strategy", {}).pop("rollingUpdate", None)
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


@pytest.mark.parametrize("replicas", [1, 2])
def test_compose_takes_the_file(replicas: int, tmp_path: Path) -> None:
    found = exported("compose", replicas=replicas)
    for files in found:
        MODELS["compose.yaml"].model_validate(yaml.safe_load(files[0].text))
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed: apt-get install docker-compose")
    for file in found[-1]:
        (tmp_path / file.name).write_text(file.text)
    taken_by_compose(program, tmp_path)


def taken_by_compose(program: str, folder: Path) -> None:
    command = [program, "-f", "compose.yaml", "config", "--quiet"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_model_at_a_path_with_a_colon_is_mounted_where_that_can_be(tmp_path: Path) -> None:
    settings, spec = rendered("llamacpp")
    path = "/models/$a:b.gguf"
    command = spec.command().replace("/models/m.gguf", quote(path))
    wishes = ExportWishes(image="registry/engine:1")
    engine = deployed_engine(summary_of(command, "llamacpp", settings, 0), wishes)
    [file] = FORMATS["compose"].files(engine)
    document = yaml.safe_load(file.text)
    MODELS[file.name].model_validate(document)
    written = path.replace("$", "$$")
    assert document["services"]["engine"]["volumes"] == [
        {"type": "bind", "source": written, "target": written, "read_only": True}
    ]
    with pytest.raises(ExportError, match="mounts nothing at a path with a colon"):
        FORMATS["kubernetes"].files(engine)
    program = shutil.which("docker-compose")
    if program is not None:
        (tmp_path / file.name).write_text(file.text)
        taken_by_compose(program, tmp_path)


@pytest.mark.parametrize("form", ["llm-d", "kserve", "dynamo", "sky", "llama-swap"])
def test_a_document_has_what_its_tool_knows_and_nothing_else(form: str) -> None:
    for files in exported(form, replicas=1):
        for file in files:
            if file.name in MODELS:
                MODELS[file.name].model_validate(yaml.safe_load(file.text))


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    odd = ["--odd", """%h $x ${y} "z" \\ 'q'; &"""]
    for name in BACKENDS:
        engine = deployed(name, {"misc.extra_args": odd})
        assert "/" not in engine.parts.program[0]
        [unit, *_] = FORMATS["systemd"].files(engine)
        place = tmp_path / unit.name
        place.write_text(unit.text)
        done = subprocess.run(
            [program, "verify", str(place)], capture_output=True, text=True, check=False
        )
        assert place.name not in done.stderr, done.stderr


@pytest.mark.parametrize("folder", ["plain", "a b%h", "a$b", "a${b}", "a'b", 'a"b\\c'])
def test_systemd_finds_a_program_at_an_odd_path(folder: str, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    own = tmp_path / folder / "vllm"
    own.parent.mkdir()
    own.symlink_to("/bin/true")
    settings, spec = rendered("vllm", GPU)
    command = spec.command().replace("vllm serve", f"{quote(str(own))} serve", 1)
    engine = deployed_engine(summary_of(command, "vllm", settings, 1), ExportWishes())
    assert engine.parts.program == (str(own), "serve")
    [unit] = FORMATS["systemd"].files(engine)
    place = tmp_path / unit.name
    place.write_text(unit.text)
    done = subprocess.run(
        [program, "verify", str(place)], capture_output=True, text=True, check=False
    )
    assert "vllm" not in done.stderr.replace(str(place), ""), done.stderr
    assert place.name not in done.stderr, done.stderr


def test_a_shell_takes_the_script(tmp_path: Path) -> None:
    for name in BACKENDS:
        [script] = FORMATS["shell"].files(
            deployed(name, {"misc.extra_args": ["--odd", "a $b 'c'"]})
        )
        place = tmp_path / script.name
        place.write_text(script.text)
        done = subprocess.run(["/bin/sh", "-n", place], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_secret_of_llama_swap_is_put_where_it_is_escaped_for() -> None:
    [file] = FORMATS["llama-swap"].files(deployed("vllm", api_key=True))
    key = 'a\\b"c: d #e'
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    document = yaml.safe_load(file.text.replace("${env.VLLM_API_KEY}", escaped))
    [model] = document["models"].values()
    assert model["env"] == [f"VLLM_API_KEY={key}"]


@pytest.mark.parametrize(
    ("form", "text", "instead"),
    [
        ("kserve", "{{x}}", "kubernetes"),
        ("llama-swap", "${X}", "compose"),
        ("llama-swap", "a\n#b", "compose"),
    ],
)
def test_a_text_that_a_tool_reads_otherwise_is_refused(form: str, text: str, instead: str) -> None:
    """In an argument that the command has already: new ones hold no line break."""
    settings, spec = rendered("vllm", GPU)
    command = spec.command().replace(HUB_MODEL, f"{HUB_MODEL} --served-model-name {quote(text)}", 1)
    engine = deployed_engine(
        summary_of(command, "vllm", settings, 1), ExportWishes(image="registry/engine:1")
    )
    with pytest.raises(ExportError, match=rf"format: {form} does not fit") as refused:
        FORMATS[form].files(engine)
    assert f"take --format {instead}" in str(refused.value)
