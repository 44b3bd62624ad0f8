"""The judge of calibration: what is corrected, who may teach, whose hyperparameters count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autotuner.catalog import ModelFacts, gpu_named, known_model
from autotuner.config import Candidate, LoadLevel
from autotuner.errors import AutotunerError, VerifyError
from autotuner.evaluate import accuracy as judge
from autotuner.evaluate.accuracy import Accuracy, CurvePoint, accuracy, hyperparameters_without
from autotuner.predict import Prediction, Predictions, Scenario, Support, tok_s
from autotuner.predict.calibration_kernel import Place, calibration_hyperparameters
from autotuner.predict.predictor import CLOSED_LOOPS
from autotuner.predict.residual_process import Posterior, ResidualProcess
from autotuner.verify.predicted_rows import Judged, compare_rows, judged_rows
from autotuner.verify.silicon import MeasuredRow, MeasuredTable

LAUNCHES, LOADS = 12, (1, 8, 64)
TTFT_MS, TPOT_MS = 100.0, 10.0
Factors = Callable[[str], tuple[float, float]]


class Constant:
    """The same latencies for everything, but for the widths that it refuses."""

    name = "constant-1"

    def __init__(self, refused: Sequence[int] = ()) -> None:
        self.refused = refused

    load_kinds = CLOSED_LOOPS

    def supports(self, scenario: Scenario) -> Support:
        return Support(True, "it says the same of everything")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        refused = {c.id: "too wide" for c in candidates if scenario.devices(c) in self.refused}
        reported = [(c.id, n) for c in candidates if c.id not in refused for n in load_levels]
        points = tuple(self._point(scenario, key, level) for key, level in reported)
        return Predictions(self.name, points, {}, refused)

    def _point(self, scenario: Scenario, key: str, level: LoadLevel) -> Prediction:
        tokens = tok_s(level.value, TTFT_MS, TPOT_MS, scenario.osl)
        figures = (TTFT_MS, TPOT_MS, tokens, 1, scenario.osl)
        return Prediction(key, level, *figures, 0.5, 0.5, 0.5, self.name)


def group(
    model: str,
    factors: Factors | tuple[float, float],
    *,
    facts: ModelFacts | None = None,
    gpu: str = "h200",
    launches: int = LAUNCHES,
) -> list[MeasuredRow]:
    """Launches of one model, each at `LOADS`.

    Args:
        factors: measured over predicted, TTFT and TPOT, by a row's id.
    """
    device, rows = gpu_named(gpu), []
    known = known_model(model)
    facts = facts or (known.facts if known else ModelFacts(architecture=model))
    for launch in range(launches):
        scenario = Scenario(
            *(model, facts, "vllm", None, device, device.name),
            isl=1024.0 * 2 ** (launch % 3),
            osl=256,
        )
        candidate = Candidate.from_settings({"parallel.tensor_parallel": 2 ** (launch // 3)})
        for load in range(len(LOADS)):
            name = f"{model} {gpu} {launch} {load}"
            ttft, tpot = factors(name) if callable(factors) else factors
            figures = (LOADS[load], TTFT_MS * ttft, TPOT_MS * tpot)
            rows.append(MeasuredRow(name, model, scenario, candidate, *figures))
    return rows


def table(*groups: Sequence[MeasuredRow]) -> MeasuredTable:
    return MeasuredTable(tuple(row for rows in groups for row in rows), {}, "made up")


def judged(*groups: Sequence[MeasuredRow], **options: Any) -> Accuracy:
    return accuracy(table(*groups), Constant(), seeds=2, **options)


def at(found: Accuracy, launches: int, prior: str = "none", choice: str = "chosen") -> CurvePoint:
    wanted = (launches, prior, choice)
    (point,) = (p for p in found.curve if (p.launches, p.prior, p.choice) == wanted)
    return point


def test_the_curve_has_a_point_for_every_number_of_launches_prior_and_choice() -> None:
    found = judged(group("a", (2.0, 1.5)))
    points = [(p.launches, p.prior, p.choice) for p in found.curve]
    assert points == [
        (launches, prior, choice)
        for prior in ("none", "other_models", "other_families")
        for choice in ("chosen", "random")
        for launches in (0, 1, 3, 5, 8)
    ]
    judged_at = [at(found, n).rows for n in (0, 1, 3, 5, 8)]
    assert judged_at == [len(LOADS) * (LAUNCHES - n) for n in (0, 1, 3, 5, 8)]


@pytest.mark.slow
def test_with_nothing_known_and_nothing_measured_the_error_is_the_base_s() -> None:
    found = judged(group("a", (2.0, 1.25)), group("b", (0.5, 1.25)), group("c", (2.0, 1.25)))
    assert found.base == pytest.approx({"ttft": 0.5, "tpot": 0.2})
    start = at(found, 0)
    assert (start.ttft_median_ape, start.tpot_median_ape) == pytest.approx((0.5, 0.2))
    assert (start.ttft_group_ape, start.tpot_group_ape) == pytest.approx((0.5, 0.2))


@pytest.mark.slow
def test_a_constant_error_of_each_group_is_gone_after_one_launch() -> None:
    found = judged(group("a", (3.0, 0.6)), group("b", (0.4, 2.0)), group("c", (1.8, 1.5)))
    for choice in ("chosen", "random"):
        before, after = at(found, 0, choice=choice), at(found, 1, choice=choice)
        assert after.ttft_median_ape < 0.25 * before.ttft_median_ape
        assert after.tpot_median_ape < 0.25 * before.tpot_median_ape


@pytest.mark.slow
def test_what_other_models_have_in_common_is_known_before_the_first_launch() -> None:
    found = judged(*(group(name, (2.0, 1.5)) for name in "abcd"))
    alone, reported = at(found, 0), at(found, 0, "other_models")
    # Of what engines have in common in TTFT a fifth is taken to hold for the next model.
    assert reported.ttft_median_ape < 0.75 * alone.ttft_median_ape
    assert reported.tpot_median_ape < alone.tpot_median_ape


@pytest.mark.slow
def test_the_same_model_under_another_name_or_on_another_device_teaches_nothing_of_itself() -> None:
    facts = ModelFacts(architecture="F", layers=32, hidden_size=4096)
    twins = (group("a", (4.0, 3.0), facts=facts), group("a-fp8", (4.0, 3.0), facts=facts))
    found = judged(*twins, group("a", (4.0, 3.0), facts=facts, gpu="b200"))
    alone, reported = at(found, 0), at(found, 0, "other_models")
    assert reported.ttft_median_ape == pytest.approx(alone.ttft_median_ape)
    assert reported.tpot_median_ape == pytest.approx(alone.tpot_median_ape)


def test_other_families_teach_and_models_of_the_same_do_not() -> None:
    sizes = [ModelFacts(architecture="F", layers=n, hidden_size=128 * n) for n in (16, 32)]
    family = [group(f"f{n}", (4.0, 3.0), facts=facts) for n, facts in enumerate(sizes)]
    found = judged(*family)
    start, siblings = at(found, 0), at(found, 0, "other_models")
    assert at(found, 0, "other_families").ttft_median_ape == pytest.approx(start.ttft_median_ape)
    assert siblings.ttft_median_ape < start.ttft_median_ape


@pytest.mark.parametrize("model", sorted(calibration_hyperparameters()["all"].fitted_on))
def test_there_are_constants_that_were_not_fitted_on_a_model(model: str) -> None:
    assert model not in hyperparameters_without(model).fitted_on


@pytest.mark.parametrize("prior", list(judge.PRIORS))
def test_no_group_is_judged_with_constants_that_were_fitted_on_its_model(
    prior: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where two models of one family were fitted on apart, in whichever order they come."""
    asked: list[tuple[Any, str]] = []

    class Watched(ResidualProcess):
        def at(self, places: Sequence[Place]) -> Posterior:
            asked.extend((self._constants, place.model) for place in places)
            return super().at(places)

    monkeypatch.setattr(judge, "ResidualProcess", Watched)
    models = ("meta-llama/Meta-Llama-3.1-8B", "meta-llama/Meta-Llama-3.1-70B", "Qwen/Qwen3-32B")
    for order in (models, models[::-1]):
        judged(*(group(model, (2.0, 1.5)) for model in order), priors=[prior], launches=(0, 1))
    fitted_on = {
        id(hyperparameters): chosen.fitted_on
        for chosen in calibration_hyperparameters().values()
        for hyperparameters in chosen.by_quantity.values()
    }
    assert {model for _, model in asked} == set(models)
    assert [model for used, model in asked if model in fitted_on[id(used)]] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("only", "rows"),
    [
        ({"model": "A"}, 2 * LAUNCHES * len(LOADS)),
        ({"system": "h200_sxm"}, 2 * LAUNCHES * len(LOADS)),
        ({"model": "a", "system": "B200_sxm"}, LAUNCHES * len(LOADS)),
        ({"backend": "vllm"}, 3 * LAUNCHES * len(LOADS)),
        ({}, 3 * LAUNCHES * len(LOADS)),
    ],
)
def test_a_filter_chooses_the_rows_that_are_judged(only: Mapping[str, str], rows: int) -> None:
    groups = (group("a", (2, 1)), group("a", (2, 1), gpu="b200"), group("b", (2, 1)))
    found = judged(*groups, only=only, priors=["none"])
    assert (found.rows, found.groups) == (rows, rows // (LAUNCHES * len(LOADS)))
    assert at(found, 0).rows == rows


@pytest.mark.slow
def test_rows_that_are_not_judged_still_teach() -> None:
    found = judged(*(group(name, (2.0, 1.5)) for name in "abcd"), only={"model": "a"})
    everything = judged(*(group(name, (2.0, 1.5)) for name in "abcd"))
    chosen, among_all = at(found, 0, "other_models"), at(everything, 0, "other_models")
    assert chosen.ttft_median_ape == pytest.approx(among_all.ttft_median_ape, rel=0.05)
    assert found.launches == LAUNCHES


@pytest.mark.parametrize(
    ("only", "words"),
    [
        ({"model": "Qwen/Qwen3-23B"}, "did you mean 'Qwen/Qwen3-32B'"),
        ({"system": "h200"}, "did you mean 'h200_sxm'"),
        ({"backend": "sglang"}, "known: vllm"),
        ({"model": "b", "system": "h200_sxm"}, "no measured row is left"),
    ],
)
def test_a_filter_that_leaves_nothing_is_reported_before_anything_is_predicted(
    only: Mapping[str, str], words: str
) -> None:
    class Never(Constant):
        def predict(self, *_: Any) -> Any:
            raise AssertionError

    rows = table(group("Qwen/Qwen3-32B", (2, 1)), group("b", (2, 1), gpu="b200"))
    with pytest.raises(AutotunerError, match=words):
        accuracy(rows, Never(), only=only)
    with pytest.raises(AutotunerError, match=words):
        compare_rows(rows, Never(), only=only, within=(10,), slo={})


def test_every_row_is_predicted_for_the_engine_s_version_that_it_ran_on() -> None:
    class Versioned(Constant):
        def _point(self, scenario: Scenario, key: str, level: LoadLevel) -> Prediction:
            return replace(super()._point(scenario, key, level), source=scenario.engine_version)

    rows = [
        replace(
            row, id=f"{row.id} {version}", scenario=replace(row.scenario, engine_version=version)
        )
        for row in group("a", (2, 1))
        for version in ("0.19.0", "0.24.0")
    ]
    found, _ = judged_rows(rows, Versioned())
    assert len(found) == len(rows)
    assert [one.base.source for one in found] == [one.row.scenario.engine_version for one in found]


def test_coverage_is_the_share_that_is_predicted_and_the_rest_has_its_reasons() -> None:
    rows = table(group("a", (2.0, 1.5)))
    found = accuracy(rows, Constant(refused=[8]), priors=["none"], seeds=1)
    assert found.coverage == pytest.approx(0.75)
    assert found.refused == {"too wide": len(rows.rows) // 4}
    assert found.answered_by == {"constant-1": 27}
    assert (found.groups, found.curve) == (0, ()), "nine launches are too few for a curve"
    with pytest.raises(AutotunerError, match="none of the 36 measured rows is predicted"):
        accuracy(rows, Constant(refused=[1, 2, 4, 8]))
    with pytest.raises(VerifyError, match=r"none of the 36 rows is predicted: too wide"):
        compare_rows(rows, Constant(refused=[1, 2, 4, 8]), only={}, within=(10,), slo={})


@pytest.mark.slow
def test_the_stated_interval_holds_four_in_five_of_what_the_constants_say() -> None:
    """Residuals drawn from the normal distribution that the judge starts with."""
    random = np.random.default_rng(7)
    groups = []
    for number in range(100):
        model = f"m{number}"
        rows, _ = judged_rows(group(model, (1.0, 1.0), launches=10), Constant())
        drawn = zip(*(_drawn(rows, model, name, random) for name in ("ttft", "tpot")), strict=True)
        factors = dict(zip((one.row.id for one in rows), drawn, strict=True))
        groups.append(group(model, factors.__getitem__, launches=10))
    found = judged(*groups, priors=["none"], launches=(0, 3))
    for launches in (0, 3):
        point = at(found, launches)
        assert point.interval_coverage == pytest.approx(0.8, abs=0.05)
        assert point.ttft_interval_coverage == pytest.approx(0.8, abs=0.07)
        assert point.tpot_interval_coverage == pytest.approx(0.8, abs=0.07)


def _drawn(rows: Sequence[Judged], model: str, quantity: str, random: Any) -> list[float]:
    """Measured over predicted of each row."""
    hyperparameters = hyperparameters_without(model).by_quantity[quantity]
    posterior = ResidualProcess([], [], hyperparameters).at([row.place for row in rows])
    spread = posterior.covariance + posterior.noise * np.eye(len(rows))
    drawn: list[float] = np.exp(random.multivariate_normal(posterior.mean, spread)).tolist()
    return drawn
