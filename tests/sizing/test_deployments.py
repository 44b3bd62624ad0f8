"""Replicas under a traffic: never fewer for more of it, never more for a looser SLO."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.sizing import (
    LoadCurve,
    Replica,
    ReplicaLevel,
    ServiceLevel,
    Traffic,
    ValueInterval,
    cheapest,
    deployment,
    deployments,
    grown,
    nearest,
)


def level(users: int, requests_per_s: float, ttft_ms: float, spread: float = 1.0) -> ReplicaLevel:
    def around(value: float) -> ValueInterval:
        return ValueInterval(value, value / spread, value * spread)

    return ReplicaLevel(
        LoadLevel.concurrency(users),
        around(requests_per_s),
        1000 * users / requests_per_s,
        {"ttft_ms": around(ttft_ms)},
    )


def replica(*levels: ReplicaLevel, devices: int = 2, usd: float | None = 3.0) -> Replica:
    return Replica(("gpu", str(len(levels))), devices, LoadCurve(levels), 100, 50, usd)


THREE = replica(level(1, 1, 100), level(4, 3, 300), level(16, 8, 900))


def rate(requests_per_s: float, ttft_ms: float = 500, headroom: float = 0.2) -> ServiceLevel:
    return ServiceLevel(Traffic(rate=requests_per_s), {"ttft_ms": ttft_ms}, headroom)


def test_the_highest_level_within_the_limits_is_what_a_replica_holds() -> None:
    found = deployment(THREE, rate(12))
    assert found is not None
    assert found.capacity.level.load == LoadLevel.concurrency(4)
    assert (found.replicas, found.devices) == (5, 10)  # 12 / (3 x 0.8)
    assert found.utilisation == pytest.approx(0.8)
    assert found.usd_per_hour == 30
    assert found.costs.usd_per_million_tokens == pytest.approx(30 / (12 * 50 * 3600) * 1e6)


def test_between_two_levels_latencies_are_interpolated_and_these_are_named() -> None:
    found = deployment(THREE, rate(2, headroom=0))
    assert found is not None
    assert found.latencies_ms == {"ttft_ms": pytest.approx(200)}
    assert found.between == (LoadLevel.concurrency(1), LoadLevel.concurrency(4))
    low = deployment(THREE, rate(0.1))
    assert low is not None
    assert (low.latencies_ms, low.between) == ({"ttft_ms": 100}, (LoadLevel.concurrency(1),))


def test_nothing_is_taken_from_beyond_the_highest_level() -> None:
    found = deployment(THREE, rate(100, ttft_ms=1e9, headroom=0))
    assert found is not None
    assert found.replicas == math.ceil(100 / 8)
    assert THREE.curve.place(8.1) is None


def test_a_level_above_one_that_misses_does_not_count() -> None:
    odd = replica(level(1, 1, 100), level(2, 2, 700), level(4, 4, 400))
    found = deployment(odd, rate(1))
    assert found is not None and found.capacity.level.load == LoadLevel.concurrency(1)


def test_users_are_the_requests_in_flight_and_those_who_think() -> None:
    slo = {"ttft_ms": 500.0}
    waiting = deployment(THREE, ServiceLevel(Traffic(users=8), slo, 0))
    assert waiting is not None
    assert (waiting.replicas, waiting.requests_per_s) == (2, pytest.approx(6))
    thinking = deployment(THREE, ServiceLevel(Traffic(users=8, think_s=2), slo, 0))
    assert thinking is not None
    assert thinking.replicas == 1  # 4 in flight + 3 requests/s x 2 s = 10 users
    # On the way from (3 users, 1 req/s) to (10 users, 3 req/s).
    assert thinking.requests_per_s == pytest.approx(1 + 2 * 5 / 7)


@pytest.mark.parametrize("rate_of_16", [10.0, 9.99])
def test_on_a_plateau_of_throughput_the_higher_level_holds_more_users(rate_of_16: float) -> None:
    flat = replica(level(8, 10.0, 100), level(16, rate_of_16, 400))
    found = deployment(flat, ServiceLevel(Traffic(users=128), {"ttft_ms": 500}, 0))
    assert found is not None
    assert found.capacity.level.load == LoadLevel.concurrency(16)
    assert (found.replicas, found.utilisation) == (8, 1)
    assert found.requests_per_s == pytest.approx(8 * rate_of_16)
    assert found.latencies_ms == {"ttft_ms": 400}
    assert found.between == (LoadLevel.concurrency(16),)
    halfway = deployment(flat, ServiceLevel(Traffic(users=12), {"ttft_ms": 500}, 0))
    assert halfway is not None and halfway.latencies_ms == {"ttft_ms": pytest.approx(250)}


def test_of_a_rate_the_level_with_most_throughput_counts() -> None:
    falling = replica(level(8, 10, 100), level(16, 9, 400))
    found = deployment(falling, rate(20, headroom=0))
    assert found is not None
    assert found.capacity.level.load == LoadLevel.concurrency(8)
    assert (found.replicas, found.latencies_ms) == (2, {"ttft_ms": 100})


def test_replicas_that_are_used_to_the_last_are_at_their_capacity() -> None:
    # Five times the capacity, over five: a share more than it in the last digit.
    most = 13.866089912127423
    asked = 69.33044956063712
    assert asked / 5 > most
    found = deployment(replica(level(1, 1, 100), level(4, most, 300)), rate(asked, headroom=0))
    assert found is not None
    assert (found.replicas, found.latencies_ms) == (5, {"ttft_ms": 300})
    assert found.between == (LoadLevel.concurrency(4),)


def test_intervals_give_the_fewest_and_the_most_replicas() -> None:
    unsure = replica(level(1, 1, 100, 1.5), level(4, 3, 400, 1.5), level(16, 8, 600, 1.5))
    found = deployment(unsure, rate(12, headroom=0))
    assert found is not None
    assert (found.least, found.replicas, found.most) == (1, 4, 18)
    never = deployment(replica(level(1, 1, 400, 1.5)), rate(1))
    assert never is not None and never.most is None


def test_the_smallest_comes_first_and_the_cheapest_is_known() -> None:
    small = replica(level(1, 10, 100), devices=1, usd=9.0)
    wide = replica(level(1, 10, 100), level(2, 15, 100), devices=2, usd=1.0)
    unpriced = replica(level(1, 1, 100), devices=8, usd=None)
    found = deployments([wide, unpriced, small], rate(7))
    assert [made.replica for made in found] == [small, wide, unpriced]
    assert cheapest(found) == found[1]
    assert cheapest(found[2:]) is None


def test_the_limit_that_keeps_every_replica_out_is_named() -> None:
    slow, slower = replica(level(1, 1, 600)), replica(level(1, 1, 900))
    assert deployments([slow, slower], rate(1)) == []
    found = nearest([slower, slow], {"ttft_ms": 500})
    assert found is not None
    assert found[0] is slow
    assert (found[1].name, found[1].over) == ("ttft_ms", pytest.approx(0.2))
    assert nearest([slow], {"ttft_ms": 700}) is None
    unknown = nearest([slow], {"tpot_ms": 5})
    assert unknown is not None and unknown[1].value_ms is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "one of the two"),
        ({"rate": 1, "users": 2}, "one of the two"),
        ({"rate": 0}, "above 0"),
        ({"users": math.inf}, "no service"),
        ({"rate": 1e308}, "no service"),
        ({"rate": 1e-320}, "no service"),
        ({"users": 1, "think_s": 1e300}, "think time"),
        ({"rate": 1, "think_s": -1}, "think time"),
    ],
)
def test_what_is_no_traffic_is_refused(values: Mapping[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Traffic(**values)
    with pytest.raises(ValueError, match="head room"):
        ServiceLevel(Traffic(rate=1), {}, 1.0)


def test_traffic_grows_by_the_same_share_each_month() -> None:
    rates = [one.rate for one in grown(Traffic(rate=100), 0.1, 2)]
    assert rates == [100, pytest.approx(110), pytest.approx(121)]


CURVES = st.lists(st.tuples(st.floats(0.1, 100), st.floats(1, 1e4)), min_size=1, max_size=6).map(
    lambda rows: replica(*(level(2**n, r, t, 1.3) for n, (r, t) in enumerate(rows)))
)
AMOUNTS = st.floats(0.01, 1e4)
LIMITS = st.floats(1, 1e4)


def traffics(amount: float, by_users: bool, think_s: float) -> Traffic:
    return Traffic(users=amount, think_s=think_s) if by_users else Traffic(rate=amount)


@given(
    st.lists(CURVES, min_size=1, max_size=3),
    AMOUNTS,
    st.floats(1, 10),
    st.booleans(),
    st.floats(0, 30),
    LIMITS,
    st.floats(1, 10),
    st.floats(0, 0.9),
)
def test_more_traffic_never_takes_fewer_and_a_looser_slo_never_more(
    ones: list[Replica],
    amount: float,
    factor: float,
    by_users: bool,
    think_s: float,
    limit: float,
    looser: float,
    headroom: float,
) -> None:
    traffic, slo = traffics(amount, by_users, think_s), {"ttft_ms": limit}
    found = deployments(ones, ServiceLevel(traffic, slo, headroom))
    grown_to = deployments(ones, ServiceLevel(traffic.times(factor), slo, headroom))
    eased = deployments(ones, ServiceLevel(traffic, {"ttft_ms": limit * looser}, headroom))
    for one in ones:
        now, more, less = (
            next((d for d in some if d.replica is one), None) for some in (found, grown_to, eased)
        )
        assert (now is None) == (more is None)
        if now is None or more is None:
            continue
        assert less is not None
        assert less.replicas <= now.replicas <= more.replicas
        assert now.least <= now.replicas
        assert now.most is None or now.most >= now.replicas
        assert now.utilisation <= 1 - headroom + 1e-6
        assert all(now.latencies_ms[n] <= value + 1e-6 for n, value in slo.items())
        assert now.requests_per_s <= now.capacity.requests_per_s * now.replicas * (1 + 1e-9)
    if found and eased:
        assert eased[0].devices <= found[0].devices
