"""GPUs are shared out without overlap, and come back; an engine gets those of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.launch import ClusterCapacity
from autotuner.launch.devices import Gpus, allowed_gpus, limited_to


def machine(total: int) -> Gpus:
    return Gpus(tuple(map(str, range(total))))


@given(st.integers(1, 16), st.lists(st.tuples(st.booleans(), st.integers(1, 8)), max_size=30))
def test_no_gpu_is_given_twice_and_none_is_lost(total: int, steps: list[tuple[bool, int]]) -> None:
    gpus = machine(total)
    given_out: list[tuple[str, ...]] = []
    for takes, count in steps:
        held = sum(map(len, given_out))
        if takes:
            place = gpus.place(count)
            assert (place is not None) == (total - held >= count)
            if place is not None:
                assert len(set(place)) == count
                assert not set(place) & {name for names in given_out for name in names}
                gpus = gpus.taken(place)
                given_out.append(place)
        elif given_out:
            gpus = gpus.freed(given_out.pop(0))
    for place in given_out:
        gpus = gpus.freed(place)
    assert gpus == machine(total)


def test_neighbours_come_first_and_gaps_are_filled() -> None:
    gpus = machine(8)
    assert gpus.place(4) == ("0", "1", "2", "3")
    assert gpus.taken(["0"]).place(2) == ("2", "3")
    assert gpus.taken(["0", "2", "4", "6"]).place(2) == ("1", "3")
    assert gpus.taken(["0", "2", "4", "6"]).place(5) is None


def test_a_launch_over_several_nodes_takes_equal_parts_of_each() -> None:
    cluster = ClusterCapacity((4, 4, 2, 4), 0)
    gpus = Gpus(cluster.devices)
    first = gpus.place(8, 2)
    assert first == tuple(f"{number}@{node}" for node in (0, 1) for number in range(4))
    assert gpus.taken(first).place(8, 2) is None
    assert gpus.taken(first).place(4) == tuple(f"{number}@3" for number in range(4))
    assert gpus.place(8) is None, "of one node"
    assert [cluster.launches(8, 2), cluster.launches(12, 3), cluster.launches(16, 4)] == [1, 1, 0]
    assert [cluster.launches(4), cluster.launches(2), cluster.launches(8)] == [3, 7, 0]


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [
        ({}, None),
        ({"CUDA_VISIBLE_DEVICES": "4, 5,GPU-abc"}, ("4", "5", "GPU-abc")),
        ({"CUDA_VISIBLE_DEVICES": "MIG-1f,MIG-2e"}, ("MIG-1f", "MIG-2e")),
        ({"CUDA_VISIBLE_DEVICES": ""}, ()),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,2"}, ("1",)),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, ()),
        ({"CUDA_VISIBLE_DEVICES": "3,3"}, ("3",)),
        ({"HIP_VISIBLE_DEVICES": "6,7"}, ("6", "7")),
        ({"ROCR_VISIBLE_DEVICES": "4,6"}, ("4", "6")),
        ({"ROCR_VISIBLE_DEVICES": "4,6", "HIP_VISIBLE_DEVICES": "1"}, ("6",)),
        ({"ROCR_VISIBLE_DEVICES": "4,6", "HIP_VISIBLE_DEVICES": "1,6"}, ("6",)),
    ],
)
def test_what_an_environment_leaves_a_process_is_read(
    environment: dict[str, str], allowed: tuple[str, ...] | None
) -> None:
    assert allowed_gpus(environment) == allowed


@given(
    st.dictionaries(
        st.sampled_from(
            ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "PATH"]
        ),
        st.text("0123456789,GPU-", max_size=8),
    ),
    st.lists(st.sampled_from(["0", "2", "3", "GPU-ab", "MIG-cd"]), unique=True),
)
def test_an_engine_sees_its_own_gpus_whatever_the_environment_says(
    inherited: dict[str, str], devices: list[str]
) -> None:
    limited = limited_to(inherited, devices)
    assert allowed_gpus(limited) == tuple(devices)
    assert limited.get("PATH") == inherited.get("PATH")
