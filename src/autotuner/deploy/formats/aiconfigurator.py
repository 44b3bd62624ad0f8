"""The candidate as a task file of aiconfigurator: what it predicts of the same configuration."""

from __future__ import annotations

from autotuner.config import Candidate
from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.report.exports import one_line
from autotuner.verify.aiconfigurator_writer import write_candidate


def _task(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    isl, osl = engine.tokens
    beside = {"system.backend": engine.parts.table.name, "runtime.isl": isl, "runtime.osl": osl}
    candidate = Candidate.from_settings({**beside, **engine.settings})
    written = write_candidate(candidate, model=engine.model, name=engine.name)
    left = [f"# {item.field} is not in it: {one_line(item.why)}\n" for item in written.left]
    return (DeployFileText("aiconfigurator.yaml", "".join(left) + written.text()),)


def _refusal(engine: DeployedEngine) -> str | None:
    if engine.parts.table.file.aiconfigurator is None:
        return f"aiconfigurator does not know {engine.parts.table.title}"
    if not engine.is_downloaded:
        return "aiconfigurator knows models by their hub id, and this one is a path"
    return None if engine.gpus else "aiconfigurator knows GPUs, and this was measured on a CPU"


AICONFIGURATOR = DeployFormat(
    name="aiconfigurator",
    title="aiconfigurator",
    summary="the candidate as a task file that aiconfigurator predicts",
    render=_task,
    start="aiconfigurator cli exp --yaml-path {file}",
    refusal=_refusal,
    one_replica=True,
    ignores=("image", "program"),
)
