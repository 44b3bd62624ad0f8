"""Which devices an operator means, by what the driver tells."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from autotuner.errors import AutotunerError
from autotuner.workers.devices import Devices, FoundGpu, devices_of

H100 = FoundGpu("0", "NVIDIA H100 80GB HBM3", 79.6)
NODE = (H100, FoundGpu("1", "NVIDIA H100 80GB HBM3", 79.6), FoundGpu("2", "NVIDIA L40S", 45.0))


def meant(said: str, found: Sequence[FoundGpu] = NODE, gpu: str | None = None) -> Devices:
    return devices_of(said, gpu=gpu, look=lambda: found)


def test_devices_are_found_by_what_is_said() -> None:
    assert meant("cpu") == Devices("cpu", ("cpu",))
    assert meant("all", ()) == Devices("cpu", ("cpu",))
    assert meant("all", NODE[:2]) == Devices("h100_sxm", ("0", "1"))
    assert meant("1, 1,0") == Devices("h100_sxm", ("1", "0"))
    assert meant("2") == Devices("l40s", ("2",))
    assert (meant("0,1").gpus, meant("cpu").gpus) == (2, 0)
    assert meant("0", (), gpu="mi300x") == Devices("mi300x", ("0",))


@pytest.mark.parametrize(
    ("said", "found", "told"),
    [
        ("all", NODE, "different kinds: h100_sxm, l40s"),
        ("7", NODE, "'7' is no GPU"),
        ("gpu0", (), "'gpu0' is no GPU"),
        ("0", (), "no GPU is found"),
        ("0", (FoundGpu("0", "NVIDIA A100-SXM-64GB", 63.4),), "not in the catalog"),
        ("0", (FoundGpu("0", "Frobnicator 3000", 16.0),), "Frobnicator"),
    ],
)
def test_devices_that_cannot_be_meant_are_told(
    said: str, found: Sequence[FoundGpu], told: str
) -> None:
    with pytest.raises(AutotunerError, match=told):
        meant(said, found)


def test_a_gpu_that_the_catalog_does_not_know_is_told() -> None:
    with pytest.raises(AutotunerError, match="h1000"):
        meant("0", (H100,), gpu="h1000")
