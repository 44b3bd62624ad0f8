"""Pods of platforms: users, probes, shared memory, variables, volumes, names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from deployed import GPU, HUB_MODEL, deployed, rendered, summary_of

from autotuner.deploy import FORMATS, DeployedEngine, ExportWishes, deployed_engine

DRAFT = "/models/draft"


def measured(variables: str = "", model: str = HUB_MODEL) -> DeployedEngine:
    """A launch with variables, and with a draft model of the machine."""
    settings, spec = rendered("vllm", name=HUB_MODEL)
    command = spec.command().replace(HUB_MODEL, model)
    speculative = f"""--speculative-config '{{"model": "{DRAFT}"}}'"""
    taken = GPU | settings | {"misc.speculative_draft_model": DRAFT}
    return deployed_engine(
        summary_of(f"{variables} {command} {speculative}".strip(), "vllm", taken, 1),
        ExportWishes(),
    )


def pods(form: str, engine: DeployedEngine) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pod and engine's container of every version."""
    for version in (None, *FORMATS[form].versions(engine)):
        files = FORMATS[form].files(engine, version)
        for document in yaml.safe_load_all(files[-1].text):
            spec = document.get("spec", {})
            if document["kind"] == "DynamoGraphDeployment" and "services" in spec:
                worker = spec["services"]["Worker"]
                pod = worker["extraPodSpec"]
                yield pod, {**pod["mainContainer"], "env": worker.get("envs", [])}
                continue
            if document["kind"] == "DynamoGraphDeployment":
                spec = {"template": spec["components"][1]["podTemplate"]}
            if "template" in spec:
                pod = spec["template"].get("spec", spec["template"])
                yield pod, pod["containers"][0]


def test_kserve_lets_the_image_be_root_and_gives_it_an_hour_and_shared_memory() -> None:
    for pod, container in pods("kserve", deployed("vllm")):
        assert container["securityContext"] == {"runAsNonRoot": False}
        probe = container["startupProbe"]
        assert probe["httpGet"] == {"path": "/v1/models", "port": 8000}
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 3600
        assert pod["volumes"] == [
            {"name": "dshm", "emptyDir": {"medium": "Memory", "sizeLimit": "16Gi"}}
        ]


@pytest.mark.parametrize("form", ["kubernetes", "llm-d", "kserve", "dynamo"])
def test_a_draft_model_of_this_machine_is_mounted(form: str) -> None:
    for pod, container in pods(form, measured()):
        volume = next(v for v in pod["volumes"] if v.get("hostPath") == {"path": DRAFT})
        mount = {"name": volume["name"], "mountPath": DRAFT, "readOnly": True}
        assert mount in container["volumeMounts"]


@pytest.mark.parametrize("form", ["kubernetes", "llm-d", "kserve", "dynamo"])
def test_a_variable_is_there_once_and_no_folder_of_the_host(form: str) -> None:
    token = "hf_" + "a" * 30
    variables = f"HF_HOME=/data/hf HF_HUB_CACHE=/data/hub HF_TOKEN={token} VLLM_X=1"
    for _, container in pods(form, measured(variables)):
        names = [one["name"] for one in container["env"]]
        assert sorted(names) == sorted(set(names))
        assert "VLLM_X" in names
        assert "/data" not in str(container["env"])
        assert next(v for v in container["env"] if v["name"] == "HF_TOKEN")["valueFrom"]


def test_dynamo_has_room_for_the_names_of_its_components() -> None:
    long = "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8"
    [file] = FORMATS["dynamo"].files(measured(model=long))
    name = yaml.safe_load(file.text)["metadata"]["name"]
    assert len(name) + len("Frontend") <= 45
    assert name.startswith("llama-4-maverick")
