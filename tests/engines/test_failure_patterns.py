"""What is said of vLLM's logs: lines as vLLM 0.24.0 wrote them on an H200 and where no GPU was."""

from __future__ import annotations

import pytest

from autotuner.engines import FailureKind, engine_named
from autotuner.launch.engine_log import classify

# It starts with these, and goes on without what they miss.
HARMLESS = """\
WARNING 11-27 05:14:18 [cuda.py:45] Failed to import from vllm._qutlass_C: ModuleNotFoundError(...)
(EngineCore pid=1585) WARNING 11-27 05:16:05 [import_utils.py:408] ImportError: cannot import '_C'
"""
LAST = "(APIServer pid=582) RuntimeError: Engine core initialization failed. See root cause above."
MEMORY_IS_TAKEN = (
    "ValueError: Free memory on device cuda:0 (54.97/139.8 GiB) on startup is less than desired "
    "GPU memory utilization (0.92, 128.62 GiB). Decrease GPU memory utilization or reduce GPU "
    "memory used by other processes."
)
LACKS_A_MODULE = "ModuleNotFoundError: No module named 'flashinfer'"
NO_DEVICE = "RuntimeError: Failed to infer device type, please set the environment variable"


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (MEMORY_IS_TAKEN, FailureKind.OUT_OF_MEMORY),
        (LACKS_A_MODULE, FailureKind.DIED_LOADING),
        (NO_DEVICE, FailureKind.DIED_LOADING),
    ],
)
def test_the_cause_is_named_and_not_what_surrounds_it(cause: str, kind: FailureKind) -> None:
    log = f"{HARMLESS}(EngineCore pid=830) ERROR 11-27 05:15:04 [core.py:1231] {cause}\n"
    log += f"(EngineCore pid=830) {cause}\n{LAST}"
    patterns = engine_named("vllm").table.failures
    failure = classify(log, patterns, exit_code=1, was_ready=False)
    assert failure.kind is kind
    assert failure.message.endswith(f": {cause}")
    assert "pid=" not in failure.message


def test_warnings_of_a_healthy_start_are_no_cause() -> None:
    patterns = engine_named("vllm").table.failures
    failure = classify(f"{HARMLESS}{LAST}", patterns, exit_code=1, was_ready=False)
    assert failure.message == "the engine died while loading, exit code 1"
