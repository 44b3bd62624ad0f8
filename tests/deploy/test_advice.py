"""Refusals and advice: room on one machine, tags, starts, places, other formats."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from deployed import GPU, deployed, on_cpu, rendered, summary_of

from autotuner.deploy import FORMATS, DeployedEngine, ExportWishes, deployed_engine
from autotuner.errors import ExportError


def head(engine: DeployedEngine, form: str, **given: str) -> str:
    text = FORMATS[form].files(engine, **given)[0].text
    return "".join(f"{line}\n" for line in text.splitlines() if line.startswith("#"))


@pytest.mark.parametrize(
    ("threads", "replicas", "taken"),
    [(2, 2, None), (2, 3, 6), (None, 1, None), (None, 2, 8), (8, 1, None), (8, 2, 8)],
)
def test_a_compose_file_takes_no_more_cores_than_a_machine_has(
    threads: int | None, replicas: int, taken: int | None
) -> None:
    engine = on_cpu(threads, replicas=replicas)
    if taken is None:
        assert len(yaml.safe_load(FORMATS["compose"].files(engine)[0].text)["services"]) == replicas
        return
    with pytest.raises(ExportError, match=f"take {taken} CPU cores, and one machine has 4") as no:
        FORMATS["compose"].files(engine)
    assert "take --format kubernetes or --format sky" in str(no.value)


@pytest.mark.parametrize(("threads", "cpus"), [(2, "2"), (None, "4"), (8, "4")])
def test_replicas_on_a_cluster_share_no_cores(threads: int | None, cpus: str) -> None:
    engine = on_cpu(threads, replicas=2)
    documents = yaml.safe_load_all(FORMATS["kubernetes"].files(engine)[0].text)
    [deployment] = [one["spec"] for one in documents if one["kind"] == "Deployment"]
    [container] = deployment["template"]["spec"]["containers"]
    assert container["resources"] == {"limits": {"cpu": cpus}, "requests": {"cpu": cpus}}
    assert deployment["strategy"] == {"type": "Recreate"}, "no core is left for a rolling update"
    [task] = yaml.safe_load_all(FORMATS["sky"].files(engine)[0].text)
    assert task["resources"]["cpus"] == f"{cpus}+"
    served = FORMATS["kserve"].files(on_cpu(threads, engine="vllm"))[0].text
    [container] = yaml.safe_load(served)["spec"]["template"]["containers"]
    assert container["resources"]["limits"] == {"cpu": cpus}


def test_on_gpus_or_a_machine_that_is_not_known_no_cores_are_asked_for() -> None:
    _, spec = rendered("llamacpp")
    unknown = summary_of(spec.command(), "llamacpp", {}, 0, device="a machine")
    wishes = ExportWishes(replicas=9, image="r/e:1")
    for engine in (deployed("vllm"), deployed_engine(unknown, wishes)):
        assert "cpu:" not in FORMATS["kubernetes"].files(engine)[0].text
        assert FORMATS["compose"].why_not(engine) is None


def test_a_format_is_advised_only_where_it_fits() -> None:
    settings, spec = rendered("llamacpp")
    summary = summary_of(spec.command(), "llamacpp", GPU | settings, 0)
    with pytest.raises(ExportError, match="takes no file with its flags") as refused:
        FORMATS["vllm-config"].files(deployed_engine(summary, ExportWishes()))
    assert "`autotuner export --list`" in str(refused.value)
    with pytest.raises(ExportError) as refused:
        FORMATS["vllm-config"].files(on_cpu(2))
    assert "take --format compose" in str(refused.value)


@pytest.mark.parametrize(
    ("image", "is_latest"),
    [("foo", True), ("host:5000/foo", True), ("foo:1", False), (f"r/e@sha256:{'ab' * 32}", False)],
)
def test_an_image_without_a_tag_is_pointed_out(image: str, is_latest: bool) -> None:
    engine = deployed("vllm", image=image)
    note = f"# Note: the image {image} has no tag, so it is {image}:latest, which changes\n"
    for form in ("docker", "kubernetes", "dynamo"):
        assert (note in head(engine, form)) == is_latest, form
    assert "has no tag" not in head(engine, "shell")


def test_replicas_of_skypilot_are_started_as_a_service() -> None:
    assert "# Start: sky serve up --secret HF_TOKEN sky.yaml\n" in head(
        deployed("vllm", replicas=2), "sky"
    )


@pytest.mark.parametrize("form", ["llm-d", "compose"])
def test_the_command_that_makes_it_again_has_the_place_that_was_given(form: str) -> None:
    engine: Any = deployed("vllm")
    assert f" --format {form} --output 'my place'\n" in head(engine, form, output="my place")
    assert ("--output" in head(engine, form)) == (form == "llm-d")
