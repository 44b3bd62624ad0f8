"""Which prediction belongs to which measurement, and what is told of those without one."""

from __future__ import annotations

import random
from typing import Any

import pytest

from autotuner.config import LoadLevel
from autotuner.errors import VerifyError
from autotuner.verify import Point, PointFile, compare_files, match, matching
from autotuner.verify.prediction_index import PredictionIndex


def point(level: int = 8, source: str = "p", tp: int | None = 2, **shown: Any) -> Point:
    settings = {"parallel.tensor_parallel": tp} if tp else {}
    figures = {"ttft_ms": 100.0, "tpot_ms": 10.0, "tok_s": 500.0} | shown
    settings |= figures.pop("settings", {})
    return Point(LoadLevel.concurrency(level), source=source, settings=settings, **figures)


def test_points_of_one_layout_and_load_are_a_pair() -> None:
    found = match([point(8, "p8"), point(16, "p16")], [point(16, "a16")])
    assert [(p.predicted.source, p.actual.source) for p in found.pairs] == [("p16", "a16")]
    assert [(one.source, one.why) for one in found.unmatched_predicted] == [("p8", "not measured")]
    assert found.unmatched_actual == ()


@pytest.mark.parametrize(
    ("actual", "why"),
    [
        (point(model="Llama"), "model is Llama, predicted is org/Qwen"),
        (point(engine="sglang"), "engine is sglang, predicted is vllm"),
        (point(system="h200"), "system is h200, predicted is h100_sxm"),
        (point(isl=1000), "isl is 1000, predicted is 512"),
        (point(tp=4), "parallel.tensor_parallel is 4, predicted is 2"),
        (point(gpus=4), "gpus is 4, predicted is 2"),
        (point(9), "concurrency is 9, predicted is 8"),
    ],
)
def test_what_finds_no_prediction_is_listed_with_the_first_contradiction(
    actual: Point, why: str
) -> None:
    shown: dict[str, Any] = {"model": "org/Qwen", "engine": "vllm", "system": "h100_sxm"}
    predicted = [point(isl=512, gpus=2, **shown), point(512, isl=512, gpus=2, **shown)]
    found = match(predicted, [actual])
    assert (found.pairs, [one.why for one in found.unmatched_actual]) == ((), [why])


def test_names_are_compared_as_people_write_them() -> None:
    predicted = point(model="Qwen/Qwen3-32B", engine="vllm", system="h200_sxm", isl=1024)
    actual = point(model="qwen3-32b", engine="vLLM", system="H200", isl=1023.6)
    assert len(match([predicted], [actual]).pairs) == 1


def test_what_a_file_does_not_state_rules_nothing_out() -> None:
    assert len(match([point(model="m", isl=5)], [point(tp=None)]).pairs) == 1


def test_several_configurations_that_fit_are_never_guessed_from() -> None:
    found = match([point(source="tp2"), point(source="tp4", tp=4)], [point(tp=None)])
    assert found.pairs == ()
    (lonely,) = found.unmatched_actual
    assert "2 predictions fit" in lonely.why
    assert "say whether parallel.tensor_parallel was 2 or 4" in lonely.why


def test_the_prediction_with_just_the_settings_measured_wins() -> None:
    quantised = point(source="fp8", settings={"quantization.kvcache_mode": "fp8"})
    found = match([quantised, point(source="plain")], [point(source="a")])
    assert [pair.predicted.source for pair in found.pairs] == ["plain"]


def test_of_predictions_of_one_point_the_first_counts_and_the_others_are_listed() -> None:
    found = match([point(source="one"), point(source="two")], [point(source="a")])
    assert [pair.predicted.source for pair in found.pairs] == ["one"]
    ((source, why),) = [(one.source, one.why) for one in found.unmatched_predicted]
    assert source == "two"
    assert "another prediction of a" in why


def test_repeats_of_a_measurement_count_once_with_their_medians() -> None:
    repeats = [point(source=f"a{ttft}", ttft_ms=float(ttft)) for ttft in (90, 300, 110)]
    (pair,) = match([point()], repeats).pairs
    assert pair.actual.ttft_ms == 110
    assert "2 repeats" in pair.actual.source


@pytest.mark.parametrize(
    ("predicted", "actual", "word"),
    [
        ({"loop": "steady"}, {}, "steady load was predicted"),
        ({}, {"tool": "genai-bench"}, "measured by genai-bench"),
        ({"engine_version": "0.24"}, {"engine_version": "0.25"}, "version 0.24 was predicted"),
        ({}, {"lengths": "N(9,1)/(9,1)"}, "N(9,1)/(9,1) were measured"),
        ({"tpot_as": "with_first"}, {}, "TPOT with the first token"),
        ({"remarks": ("queued",)}, {}, "queued"),
        ({}, {"remarks": ("3 answers were short",)}, "short"),
    ],
)
def test_a_pair_that_is_not_like_for_like_says_why(
    predicted: dict[str, Any], actual: dict[str, Any], word: str
) -> None:
    (pair,) = match([point(**predicted)], [point(**actual)]).pairs
    assert not pair.like_for_like
    assert word in " ".join(pair.unlike)


def test_a_pair_that_is_like_for_like_has_nothing_to_say() -> None:
    (pair,) = match(
        [point(engine_version="1")], [point(engine_version="1", tool="autotuner")]
    ).pairs
    assert (pair.like_for_like, pair.unlike) == (True, ())


def test_files_with_nothing_in_common_are_an_error_that_says_why() -> None:
    one = PointFile("one.csv", "csv", (point(8),))
    two = PointFile("two.csv", "csv", (point(9, "line 2"),))
    with pytest.raises(VerifyError, match="line 2: concurrency is 9, predicted is 8"):
        compare_files(one, two)


def counted_comparisons(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls = [0]
    compare = matching.contradiction

    def counting(predicted: Point, actual: Point) -> tuple[int, str]:
        calls[0] += 1
        return compare(predicted, actual)

    monkeypatch.setattr(matching, "contradiction", counting)
    return calls


def test_a_measurement_is_compared_with_the_predictions_that_it_may_belong_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = counted_comparisons(monkeypatch)
    predicted = [point(8, f"p{tp}", tp=tp) for tp in range(1, 301)]
    found = match(predicted, [point(8, f"a{tp}", tp=tp) for tp in range(1, 301)])
    assert (len(found.pairs), calls[0]) == (300, 300)


def test_reasons_are_given_for_the_first_measurements_without_a_prediction_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = counted_comparisons(monkeypatch)
    monkeypatch.setattr(matching, "MOST_REASONS", 5)
    predicted = [point(8, f"p{tp}", tp=tp, engine="vllm") for tp in range(1, 51)]
    actual = [point(8, f"a{tp}", tp=tp, engine="sglang") for tp in range(1, 51)]
    found = match(predicted, actual)
    reasons = [one.why for one in found.unmatched_actual]
    assert reasons[:5] == ["engine is sglang, predicted is vllm"] * 5
    assert len(reasons) == 50
    assert set(reasons[5:]) == {
        "no prediction agrees with it; reasons are given for the first ones"
    }
    assert calls[0] == 5 * len(predicted)


def test_files_that_state_so_little_that_all_belongs_to_all_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matching, "MOST_COMPARED", 99)
    predicted = [point(source=f"p{tp}", tp=tp) for tp in range(1, 11)]
    with pytest.raises(VerifyError, match="more than 99 pairs"):
        match(predicted, [point(source=f"a{isl}", tp=None, isl=isl) for isl in range(1, 11)])


def test_the_index_of_predictions_hides_none_that_fits() -> None:
    chance = random.Random(7)

    def made(source: str) -> Point:
        settings = {
            f"misc.{name}": value
            for name in ("a", "b")
            if (value := chance.choice((None, 1, 1.0, "1", True, "true", 0, "FP8", "fp8", [8])))
            is not None
        }
        return point(
            chance.choice((8, 16)),
            source,
            tp=chance.choice((None, 2, 4)),
            settings=settings,
            model=chance.choice((None, "Org/M", "m", "other")),
            engine=chance.choice((None, "vLLM", "vllm", "sglang")),
            system=chance.choice((None, "H200", "h200_sxm", "mine")),
            layout=chance.choice((None, "1p1d", "1P1D")),
            gpus=chance.choice((None, 2, 4)),
        )

    predicted = [made(f"p{number}") for number in range(150)]
    index = PredictionIndex(predicted, matching.KEYS)
    fits = 0
    for number in range(150):
        measured = made(f"a{number}")
        every = [one for one in predicted if not matching.contradiction(one, measured)[1]]
        near = [one for one in index.near(measured) if not matching.contradiction(one, measured)[1]]
        assert near == every
        fits += len(every)
    assert fits > 0
