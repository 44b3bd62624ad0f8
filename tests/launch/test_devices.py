"""GPUs are shared out without overlap, and come back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from autotuner.launch.devices import Gpus, visible_gpus


@given(st.integers(1, 16), st.lists(st.tuples(st.booleans(), st.integers(1, 8)), max_size=30))
def test_no_gpu_is_given_twice_and_none_is_lost(total: int, steps: list[tuple[bool, int]]) -> None:
    gpus = visible_gpus(total, {})
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
    assert gpus == visible_gpus(total, {})


def test_neighbours_come_first_and_gaps_are_filled() -> None:
    gpus = visible_gpus(8, {})
    assert gpus.place(4) == ("0", "1", "2", "3")
    assert gpus.taken(["0"]).place(2) == ("2", "3")
    assert gpus.taken(["0", "2", "4", "6"]).place(2) == ("1", "3")
    assert gpus.taken(["0", "2", "4", "6"]).place(5) is None


def test_what_this_process_may_use_is_shared_out() -> None:
    assert visible_gpus(2, {"CUDA_VISIBLE_DEVICES": "4, 5,GPU-abc"}).names == ("4", "5")
    assert visible_gpus(4, {"CUDA_VISIBLE_DEVICES": "7"}) == Gpus(("7",))
    assert visible_gpus(0, {}).place(1) is None
