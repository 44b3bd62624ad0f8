"""A launch as a value: what a launcher fills in, and what a container has to be given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autotuner.catalog import ResolvedModel
from autotuner.config import Candidate
from autotuner.engines import HOST, PORT, LaunchSpec, Mount, engine_named

SPEC = LaunchSpec("mine", ("serve", f"http://{HOST}:{PORT}", "{file:a.yaml}"), "m")
DRAFTING = "misc.speculative_draft_model"


def mounts(path: Path | None, draft: str | None) -> list[str]:
    """What vLLM reads of this machine with that model, and the one that it drafts with."""
    engine = engine_named("vllm")
    settings = {} if draft is None else {DRAFTING: draft, "misc.speculative_algorithm": "eagle"}
    model = ResolvedModel("m", str(path or "org/m"), path=path)
    spec = engine.render(Candidate.from_settings(settings), model, engine.assume(None))
    assert all(mount.source == mount.target for mount in spec.mounts)
    return [mount.source for mount in spec.mounts]


def test_the_launcher_says_to_what_the_engine_binds() -> None:
    spec = replace(SPEC, files=(("a.yaml", "x"),))
    assert spec.argv_for(81) == ("serve", "http://127.0.0.1:81", "a.yaml")
    filled = spec.argv_for(8000, host="0.0.0.0", folder="/run")  # noqa: S104
    assert filled == ("serve", "http://0.0.0.0:8000", "/run/a.yaml")
    assert "http://10.0.0.7:81" in spec.command(81, host="10.0.0.7")


def test_models_of_this_machine_are_mounted_and_those_of_a_hub_are_not() -> None:
    folder = Path("/models/llama")
    assert mounts(folder, None) == ["/models/llama"]
    assert mounts(None, "org/draft") == []
    assert mounts(folder, "/models/draft") == ["/models/llama", "/models/draft"]
    assert mounts(folder, str(folder)) == ["/models/llama"]
    assert mounts(Path("here/llama"), None) == [str(Path.cwd() / "here/llama")]


@pytest.mark.parametrize("path", ["", "models", "./models", "/models/../etc", "~/models"])
def test_only_full_paths_are_mounted(path: str) -> None:
    for source, target in ((path, "/models"), ("/models", path)):
        with pytest.raises(ValueError, match="cannot be mounted"):
            Mount(source, target)


def test_two_mounts_of_one_target_are_refused() -> None:
    with pytest.raises(ValueError, match="'/models'"):
        replace(SPEC, mounts=(Mount("/a", "/models"), Mount("/b", "/models")))
