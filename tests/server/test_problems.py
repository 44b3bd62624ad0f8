import json

import pytest

from autotuner import errors
from autotuner.errors import AutotunerError, ConfigError, Problem
from autotuner.server.problems import (
    MEDIA_TYPE,
    ProblemError,
    ProblemKind,
    kind_of_status,
    problem_of,
    problem_response,
)

EVERY_ERROR = [
    each
    for each in vars(errors).values()
    if isinstance(each, type)
    and issubclass(each, AutotunerError)
    and each.__init__ is AutotunerError.__init__
]


def test_a_problem_says_the_members_of_rfc_9457_and_its_own():
    refused = ProblemError(
        ProblemKind.WRONG_TRANSITION, "task 3 is completed", allowed=["restart", "clone"]
    )
    answer = problem_response(refused, "/api/v2/tasks/3/start")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert json.loads(answer.body) == {
        "type": "/problems/wrong-transition",
        "title": "The task's status does not allow this action",
        "status": 409,
        "detail": "task 3 is completed",
        "instance": "/api/v2/tasks/3/start",
        "allowed": ["restart", "clone"],
    }


def test_every_fault_of_a_body_is_reported_with_its_path():
    faults = (Problem("slo.ttft_ms", "takes a number"), Problem("name", "is missing"))
    error = problem_of(ConfigError("task", faults, remedy="mend them"))
    answer = json.loads(problem_response(error, "/api/v2/tasks/").body)
    assert answer["type"] == "/problems/task-invalid"
    assert answer["errors"] == [
        {"path": "slo.ttft_ms", "message": "takes a number"},
        {"path": "name", "message": "is missing"},
    ]


def test_clients_of_v1_read_one_detail():
    error = ProblemError(
        ProblemKind.TASK_INVALID, "2 faults", errors=[Problem("a", "is no"), Problem("b", "is bad")]
    )
    answer = problem_response(error, "/api/tasks/")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == {"detail": "2 faults: a: is no; b: is bad"}


@pytest.mark.parametrize("path", ["/api/v2", "/api/v2/tasks/", "/metrics", "/", "/api"])
def test_what_is_not_v1_gets_problem_details(path):
    answer = problem_response(ProblemError(ProblemKind.NOT_FOUND, "nothing here"), path)
    assert answer.headers["content-type"] == MEDIA_TYPE


@pytest.mark.parametrize("cls", EVERY_ERROR)
def test_what_a_user_can_act_on_is_reported_with_its_remedy_and_is_no_defect(cls):
    error = problem_of(cls("the model 'x' is unknown", remedy="name another"))
    assert error.kind is not ProblemKind.INTERNAL
    assert error.detail == "the model 'x' is unknown; name another"


def test_a_store_that_is_away_says_when_to_ask_again():
    error = problem_of(errors.StoreError("the database is locked"))
    assert error.kind is ProblemKind.UNAVAILABLE
    assert int(error.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, ProblemKind.NOT_FOUND),
        (405, ProblemKind.METHOD_NOT_ALLOWED),
        (418, ProblemKind.BAD_REQUEST),
        (507, ProblemKind.INTERNAL),
    ],
)
def test_a_status_alone_has_a_kind(status, kind):
    assert kind_of_status(status) is kind


def test_kinds_are_reported_apart_by_their_type():
    assert len({kind.type for kind in ProblemKind}) == len(ProblemKind)
