"""Calibration: what measured points teach, and how far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autotuner.predict.gaussian_process  # noqa: F401 - loads before any example is timed
from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate, closed_loops
from autotuner.predict import Observation, Prediction, Predictions, Predictor, Scenario, tok_s
from autotuner.predict.calibration import (
    CPU_DRIFT,
    CalibratedPredictor,
)
from autotuner.predict.calibration_kernel import (
    LEVELS,
    Place,
    calibration_hyperparameters,
    covariance,
)
from autotuner.predict.residual_process import Posterior, ResidualProcess, most_informative
from autotuner.predict.roofline.predictor import RooflinePredictor
from autotuner.testing.predictor_contract import PredictorContract

LEVELS_ASKED = closed_loops(1, 8, 64)
BASE = RooflinePredictor()


def scenario(model: str = "Qwen/Qwen3-32B", engine: str = "vllm", gpu: str = "h200") -> Scenario:
    known = known_model(model)
    assert known is not None
    device = gpu_named(gpu)
    return Scenario(known.id, known.facts, engine, None, device, device.name, 1024, 256)


def layout(width: int = 4) -> Candidate:
    return Candidate.from_settings({"system.gpu_type": "h200", "parallel.tensor_parallel": width})


def observed(
    where: Scenario, candidate: Candidate, *, ttft: float, tpot: float, launch: str = "a"
) -> list[Observation]:
    """What a launch shows where the truth is the base's answer times these factors."""
    answer = BASE.predict(where, [candidate], LEVELS_ASKED)
    return [
        Observation(
            model=where.model,
            family=where.facts.architecture,
            engine=where.engine,
            engine_version=None,
            device=where.device,
            devices=point.devices,
            settings=candidate.settings(),
            isl=where.isl,
            osl=where.osl,
            load=point.load,
            ttft_ms=point.ttft_ms * ttft,
            tpot_ms=point.tpot_ms * tpot,
            tok_s=tok_s(point.load.value, point.ttft_ms * ttft, point.tpot_ms * tpot, where.osl),
            base=BASE.name,
            base_ttft_ms=point.ttft_ms,
            base_tpot_ms=point.tpot_ms,
            launch=launch,
        )
        for point in answer
    ]


def ask(
    observations: Sequence[Observation], where: Scenario, candidate: Candidate
) -> tuple[Prediction, Prediction]:
    """The base's and the calibrated answer at 8 concurrent requests."""
    base = BASE.predict(where, [candidate], closed_loops(8))
    answer = CalibratedPredictor(BASE, observations).predict(where, [candidate], closed_loops(8))
    return base.points[0], answer.points[0]


class TestCalibratedPredictor(PredictorContract):
    def predictor(self) -> Predictor:
        where = scenario()
        return CalibratedPredictor(BASE, observed(where, layout(), ttft=2.0, tpot=1.3))

    def scenario(self) -> Scenario:
        return scenario()

    def candidates(self) -> Sequence[Candidate]:
        return [layout(1), layout(2), layout(8)]


def test_without_observations_the_answer_is_the_base_s() -> None:
    base, reported = ask([], scenario(), layout())
    assert reported == base


def test_a_measured_launch_corrects_its_own_layout_almost_fully() -> None:
    where = scenario()
    base, reported = ask(observed(where, layout(), ttft=2.0, tpot=1.3), where, layout())
    assert reported.ttft_ms == pytest.approx(2.0 * base.ttft_ms, rel=0.12)
    assert reported.tpot_ms == pytest.approx(1.3 * base.tpot_ms, rel=0.06)


def test_a_measured_launch_corrects_a_neighbour_in_part_and_less_surely() -> None:
    where = scenario()
    seen = observed(where, layout(4), ttft=2.0, tpot=1.3)
    _, own = ask(seen, where, layout(4))
    base, neighbour = ask(seen, where, layout(2))
    assert base.ttft_ms < neighbour.ttft_ms < 2.0 * base.ttft_ms
    assert base.tpot_ms < neighbour.tpot_ms < 1.3 * base.tpot_ms
    assert neighbour.ttft_log_std > own.ttft_log_std


@pytest.mark.parametrize("quantity", ["ttft_ms", "tpot_ms"])
def test_the_nearer_the_task_the_more_it_teaches(quantity: str) -> None:
    """The same task, then the same model on another engine, then another model and engine."""
    where = scenario()
    moved = []
    for taught in (
        scenario(),
        scenario(engine="sglang"),
        scenario("meta-llama/Llama-3.1-8B-Instruct", engine="trtllm", gpu="b200"),
    ):
        base, reported = ask(observed(taught, layout(), ttft=2.0, tpot=2.0), where, layout())
        moved.append(math.log(getattr(reported, quantity) / getattr(base, quantity)))
    assert moved[0] > moved[1] > moved[2] > -0.05


def test_observations_of_another_base_predictor_teach_nothing() -> None:
    where = scenario()
    other = [replace(seen, base="another-1") for seen in observed(where, layout(), ttft=9, tpot=9)]
    base, reported = ask(other, where, layout())
    assert reported == base


def test_throughput_follows_from_the_latencies() -> None:
    where = scenario()
    _, reported = ask(observed(where, layout(), ttft=2.0, tpot=1.3), where, layout())
    assert reported.tok_s == pytest.approx(
        tok_s(8, reported.ttft_ms, reported.tpot_ms, where.osl), rel=0.02
    )


def test_what_little_s_law_leaves_over_is_learnt_too() -> None:
    where = scenario()
    seen = [replace(o, tok_s=0.8 * o.tok_s) for o in observed(where, layout(), ttft=1, tpot=1)]
    _, reported = ask(seen, where, layout())
    assert reported.tok_s == pytest.approx(
        0.8 * tok_s(8, reported.ttft_ms, reported.tpot_ms, where.osl), rel=0.06
    )


def test_the_source_names_what_was_learnt_from() -> None:
    where = scenario()
    _, reported = ask(observed(where, layout(), ttft=2.0, tpot=1.3), where, layout())
    assert "roofline-3" in reported.source
    assert "3 of 3 observations" in reported.source


def test_what_does_not_fit_and_what_is_refused_stays_so() -> None:
    class Base:
        name = "base-1"

        def supports(self, scenario: Scenario) -> object:
            return BASE.supports(scenario)

        def predict(self, *asked: object) -> Predictions:
            return Predictions(self.name, (), {}, {"x": "no idea"})

    where = scenario()
    seen = [replace(o, base="base-1") for o in observed(where, layout(), ttft=2.0, tpot=1.3)]
    base: object = Base()
    answer = CalibratedPredictor(base, seen).predict(where, [layout()], closed_loops(8))  # type: ignore[arg-type] # reason: a base in brief
    assert answer.refused == {"x": "no idea"}


def test_on_a_cpu_a_second_launch_is_less_sure_than_the_first_was_exact() -> None:
    where = scenario("Qwen/Qwen3-0.6B", engine="vllm", gpu="cpu")
    speed = {"bandwidth_gb_s": 30.0, "tflops": {"float32": 0.2}, "memory_gib": 24.0}
    where = replace(where, gpu=replace(where.gpu, **speed))
    candidate = Candidate.from_settings({"system.gpu_type": "cpu"})
    _, reported = ask(observed(where, candidate, ttft=1.2, tpot=1.2), where, candidate)
    assert reported.tpot_log_std >= math.sqrt(CPU_DRIFT)


places = st.builds(
    Place,
    model=st.sampled_from(["a", "b"]),
    family=st.sampled_from(["f", None]),
    engine=st.sampled_from(["vllm", "llamacpp"]),
    device=st.sampled_from(["h100", "cpu"]),
    launch=st.sampled_from(["1", "2", None]),
    settings=st.fixed_dictionaries(
        {},
        optional={
            "parallel.tensor_parallel": st.sampled_from([1, 2, 8]),
            "quantization.kvcache_mode": st.sampled_from(["fp8", "int8"]),
            "scheduling.max_running_requests": st.integers(1, 512),
            "attention.enable_prefix_caching": st.booleans(),
        },
    ),
    isl=st.floats(1, 1e5),
    osl=st.floats(1, 1e4),
    in_flight=st.integers(1, 2048).map(float),
    base_ttft_ms=st.floats(0.1, 1e6),
    base_tpot_ms=st.floats(0.1, 1e4),
)
points = st.lists(st.tuples(places, st.floats(-4, 4)), min_size=1, max_size=8)


@given(points, places)
def test_learning_never_makes_less_sure_and_never_depends_on_the_order(
    seen: list[tuple[Place, float]], asked: Place
) -> None:
    hyperparameters = calibration_hyperparameters()["all"].by_quantity["ttft"]
    before = ResidualProcess([], [], hyperparameters).at([asked])
    after = ResidualProcess(*zip(*seen, strict=True), hyperparameters).at([asked])
    again = ResidualProcess(*zip(*reversed(seen), strict=True), hyperparameters).at([asked])
    assert after.log_std[0] <= before.log_std[0] * (1 + 1e-9)
    assert after.log_std[0] ** 2 >= hyperparameters.noise * (1 - 1e-9)
    assert after.mean[0] == pytest.approx(again.mean[0], abs=1e-6)


@given(points, points)
def test_learning_in_two_steps_is_learning_at_once(
    first: list[tuple[Place, float]], second: list[tuple[Place, float]]
) -> None:
    hyperparameters = calibration_hyperparameters()["all"].by_quantity["tpot"]
    both = [*first, *second]
    asked = [place for place, _ in both]
    at_once = ResidualProcess(asked, [r for _, r in both], hyperparameters).at(asked)
    prior = ResidualProcess([p for p, _ in first], [r for _, r in first], hyperparameters).at(asked)
    seen = list(range(len(first), len(both)))
    in_steps = prior.after(seen, [r for _, r in second])
    assert in_steps.mean == pytest.approx(at_once.mean, abs=1e-5)
    assert in_steps.log_std == pytest.approx(at_once.log_std, abs=1e-5)


@given(places, places)
def test_a_place_is_most_like_itself(one: Place, other: Place) -> None:
    hyperparameters = calibration_hyperparameters()["all"].by_quantity["ttft"]
    table = covariance([one, other], [one, other], hyperparameters)
    assert table[0, 1] == pytest.approx(table[1, 0])
    assert table[0, 1] <= math.sqrt(table[0, 0] * table[1, 1]) * (1 + 1e-9)


def test_every_set_of_constants_says_every_level_and_what_it_was_fitted_on() -> None:
    sets = calibration_hyperparameters()
    assert "all" in sets
    for chosen in sets.values():
        assert chosen.fitted_on
        for hyperparameters in chosen.by_quantity.values():
            assert set(hyperparameters.offset) <= set(LEVELS)
            assert hyperparameters.noise > 0


def a_line(length: int, model: str = "m") -> list[Place]:
    """Launches that differ in nothing but how wide they are: one place each, evenly apart."""
    return [
        Place(
            *(model, "F", "vllm", "h100", f"{model} {n}"),
            settings={"parallel.tensor_parallel": 2**n},
            isl=1024,
            osl=256,
            in_flight=8.0,
            base_ttft_ms=100,
            base_tpot_ms=10,
        )
        for n in range(length)
    ]


def posteriors(where: Sequence[Place]) -> list[Posterior]:
    """Of TTFT and TPOT, before anything is measured."""
    sets = calibration_hyperparameters()["all"].by_quantity
    return [ResidualProcess([], [], sets[quantity]).at(where) for quantity in ("ttft", "tpot")]


@pytest.mark.parametrize("length", [3, 5, 7, 9])
def test_the_middle_of_a_line_of_launches_names_the_most(length: int) -> None:
    launches = [[place] for place in range(length)]
    assert most_informative(posteriors(a_line(length)), launches) == length // 2
    turned = [launches[(place + 2) % length] for place in range(length)]
    assert turned[most_informative(posteriors(a_line(length)), turned)] == [length // 2]


def test_a_launch_of_two_loads_names_more_than_one_of_them() -> None:
    (place,) = a_line(1)
    loads = [replace(place, in_flight=float(n)) for n in (1, 64)]
    assert most_informative(posteriors(loads), [[0], [0, 1], [1]]) == 1


def test_a_launch_that_is_measured_is_not_chosen_again_where_another_teaches() -> None:
    """One of them stands alone: it is nobody's middle, but its turn comes all the same."""
    where = [*a_line(5), *a_line(1, "another")]
    launches = [[place] for place in range(len(where))]
    left, chosen = posteriors(where), []
    for _ in where:
        chosen.append(most_informative(left, launches))
        left = [posterior.after(launches[chosen[-1]], [0.3]) for posterior in left]
    assert sorted(chosen) == list(range(len(where)))


@pytest.mark.slow
@given(
    st.lists(places, min_size=2, max_size=8),
    st.lists(st.floats(-4, 4), min_size=8, max_size=8),
    st.data(),
)
def test_which_launch_names_the_most_does_not_depend_on_what_was_measured(
    where: list[Place], residuals: list[float], data: st.DataObject
) -> None:
    seen = data.draw(st.lists(st.integers(0, len(where) - 1), unique=True))
    values = residuals[: len(seen)]
    launches = [[place] for place in range(len(where))]
    one = [posterior.after(seen, values) for posterior in posteriors(where)]
    other = [posterior.after(seen, [0.0] * len(seen)) for posterior in posteriors(where)]
    assert most_informative(one, launches) == most_informative(other, launches)
