"""Gaussian processes against formulas that are written out, and what holds of every one."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from autotuner.predict.gaussian_process import (
    Component,
    classified,
    conditioned,
    equal_tags,
    kernel_sum,
    matern32,
    matern52,
    normal_cdf,
    squared_distances,
)

NUMBERS = st.floats(-3, 3)


def test_linear_algebra_leaves_the_other_cores_to_engines() -> None:
    threads = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert threads
    assert set(threads) == {1}


@st.composite
def points(draw: st.DrawFn) -> np.ndarray:
    size = draw(st.integers(1, 6))
    rows = st.lists(NUMBERS, min_size=2, max_size=2)
    return np.array(draw(st.lists(rows, min_size=size, max_size=size)))


def smooth(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    similarity = {"features": matern32(squared_distances(one, other))}
    components = (Component(0.5), Component(2.0, ("features",)))
    return kernel_sum(components, similarity, (len(one), len(other)))


def test_a_kernel_is_the_sum_of_products_of_similarities() -> None:
    tags = {"red": equal_tags(["a", "b"], ["a", "b"]), "half": np.full((2, 2), 0.5)}
    table = (Component(1.0), Component(4.0, ("red", "half")), Component(0.0, ("half",)))
    found = kernel_sum(table, tags, (2, 2))
    assert found.tolist() == [[3.0, 1.0], [1.0, 3.0]]
    assert tags["half"].tolist() == [[0.5, 0.5], [0.5, 0.5]]  # nothing is computed in place


def test_an_unknown_tag_is_equal_to_nothing() -> None:
    assert equal_tags(["a", None], ["a", None]).tolist() == [[True, False], [False, False]]
    assert equal_tags([], ["a"]).shape == (0, 1)


@given(points(), points())
def test_similarities_are_one_at_no_distance_and_fall(one: np.ndarray, other: np.ndarray) -> None:
    squared = squared_distances(one, other)
    distances = np.array([[math.dist(a, b) for b in other] for a in one])
    assert np.sqrt(squared) == pytest.approx(distances, abs=1e-6)
    for matern in (matern32, matern52):
        assert float(matern(np.zeros((1, 1)))[0, 0]) == 1.0
        assert ((matern(squared) <= 1) & (matern(squared + 1.0) < matern(squared))).all()


@given(points(), points(), st.floats(0.01, 1.0), st.lists(NUMBERS, min_size=6, max_size=6))
def test_a_posterior_is_the_one_of_the_normal_distribution(
    seen: np.ndarray, asked: np.ndarray, noise: float, measured: list[float]
) -> None:
    values = np.array(measured[: len(seen)])
    among, across = smooth(seen, seen), smooth(seen, asked)
    inverse = np.linalg.inv(among + noise * np.eye(len(seen)))
    process = conditioned(among, noise, values)
    explained = process.explained(across)
    assert process.mean(across) == pytest.approx(across.T @ inverse @ values, abs=1e-8)
    assert explained.T @ explained == pytest.approx(across.T @ inverse @ across, abs=1e-8)
    density = -0.5 * values @ inverse @ values + 0.5 * np.linalg.slogdet(inverse)[1]
    assert process.log_likelihood == pytest.approx(density, abs=1e-8)
    assert (np.diag(smooth(asked, asked)) >= np.diag(explained.T @ explained) - 1e-9).all()


def test_a_covariance_that_is_none_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        conditioned(np.array([[1.0, 2.0], [2.0, 1.0]]), 0.0, np.zeros(2))


@given(st.floats(-6, 6), st.booleans(), st.floats(0.1, 10.0))
def test_one_label_moves_the_latent_value_to_the_mode(
    prior: float, succeeded: bool, variance: float
) -> None:
    covariance, at = np.array([[variance]]), np.array([prior])
    found = classified(covariance, at, np.array([succeeded]))
    latent = prior + float(found.mean(covariance)[0])
    label = 1.0 if succeeded else -1.0
    assert (latent - prior) * label >= 0

    def log_posterior(value: float) -> float:
        likelihood = float(normal_cdf(np.array([label * value]))[0])
        return math.log(max(likelihood, 1e-300)) - (value - prior) ** 2 / (2 * variance)

    best = max(log_posterior(latent + step) for step in (-0.05, 0.0, 0.05))
    assert log_posterior(latent) == pytest.approx(best, abs=1e-3)
    assert 0 <= float((found.explained(covariance) ** 2)[0, 0]) <= variance


@given(st.floats(-8, 8))
def test_the_normal_distribution_function(value: float) -> None:
    expected = NormalDist().cdf(value)
    assert float(normal_cdf(np.array([value]))[0]) == pytest.approx(expected, rel=1e-9)
