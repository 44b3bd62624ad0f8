"""Points that were never measured: marked so, and pairs of engines as drafts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from deployed import GPU, rendered, summary_of
from reading_back import READERS
from strict_documents import MODELS

from autotuner.config import LoadLevel
from autotuner.deploy import (
    FORMATS,
    DeployedEngine,
    ExportWishes,
    LaunchSource,
    deployed_engine,
    predicted_sources,
)
from autotuner.engines import parse_command
from autotuner.errors import ExportError
from autotuner.predict import Prediction
from autotuner.report.points import PlotPoint
from autotuner.tuning.summary import FailureView


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


class Space:
    """A task's candidates, each predicted at one load, of which some were launched."""

    def __init__(
        self, *rows: tuple[str, str, dict[str, Any], float, float], gpus: Sequence[int] = ()
    ) -> None:
        self.candidates: list[Any] = []
        self.specs: dict[str, Any] = {}
        self.points: list[Prediction] = []
        load = LoadLevel.concurrency(8)
        widths = itertools.chain(gpus, itertools.repeat(1))
        for (name, engine, settings, ttft_ms, tpot_ms), width in zip(rows, widths, strict=False):
            kept, spec = rendered(engine, GPU | settings)
            kept |= {path: v for path, v in settings.items() if path.startswith("system.")}
            self.candidates.append(SimpleNamespace(id=name, gpus=width, settings=kept.copy))
            self.specs[name] = spec
            figures = (ttft_ms, tpot_ms, 1000 / tpot_ms, width, 8.0, 0.1, 0.1, 0.1)
            self.points.append(Prediction(name, load, *figures, "roofline"))

    def chosen(
        self, named: str, expected: Any = MappingProxyType({}), **failed: str
    ) -> tuple[LaunchSource, ...]:
        """The launches of a point, where candidates failed by a kind of failure."""
        compared = ("tok_s",)
        task = SimpleNamespace(slo_limits=dict, compared=compared, objectives=compared)
        prepared = SimpleNamespace(
            task=task,
            space=self,
            usd_per_gpu_hour=None,
            axes=(),
            variants=(),
            device_name="8 x h100",
            workload=SimpleNamespace(mean=lambda: (8.0, 8.0)),
        )
        estimate = SimpleNamespace(points=self.points, expected=expected)
        settings, spec = rendered("vllm")
        summary = summary_of(spec.command(), "vllm", GPU | settings, 1)
        [launched] = summary.experiments
        launches = [launched]
        for name, kind in failed.items():
            failure = FailureView(kind=kind, message=f"{kind} it was", log_tail="")
            update = {"id": name, "status": "failed", "failure": failure}
            launches.append(launched.model_copy(update=update))
        tried = summary.model_copy(update={"experiments": launches})
        return predicted_sources(tried, cast("Any", prepared), cast("Any", estimate), named)


def names(sources: tuple[LaunchSource, ...]) -> list[str]:
    return [one.point.experiment for one in sources]


def test_a_pair_is_of_one_engine_that_can_be_both_in_one_version() -> None:
    disagg = {"system.serving_mode": "disagg"}
    space = Space(
        ("t", "trtllm", {}, 1.0, 1.0),
        ("d", "vllm", disagg, 2.0, 2.0),
        ("a", "vllm", {}, 3.0, 9.0),
        ("b", "sglang", {}, 4.0, 3.0),
        ("c", "vllm", {"system.backend_version": "0.1"}, 5.0, 4.0),
        ("e", "vllm", {}, 6.0, 5.0),
        ("f", "vllm", {}, 7.0, 2.5),
    )
    assert names(space.chosen("disagg", f="out_of_memory")) == ["e", "a"]
    with pytest.raises(ExportError, match="SGLang and vLLM do not read each other's cache"):
        predicted(source("b", "sglang"), source("a", "vllm"))
    only = Space(("t", "trtllm", {}, 1.0, 1.0))
    with pytest.raises(ExportError, match="no flags of TensorRT-LLM"):
        predicted(*only.chosen("disagg"))


def test_a_candidate_whose_launch_failed_is_predicted_by_its_name_alone() -> None:
    space = Space(
        ("d", "vllm", {"system.serving_mode": "disagg"}, 1.0, 0.5),
        ("a", "vllm", {}, 1.0, 1.0),
        ("b", "vllm", {}, 2.0, 2.0),
    )
    assert names(space.chosen("predicted")) == ["a"]
    assert names(space.chosen("predicted", a="machine_lost")) == ["a"]
    assert names(space.chosen("predicted", a="out_of_memory")) == ["b"]
    found = predicted(*space.chosen("predicted:a", a="out_of_memory"))
    failed = "Note: its launch failed in the task: out_of_memory it was\n"
    assert failed in head(found, "compose")
    with pytest.raises(ExportError, match="neither measured nor failed"):
        space.chosen("predicted", a="out_of_memory", b="not_ready")


def test_a_prediction_that_is_not_there_says_whether_its_candidate_is() -> None:
    space = Space(("c1", "vllm", {}, 1.0, 1.0), ("c2", "vllm", {}, 1.0, 1.0))
    for name, why, remedy in (
        ("zzz", "the task has no candidate 'zzz'\n", "`autotuner predict FILE --json` lists them"),
        ("c1", "'c1' was measured", "take --point c1, without predicted:"),
        ("c2@9", "'c2' has no prediction at load '9'", "give one of 8"),
    ):
        with pytest.raises(ExportError, match=why) as refused:
            space.chosen(f"predicted:{name}")
        assert remedy in str(refused.value)
    space.points.pop()
    absent = {"c1": SimpleNamespace(absent="c1 is odd"), "c2": SimpleNamespace(absent="no room")}
    with pytest.raises(ExportError, match="and is predicted: no room"):
        space.chosen("predicted:c2", expected=absent)


def test_notes_of_a_prediction_claim_no_measurement_and_those_of_a_pair_their_side() -> None:
    for form in ("shell", "systemd"):
        text = head(predicted(source("c9", "vllm")), form).lower()
        assert "measured" not in text.replace("never measured", "")
    odd = {"misc.extra_args": ["--odd", "/only/prefill"]}
    both = predicted(source("d1", "vllm"), source("p1", "vllm", odd))
    of_one = "Note: prefill: the command names /only/prefill: see that it is there\n"
    assert of_one in head(both, "llm-d")


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
    assert "Note: it takes 16 GPUs (8 make tokens and 8 read prompts), and the task had 8: " in text
    assert "--point disagg" in text


def of_widths(*widths: int) -> Space:
    """Candidates that are the faster the more GPUs they take."""
    rows = [(f"w{n}", "vllm", {"parallel.tensor_parallel": n}, 80.0 / n, 40.0 / n) for n in widths]
    return Space(*rows, gpus=widths)


@pytest.mark.parametrize(
    ("widths", "pair_of", "note"),
    [
        ((1, 2, 4, 8), ["w4", "w4"], "it takes 8 GPUs (4 make tokens and 4 read prompts)\n"),
        ((2, 6, 8), ["w2", "w6"], "it takes 8 GPUs (2 make tokens and 6 read prompts)\n"),
        ((8,), ["w8", "w8"], "it takes 16 GPUs (8 make tokens and 8 read prompts), and the task"),
    ],
)
def test_a_pair_has_room_on_the_gpus_of_the_task_where_any_has(
    widths: tuple[int, ...], pair_of: list[str], note: str
) -> None:
    chosen = of_widths(*widths).chosen("disagg")
    assert names(chosen) == pair_of
    assert f"# Note: {note}" in head(predicted(*chosen), "llm-d")


@pytest.mark.parametrize(("widths", "waits"), [((4,), True), ((2,), False), ((3, 4), True)])
def test_an_engine_of_a_pair_waits_for_the_gpus_of_both(
    widths: tuple[int, ...], waits: bool
) -> None:
    found = predicted(*of_widths(*widths).chosen("disagg"))
    for file in FORMATS["llm-d"].files(found)[1:]:
        assert ("type: Recreate" in file.text) == waits


def test_what_cannot_be_a_pair_says_why_and_what_can() -> None:
    with pytest.raises(ExportError, match="draft of two engines") as refused:
        FORMATS["compose"].files(pair())
    assert "--format llm-d or --format dynamo" in str(refused.value)
    assert "no base" in str(FORMATS["llm-d"].why_not(pair("sglang")))
    with pytest.raises(ExportError, match="no flags of TensorRT-LLM are known") as refused:
        pair("trtllm")
    assert "--point predicted" in str(refused.value)
