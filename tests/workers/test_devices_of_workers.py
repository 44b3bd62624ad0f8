"""Which devices an operator means, by what the driver tells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from autotuner.catalog import gpu_named
from autotuner.errors import AutotunerError
from autotuner.workers.devices import (
    ON_CPU,
    Devices,
    FoundGpu,
    devices_for,
    devices_of,
    found_gpus,
)
from autotuner.workers.machine import MachineReader, gpu_kinds

H100 = FoundGpu("0", "NVIDIA H100 80GB HBM3", 79.6)
NODE = (H100, FoundGpu("1", "NVIDIA H100 80GB HBM3", 79.6), FoundGpu("2", "NVIDIA L40S", 45.0))


def meant(requested: str, found: Sequence[FoundGpu] = NODE, gpu: str | None = None) -> Devices:
    return devices_of(requested, gpu=gpu, look=lambda: found)


def test_devices_are_found_by_what_is_requested() -> None:
    assert meant("cpu") == Devices("cpu", ("cpu",))
    assert meant("all", ()) == Devices("cpu", ("cpu",))
    assert meant("all", NODE[:2]) == Devices("h100_sxm", ("0", "1"))
    assert meant("1, 1,0") == Devices("h100_sxm", ("1", "0"))
    assert meant("2") == Devices("l40s", ("2",))
    assert (meant("0,1").gpus, meant("cpu").gpus) == (2, 0)
    assert meant("0", (), gpu="mi300x") == Devices("mi300x", ("0",))


def test_gpus_are_grouped_by_kind_whether_the_catalog_knows_them_or_not() -> None:
    unknown = FoundGpu("3", "Frobnicator 3000", 16.0)
    kinds = gpu_kinds((*NODE, unknown))
    assert [(kind.name, kind.count) for kind in kinds] == [
        ("h100_sxm", 2),
        ("l40s", 1),
        ("Frobnicator 3000", 1),
    ]
    assert [kind.entry is not None for kind in kinds] == [True, True, False]
    assert kinds[2].memory_gib == 16.0 and gpu_kinds(()) == ()


@pytest.mark.parametrize(
    ("requested", "found", "reported"),
    [
        ("all", NODE, "different kinds: h100_sxm, l40s"),
        ("7", NODE, "'7' is no GPU"),
        ("gpu0", (), "'gpu0' is no GPU"),
        ("0", (), "no GPU is found"),
        ("0", (FoundGpu("0", "NVIDIA A100-SXM-64GB", 63.4),), "not in the catalog"),
        ("0", (FoundGpu("0", "Frobnicator 3000", 16.0),), "Frobnicator"),
    ],
)
def test_devices_that_cannot_be_meant_are_refused(
    requested: str, found: Sequence[FoundGpu], reported: str
) -> None:
    with pytest.raises(AutotunerError, match=reported):
        meant(requested, found)


def test_a_gpu_that_the_catalog_does_not_know_is_refused() -> None:
    with pytest.raises(AutotunerError, match="h1000"):
        meant("0", (H100,), gpu="h1000")


@pytest.mark.parametrize("requested", ["all", "cpu"])
def test_a_kind_of_gpu_without_one_is_refused(requested: str) -> None:
    with pytest.raises(AutotunerError, match=f"--gpu h100: --devices {requested} gives") as caught:
        meant(requested, (), gpu="h100")
    assert "--devices" in caught.value.remedy
    assert meant(requested, (), gpu="cpu") == ON_CPU


EIGHT = tuple(
    FoundGpu(str(n), "NVIDIA H100 80GB HBM3", 79.6, f"GPU-{n}f3c-{n}{n}{n}{n}") for n in range(8)
)


def test_gpus_may_be_named_by_uuid_and_instances_with_what_they_are() -> None:
    assert meant("GPU-2f3c-2222,gpu-3f", EIGHT) == Devices("h100_sxm", ("2", "3"))
    assert meant("2,GPU-2f3c", EIGHT).names == ("2",), "each once"
    assert meant("MIG-1a,MIG-2b", EIGHT, gpu="h100") == Devices("h100_sxm", ("MIG-1a", "MIG-2b"))
    assert meant("GPU-77", (), gpu="mi300x") == Devices("mi300x", ("GPU-77",))
    for requested in ("MIG-1a", "GPU-9"):
        with pytest.raises(AutotunerError, match=f"'{requested}' is no GPU"):
            meant(requested, EIGHT)


def allowed(requested: str, names: Sequence[str], **more: str) -> Devices:
    return devices_of(requested, allowed=names, look=lambda: EIGHT, **more)


def test_what_the_environment_leaves_is_what_a_worker_may_use() -> None:
    assert allowed("all", ("2", "3")).names == ("2", "3")
    assert allowed("all", ("GPU-5f3c-5555",)).names == ("5",)
    assert allowed("3", ("2", "3")).names == ("3",)
    assert allowed("all", ()) == ON_CPU
    assert allowed("cpu", ("2",)) == ON_CPU
    with pytest.raises(AutotunerError, match="does not let this process use 4"):
        allowed("3,4", ("2", "3"))
    found = devices_of("all", gpu="mi300x", allowed=("0", "1"), look=lambda: ())
    assert found == Devices("mi300x", ("0", "1")), "no driver's tool tells"


def of_task(
    count: int,
    requested: str | None = None,
    allowed: Sequence[str] | None = None,
    found: Sequence[FoundGpu] = EIGHT,
    gpu: str = "h100",
) -> tuple[str, ...]:
    chosen = devices_for(
        gpu_named(gpu), count, requested=requested, allowed=allowed, look=lambda: found
    )
    return chosen.names


def test_a_task_gets_as_many_gpus_as_it_needs() -> None:
    assert of_task(2) == ("0", "1")
    assert of_task(2, requested="2,3") == ("2", "3")
    assert of_task(1, requested="3,2") == ("3",)
    assert of_task(2, allowed=("4", "5", "6")) == ("4", "5")
    assert of_task(1, found=NODE, gpu="l40s") == ("2",), "of the kind that it names"
    assert of_task(2, found=()) == ("0", "1"), "no driver's tool tells"
    assert devices_for(None, 0) == devices_for(gpu_named("cpu"), 1) == ON_CPU


@pytest.mark.parametrize(
    ("requested", "allowed", "reported"),
    [
        ("2,3", None, "--devices 2,3 gives 2"),
        (None, ("7",), "CUDA_VISIBLE_DEVICES gives 1"),
        ("all", ("7",), "--devices all gives 1"),
        ("8,9,10,11", None, "'8' is no GPU"),
    ],
)
def test_too_few_gpus_for_a_task_are_reported_before_any_launch(
    requested: str | None, allowed: Sequence[str] | None, reported: str
) -> None:
    with pytest.raises(AutotunerError, match=reported):
        of_task(4, requested, allowed)


def test_gpus_for_a_task_on_the_cpu_are_a_mistake() -> None:
    with pytest.raises(AutotunerError, match=r"--devices 2: the task names no GPU"):
        devices_for(None, 0, requested="2", look=lambda: EIGHT)


LISTED = "0, NVIDIA L40S, 46068, GPU-0c\n1, NVIDIA GB10, [N/A], GPU-1c\n"
BY_COMMAND = (FoundGpu("0", "NVIDIA L40S", 46068 / 1024, "GPU-0c"),)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The driver's command, which lists a GPU and one whose memory it does not tell."""
    path = tmp_path / "nvidia-smi"
    path.write_text(f"#!/bin/sh\nprintf '{LISTED}'\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return path


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The driver's library, which tells of two GPUs; the patches of its functions."""
    functions = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda gpu: H100.product,
        "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(total=int(79.5 * 2**30)),
        "nvmlDeviceGetUUID": lambda gpu: f"GPU-{gpu}a",
    }
    for name, function in functions.items():
        monkeypatch.setattr(pynvml, name, function)
    return monkeypatch


def fails(*_: object) -> None:
    raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


@pytest.mark.usefixtures("library", "command")
def test_gpus_are_those_of_the_drivers_library() -> None:
    assert found_gpus() == tuple(
        FoundGpu(str(n), "NVIDIA H100 80GB HBM3", 79.5, f"GPU-{n}a") for n in range(2)
    )


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize("function", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetMemoryInfo"])
def test_the_command_is_asked_where_the_library_does_not_answer(
    function: str, library: pytest.MonkeyPatch
) -> None:
    library.setattr(pynvml, function, fails)
    assert found_gpus() == BY_COMMAND


def test_a_gpu_that_cannot_be_read_hides_no_other(
    command: Path, library: pytest.MonkeyPatch
) -> None:
    def handle(index: int) -> int:
        if index == 0:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return index

    library.setattr(pynvml, "nvmlDeviceGetHandleByIndex", handle)
    assert found_gpus() == BY_COMMAND
    command.write_text("#!/bin/sh\necho 'Unable to determine the device handle'\nexit 15\n")
    assert [gpu.uuid for gpu in found_gpus()] == ["GPU-1a"]
    memory = SimpleNamespace(total=80 * 2**30, used=2**30)
    library.setattr(pynvml, "nvmlDeviceGetMemoryInfo", lambda gpu: memory)
    for function in ("UtilizationRates", "PowerUsage", "Temperature"):
        library.setattr(pynvml, f"nvmlDeviceGet{function}", fails)
    assert [gpu.index for gpu in MachineReader()().gpus] == [1]


def test_without_a_driver_there_are_no_gpus(command: Path, library: pytest.MonkeyPatch) -> None:
    library.setattr(pynvml, "nvmlInit", fails)
    command.write_text("#!/bin/sh\nprintf 'No devices were found'\nexit 6\n")
    assert found_gpus() == ()
    command.unlink()
    assert found_gpus() == ()
