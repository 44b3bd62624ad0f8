"""Points that were never measured: marked so, and pairs of engines as drafts."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from deployed import GPU, rendered, summary_of
from reading_back import READERS
from strict_documents import MODELS

from autotuner.config import LoadLevel
from autotuner.deploy import FORMATS, DeployedEngine, ExportWishes, LaunchSource, deployed_engine
from autotuner.engines import parse_command
from autotuner.errors import ExportError
from autotuner.report.points import PlotPoint


def source(name: str, engine: str, settings: dict[str, Any] | None = None) -> LaunchSource:
    """A launch that is only predicted."""
    kept, spec = rendered(engine, GPU | (settings or {}))
    values = {"tok_s": 12345.6, "tpot_ms": 5.0}
    point = PlotPoint(name, "", LoadLevel.concurrency(64), values, False, recommended=False)
    return LaunchSource(
        *(point, engine, "1.2.3", "8 x h100", kept, 8, spec.command(), (8, 8)), predictor="roofline"
    )


def predicted(*sources: LaunchSource, **wishes: Any) -> DeployedEngine:
    settings, spec = rendered(sources[0].engine)
    summary = summary_of(spec.command(), sources[0].engine, GPU | settings, 1)
    named = ExportWishes("predicted", image="r/e:1", **wishes)
    return deployed_engine(summary, named, predicted=sources)


def pair(engine: str = "vllm", **wishes: Any) -> DeployedEngine:
    settings = {"scheduling.max_running_requests": 64}
    return predicted(source("d1", engine, settings), source("p1", engine), **wishes)


def head(engine: DeployedEngine, form: str) -> str:
    text = FORMATS[form].files(engine)[0].text
    return "".join(f"{line}\n" for line in text.splitlines() if line.startswith("#"))


def test_a_point_that_was_never_measured_says_so_in_every_format() -> None:
    engine = predicted(source("c9", "vllm"))
    fitting = [form for form in FORMATS.values() if form.why_not(engine) is None]
    assert len(fitting) > 5
    for file in (file for form in fitting for file in form.files(engine)):
        assert "# PREDICTED, NEVER MEASURED, for 8 x h100 with vllm 1.2.3" in file.text
        assert "12,346 tok/s" in file.text
    assert "Measured on" not in head(engine, "compose")
    assert "# Made by: autotuner export 7 --point predicted:c9@64 " in head(engine, "compose")


@pytest.mark.parametrize("version", ["v1beta1", "v1alpha1"])
@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_a_pair_is_two_workers_of_dynamo(engine: str, version: str) -> None:
    [file] = FORMATS["dynamo"].files(pair(engine), version)
    MODELS["dynamo.yaml"].model_validate(yaml.safe_load(file.text))
    words = file.text
    assert words.count("--disaggregation-mode") == 2
    assert ("decode" in words) and ("prefill" in words)
    assert words.count("--kv-transfer-config") == (2 if engine == "vllm" else 0)


def test_a_pair_is_two_patches_of_llm_d_with_the_router_before_decode() -> None:
    kustomization, *patches = FORMATS["llm-d"].files(pair())
    document = yaml.safe_load(kustomization.text)
    assert document["resources"] == ["../guides/pd-disaggregation/modelserver/gpu/vllm/base"]
    assert [one["path"] for one in document["patches"]] == [file.name for file in patches]
    for file, role, port in zip(patches, ("decode", "prefill"), (8200, 8000), strict=True):
        deployment = yaml.safe_load(file.text)
        assert deployment["metadata"]["name"] == role
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        args = container["args"]
        assert args[args.index("--port") + 1] == str(port)
        assert container["readinessProbe"]["httpGet"]["port"] == port
        assert "--kv-transfer-config" in args
    found = [parse_command(READERS["llm-d"](pair(), [_as_patch(file)])) for file in patches]
    sequences = [one.settings.get("scheduling.max_running_requests") for one in found]
    assert sequences == [64, None], "each side has the flags of its own candidate"


def _as_patch(file: Any) -> Any:
    return type(file)("patch.yaml", file.text)


def test_a_draft_says_that_it_is_one_and_what_it_takes() -> None:
    text = head(pair(), "llm-d")
    assert "DRAFT of a decode and a prefill engine of task 7" in text
    assert "no prediction is of the pair together" in text
    assert "Note: it takes 16 GPUs, and the task had 8" in text
    assert "--point disagg" in text


def test_what_cannot_be_a_pair_says_why_and_what_can() -> None:
    with pytest.raises(ExportError, match="draft of two engines") as refused:
        FORMATS["compose"].files(pair())
    assert "--format llm-d or --format dynamo" in str(refused.value)
    assert "no base" in str(FORMATS["llm-d"].why_not(pair("sglang")))
    with pytest.raises(ExportError, match="no flags of TensorRT-LLM are known") as refused:
        pair("trtllm")
    assert "--point predicted" in str(refused.value)
