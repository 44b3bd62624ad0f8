"""Where a closed loop settles, against a loop that is played through step by step."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.predict.closed_loop import Loop, settle


def loop(
    users: float, *, mixes: bool, prompt_s: float = 0.1, later: float = 50, group: float = 1.0
) -> Loop:
    """Prompts one by one, each `prompt_s`; decoding takes 10 ms and 0.1 ms per sequence."""

    def decode_s(sequences: float) -> float:
        return 0.01 + 0.0001 * sequences

    def prompts_s(prompts: float, sequences: float) -> float:
        beside = min(sequences, users - prompts) if mixes else 0.0
        return prompts * (prompt_s + (decode_s(beside) if beside > 0 else 0.0))

    return Loop(
        users=users,
        group=group,
        later_tokens=later,
        tokens_per_step=1.0,
        mixes=mixes,
        prompts_a_step=1.0,
        decode_s=decode_s,
        prompts_s=prompts_s,
    )


@pytest.mark.parametrize("mixes", [True, False])
def test_a_user_alone_waits_for_nobody(mixes: bool) -> None:
    settled = settle(loop(1, mixes=mixes))
    assert settled.ttft_s == pytest.approx(0.1)
    assert settled.tpot_s == pytest.approx(0.0101)


def test_users_in_step_are_computed_after_each_other_and_decode_together() -> None:
    settled = settle(loop(8, mixes=False, group=8))
    # The i-th of 8 prompts is through after i x 0.1 s; who is through waits for the last one.
    assert settled.ttft_s == pytest.approx(0.45)
    assert settled.ttft_s + 50 * settled.tpot_s == pytest.approx(0.8 + 50 * 0.0108)


def test_users_in_step_get_a_token_from_each_step_that_computes_others() -> None:
    settled = settle(loop(8, mixes=True, group=8))
    assert settled.ttft_s == pytest.approx(0.45, rel=0.01)
    # The mean user waits 0.35 s while the rest of its group is computed, 3.5 tokens come in it.
    assert 50 * settled.tpot_s == pytest.approx(0.35 + 46.5 * 0.0108, rel=0.02)


@pytest.mark.parametrize("users", [2, 5, 12, 40])
def test_prompts_first_is_what_playing_it_through_gives(users: int) -> None:
    settled = settle(loop(users, mixes=False))
    round_s = played_through(users, prompt_s=0.1, later=50)
    assert settled.ttft_s + 50 * settled.tpot_s == pytest.approx(round_s, rel=0.2)


@given(st.booleans(), st.floats(1, 500), st.floats(0.001, 2), st.floats(0, 2000))
@settings(max_examples=200)
def test_little_s_law_holds_and_no_more_work_is_done_than_there_is_time_for(
    mixes: bool, users: float, prompt_s: float, later: float
) -> None:
    settled = settle(loop(users, mixes=mixes, prompt_s=prompt_s, later=later))
    round_s = settled.ttft_s + later * settled.tpot_s
    assert settled.ttft_s >= prompt_s * 0.999
    assert settled.tpot_s >= 0.01
    # Prompts of all users take turns, so a round is never shorter than all of them.
    assert round_s >= users * prompt_s * 0.999


@given(
    st.booleans(),
    st.floats(2, 500),
    st.floats(0.001, 2),
    st.floats(1, 2000),
    st.floats(0.01, 0.99),
)
def test_the_share_of_time_in_prompts_is_the_rate_of_requests_times_their_time(
    mixes: bool, users: float, prompt_s: float, later: float, alike: float
) -> None:
    found = loop(users, mixes=mixes, prompt_s=prompt_s, later=later, group=1 + alike * (users - 1))
    settled = settle(found)
    groups = users / found.group
    requests_s = users / (settled.ttft_s + later * settled.tpot_s)
    busy = requests_s * found.prompts_s(found.group, settled.decoding) / found.group
    assert busy <= 1 + 1e-6
    if busy < 1 - 1e-6:
        # A group meets the others: (n - 1) / n of them.
        assert settled.tpot_in_prompts == pytest.approx(busy * (groups - 1) / groups, rel=1e-6)


def played_through(users: int, *, prompt_s: float, later: int) -> float:
    """Mean seconds of a round where prompts go first, one by one; users start at odds."""
    # A user's tokens to go, or None where its prompt waits.
    to_go: list[int | None] = [(index * later) // users + 1 for index in range(users)]
    now_s, begun, rounds = 0.0, [0.0] * users, list[float]()
    queue: list[int] = []
    while len(rounds) < 60 * users:
        if queue:
            now_s += prompt_s
            to_go[queue.pop(0)] = later
            continue
        decoding = [(user, left) for user, left in enumerate(to_go) if left is not None]
        now_s += 0.01 + 0.0001 * len(decoding)
        for user, left in decoding:
            to_go[user] = left - 1
            if left == 1:
                to_go[user] = None
                rounds.append(now_s - begun[user])
                begun[user] = now_s
                queue.append(user)
    settled = rounds[20 * users :]
    return sum(settled) / len(settled)
