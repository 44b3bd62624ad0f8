"""Mistakes in what a template is asked for: each refused in a line with its remedy."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from templates import OPEN, PASSWORD, SECRET, printed, template

from autotuner.errors import AutotunerError
from autotuner.workers.jobs import DatabaseReference, JobRequest, database_reference, job_template
from autotuner.workers.jobs.request import LIMITS


def test_a_variable_that_is_named_twice_is_there_once() -> None:
    text = template("kubernetes", variables=("HF_TOKEN", "PGPASSWORD", "HF_TOKEN")).text
    assert text.count("name: HF_TOKEN\n") == 1


@pytest.mark.parametrize("name", ["AUTOTUNER_DATABASE", "AUTOTUNER_HOME", "AUTOTUNER_LOCKS", "url"])
def test_a_variable_that_a_template_sets_is_refused(name: str) -> None:
    with pytest.raises(AutotunerError, match=f"--variable: {name} is a name") as caught:
        JobRequest(DatabaseReference(), variables=("HF_TOKEN", name))
    assert "leave it out" in caught.value.remedy


@pytest.mark.parametrize("name", ["HF_TOKEN=x", "a b", "$X", ""])
def test_a_value_in_place_of_a_variable_is_refused(name: str) -> None:
    with pytest.raises(AutotunerError, match="--variable"):
        JobRequest(DatabaseReference(), variables=(name,))


@pytest.mark.parametrize(
    ("requested", "environment", "message"),
    [
        ("", {}, "--database: it is empty"),
        ("", {"AUTOTUNER_DATABASE": SECRET}, "--database: it is empty"),
        ("sqlite:///autotuner.db", {}, "one machine only"),
        (None, {"AUTOTUNER_DATABASE": "sqlite:///x.db"}, "AUTOTUNER_DATABASE: .* one machine only"),
        (None, {"AUTOTUNER_DATABASE": "what?"}, "AUTOTUNER_DATABASE: .* cannot be read"),
        ("mysql://db/x", {}, "not supported"),
        ("what?", {}, "cannot be read"),
        (SECRET, {}, "holds a password"),
        (f"{OPEN}?password={PASSWORD}", {}, "holds a password"),
        ("$1", {}, "cannot be read"),
        ("${a-b}", {}, "cannot be read"),
    ],
)
def test_a_database_that_jobs_cannot_share_is_refused_with_a_remedy(
    requested: str | None, environment: dict[str, str], message: str
) -> None:
    with pytest.raises(AutotunerError, match=message) as caught:
        database_reference(requested, environment)
    assert caught.value.remedy
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("scheduler", "fields", "message"),
    [
        ("slurn", {}, "no scheduler"),
        ("slurm", {"image": "a/b"}, "--image is an option of kubernetes and skypilot"),
        ("kubernetes", {}, "kubernetes needs --image"),
        ("kubernetes", {"gpus": 0}, "kubernetes needs --image"),
        ("skypilot", {}, "skypilot needs --gpu-type"),
        ("ray", {"hours": 2}, "--hours is an option of slurm and kubernetes"),
    ],
)
def test_what_a_scheduler_cannot_use_or_misses_is_named(
    scheduler: str, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(AutotunerError, match=message) as caught:
        job_template(scheduler, JobRequest(DatabaseReference(), **fields))
    assert caught.value.remedy


@pytest.mark.parametrize("value", ["a;b", "a b", "$(id)", "'", "a\nb", "-x", ""])
def test_a_name_that_says_something_to_a_shell_is_refused(value: str) -> None:
    with pytest.raises(AutotunerError, match="--partition"):
        JobRequest(DatabaseReference(), partition=value)


def test_slurm_may_choose_among_partitions() -> None:
    assert (
        "#SBATCH --partition=gpu,gpu-large\n" in template("slurm", partition="gpu,gpu-large").text
    )
    for value in ("gpu,", ",gpu", "gpu,,cpu"):
        with pytest.raises(AutotunerError, match="--partition"):
            JobRequest(DatabaseReference(), partition=value)


@pytest.mark.parametrize(
    ("image", "remedy"),
    [
        ("R/Engine:1", "small letters"),
        ("r/e:1:2", "REPOSITORY:TAG"),
        ("r//e", "REPOSITORY:TAG"),
        ("r/e@sha256:ab", "REPOSITORY:TAG"),
    ],
)
def test_what_names_no_image_is_refused(image: str, remedy: str) -> None:
    with pytest.raises(
        AutotunerError, match=re.escape(f"--image: {image!r} is no image")
    ) as caught:
        template("kubernetes", image=image)
    assert remedy in caught.value.remedy
    for good in ("e", "localhost:5000/a/b_c:V1", f"Registry.example/a@sha256:{'0' * 64}"):
        assert good in template("kubernetes", image=good).text


@pytest.mark.parametrize("name", ["1e6", "0o7", "y", "12e03"])
def test_a_name_that_readers_of_yaml_take_for_a_number_stays_one(name: str) -> None:
    fields = {"queue_name": name, "volume": name, "secret": name, "image": name}
    lines = template("kubernetes", **fields).text.splitlines()
    named = [line.partition(": ")[2] for line in lines if re.search(rf"\b{name}\b", line)]
    assert named == [f"'{name}'"] * 4


def test_kubernetes_replaces_nothing_in_an_address() -> None:
    address = "postgresql://a$$b@db/x?application_name=$(HOME)"
    assert "value: " + address.replace("$", "$$") in template("kubernetes", address).text


def test_a_file_of_passwords_is_no_password() -> None:
    address = f"{OPEN}?passfile=/run/pgpass"
    assert address in template("slurm", address).text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("queue_name", "Foo_Bar"),
        ("queue_name", "q" * 64),
        ("volume", "x/y"),
        ("volume", "a..b"),
        ("secret", "s" * 254),
        ("secret", "-s"),
    ],
)
def test_a_name_that_kubernetes_refuses_is_refused(field: str, value: str) -> None:
    with pytest.raises(AutotunerError, match=f"--{field.replace('_', '-')}") as caught:
        template("kubernetes", **{field: value})
    assert caught.value.remedy
    assert "team-a.models-1" in template("kubernetes", **{field: "team-a.models-1"}).text


@pytest.mark.parametrize("field", list(LIMITS))
def test_a_number_out_of_its_range_is_refused_with_what_it_may_be(field: str) -> None:
    least, most = LIMITS[field]
    option = "--" + field.removesuffix("_s").removesuffix("_gib").replace("_", "-")
    for value in (least - 0.07, most + 1, math.inf, -math.inf, math.nan, 1e30):
        with pytest.raises(AutotunerError, match=f"^{re.escape(f'{option}: {value} ')}") as caught:
            JobRequest(DatabaseReference(), **{field: value})
        assert f"{most:.0f} at the most" in caught.value.remedy
    for value in (least, most):
        JobRequest(DatabaseReference(), **{field: value})


@pytest.mark.parametrize(
    "address", ["foo", "ray://h:10001", "http://h:99999", "http://", "ftp://h"]
)
def test_an_address_that_takes_no_jobs_of_ray_is_refused_with_its_form(address: str) -> None:
    with pytest.raises(AutotunerError, match="--address") as caught:
        template("ray", address=address)
    assert "http://HOST:8265" in caught.value.remedy
    for good in ("http://head:8265", "https://ray.example.org", "http://[::1]:8265/"):
        assert good in template("ray", address=good).text


@pytest.mark.parametrize("scheduler", ["slurm", "skypilot"])
def test_a_kind_of_gpu_says_nothing_of_how_many(scheduler: str) -> None:
    with pytest.raises(AutotunerError, match="--gpu-type: 'H100:8'") as caught:
        template(scheduler, gpu_type="H100:8", gpus=2)
    assert "--gpus" in caught.value.remedy


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("foo", "--hours", "inf"), "'foo' is no scheduler"),
        (("ray", "--hours", "2"), "--hours is an option of slurm and kubernetes"),
    ],
)
def test_a_mistake_with_the_scheduler_is_named_before_one_with_its_database(
    words: tuple[str, ...], message: str
) -> None:
    done = printed(*words, AUTOTUNER_DATABASE="sqlite:///x.db")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr.splitlines()[0]
