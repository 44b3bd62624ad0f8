"""Recorded launches as candidates: their predictions, and the command lines that stand for them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autotuner.catalog import gpu_named, resolve_model
from autotuner.config import Candidate, Model, parse_task
from autotuner.engines import engine_named
from autotuner.landscapes import RecordedPredictor, Replay, ReplaySpec, landscape_csv, unserved
from autotuner.landscapes.knowledge import ALL_OUT_OF_MEMORY
from autotuner.landscapes.matching import match
from autotuner.predict import Predictor, Scenario
from autotuner.testing.made_up_landscape import SILENT, made_up_landscape
from autotuner.testing.predictor_contract import LEVELS, PredictorContract
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.prepare import Prepared, prepare

EXAMPLE = Path(__file__).parents[2] / "examples/landscapes/dev_qwen235b_b200_trtllm.csv.gz"
TABLE = made_up_landscape(levels=[level.value for level in LEVELS])
TASK: dict[str, Any] = {
    "version": 2,
    "name": "t",
    "deployment_mode": "replay",
    "replay": {"landscape": str(EXAMPLE)},
}


def replay() -> Replay:
    matched = match(parse_task(TASK), TABLE, source="task")
    return Replay(TABLE, {candidate.id: launch for candidate, launch in matched.launches})


class TestRecordedPredictor(PredictorContract):
    def predictor(self) -> Predictor:
        return RecordedPredictor(replay(), model=TABLE.model)

    def scenario(self) -> Scenario:
        facts = resolve_model(Model(id=TABLE.model), base=Path()).facts
        gpu = gpu_named("h100")
        return Scenario(TABLE.model, facts, "vllm", None, gpu, gpu.name, TABLE.isl, TABLE.osl)

    def candidates(self) -> Sequence[Candidate]:
        known = match(parse_task(TASK), TABLE, source="task").launches
        stranger = Candidate.from_settings(
            {"parallel.tensor_parallel": 8, "system.gpu_type": "h100"}
        )
        return [*(candidate for candidate, _ in known), stranger]

    def test_a_launch_without_prediction_and_one_that_is_not_recorded_are_refused(self) -> None:
        refused = self.answer().refused
        launches = replay().launches
        assert [launches[key].id for key in refused if key in launches] == [SILENT]
        assert len(refused) == 2


def prepared(**changes: Any) -> Prepared:
    return prepare(parse_task(TASK | changes), base=Path())


def test_what_is_predicted_not_to_fit_is_reported_as_such() -> None:
    task = prepared()
    forecast = forecast_of(task, Path("/nowhere"), measure=False)
    expected = forecast.expected([c.id for c in task.space.candidates])
    lacking = [found for found in expected.values() if found.out_of_memory is not None]
    assert len(lacking) == 16
    assert {found.out_of_memory.why for found in lacking if found.out_of_memory} == {
        ALL_OUT_OF_MEMORY
    }


def test_every_recorded_launch_has_its_own_labelled_command() -> None:
    task = prepared(model={"id": "Qwen/Qwen3-235B-A22B"})
    commands = [task.space.specs[candidate.id].command() for candidate in task.space.candidates]
    assert len(commands) == 272
    assert all("  # replayed, not launched" in command for command in commands)
    assert all(command.count("trtllm-serve Qwen/Qwen3-235B-A22B") == 1 for command in commands)


def test_what_the_engine_has_no_words_for_stands_in_the_label() -> None:
    task = prepared(model={"id": "Qwen/Qwen3-235B-A22B"}, quantization={"gemm_mode": "nvfp4"})
    command, _, label = task.space.specs[task.space.candidates[0].id].command().partition("  # ")
    assert "nvfp4" not in command
    assert "quantization.gemm_mode=nvfp4" in label
    assert "parallel.tensor_parallel" not in label
    lacks = "quantization.gemm_mode=nvfp4, quantization.moe_mode=nvfp4"
    assert unserved(f"{command}  # {label}") == f"trtllm cannot express {lacks}"


def test_a_launch_occupies_its_gpus_whatever_its_command_can_say() -> None:
    task = prepared(model={"id": "Qwen/Qwen3-235B-A22B"})
    for candidate in task.space.candidates:
        assert task.space.specs[candidate.id].gpus == candidate.gpus


def test_the_command_is_what_the_engine_renders_where_it_can_say_all(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(landscape_csv(TABLE), encoding="utf-8")
    task = prepared(replay={"landscape": str(tmp_path / "t.csv")})
    candidate = task.space.candidates[0]
    spec = task.space.specs[candidate.id]
    engine = engine_named("vllm")
    real = engine.render(candidate, task.model, task.variants[0].installation)
    assert isinstance(spec, ReplaySpec)
    assert spec.command(81) == f"{real.command(81)}  # replayed, not launched"
    assert shlex.split(spec.command(81), comments=True) == shlex.split(real.command(81))
    assert unserved(spec.command()) is None
    assert unserved(real.command()) is None


def test_an_engine_that_serves_no_such_model_leaves_the_label() -> None:
    spec = ReplaySpec("llamacpp", (), "model", recorded="0", label="replayed, not launched; why")
    assert spec.command() == "# replayed, not launched; why"
    assert unserved(spec.command()) == "why"
