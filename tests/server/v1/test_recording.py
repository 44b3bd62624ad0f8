"""What v1 really answered to a client, from an empty database on, is what this service answers.

`recorded.json` has the requests in order, each with v1's answer. Compared are status, keys, types,
units, order and values; not the wording of errors, moments, and hosts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "recorded.json").read_text("utf-8")
)
UNRECORDED = {60: ("POST", "/api/tasks/1/cancel")}
"""Number of a request -> what was sent before it: later answers tell that task 1 is cancelled."""


@dataclass(frozen=True)
class OnPurpose:
    """A difference that is meant.

    Attributes:
        request: pattern of the requests' names.
        place: pattern of the places in the answer.
        reason: as docs/api_v1.md has it.
    """

    request: str
    place: str
    reason: str


ON_PURPOSE = (
    OnPurpose(r".* GET /", r"version", "The version is that of this service."),
    OnPurpose(
        r".* GET /", r"docs", "There is no page of the API; `docs` names its OpenAPI document."
    ),
    OnPurpose(
        r".* GET /api/runtime-params/.*",
        r"(stats\.)?\w*(count|total)|parameters|common|\w+_only",
        "The names are those of today's engines too.",
    ),
    OnPurpose(
        r".* GET /api/tasks/1/experiments/1/logs",
        r"status|content-type|text",
        "The log of an unknown experiment is 404, where v1 failed with 500.",
    ),
    OnPurpose(
        r".* GET /api/dashboard/(gpu|cluster-gpu)-status",
        r"available|gpus|error|timestamp",
        "The GPUs are those of this machine.",
    ),
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(Z?)")


def name_of(number: int) -> str:
    request = RECORDED[number]["request"]
    return f"{number:03} {request['method']} {request['url']}"


def test_the_service_answers_as_v1_did(client: TestClient) -> None:
    found = {number: different for number, different in replayed(client) if different}
    assert not found, "\n".join("\n  ".join((name_of(n), *lines)) for n, lines in found.items())


def test_whatever_differs_on_purpose_is_documented() -> None:
    chapter = (Path(__file__).parents[3] / "docs" / "api_v1.md").read_text("utf-8")
    assert [row.reason for row in ON_PURPOSE if row.reason not in " ".join(chapter.split())] == []


def test_whatever_differs_on_purpose_is_a_request_of_the_recording() -> None:
    names = [name_of(number) for number in range(len(RECORDED))]
    patterns = [row.request for row in ON_PURPOSE]
    assert [p for p in patterns if not any(re.fullmatch(p, name) for name in names)] == []


def replayed(client: TestClient) -> Iterator[tuple[int, list[str]]]:
    """Number of each request, and the differences of its answer that are not meant."""
    for number, pair in enumerate(RECORDED):
        if number in UNRECORDED:
            client.request(*UNRECORDED[number])
        name = name_of(number)
        answer = client.request(
            pair["request"]["method"],
            pair["request"]["url"],
            follow_redirects=False,
            **content_of(pair["request"]),
        )
        meant = [row.place for row in ON_PURPOSE if re.fullmatch(row.request, name)]
        yield (
            number,
            [
                f"{place}: v1 {expected!r:.300}, here {here!r:.300}"
                for place, expected, here in differences(pair["response"], answer)
                if not any(re.fullmatch(pattern, place) for pattern in meant)
            ],
        )


def content_of(request: dict[str, Any]) -> dict[str, Any]:
    if "file" in request:
        file = request["file"]
        part = (file["filename"], file["text"].encode(), file["content_type"])
        return {"files": {file["field"]: part}}
    if "body" in request:
        return {"content": request["body"], "headers": request["headers"]}
    return {"json": request["json"]} if "json" in request else {}


Difference = tuple[str, Any, Any]


def differences(expected: dict[str, Any], answer: httpx.Response) -> Iterator[Difference]:
    """Place, v1's value, the value here."""
    if answer.status_code != expected["status"]:
        yield "status", expected["status"], f"{answer.status_code} {answer.text[:300]}"
    for header, value in expected["headers"].items():
        here = answer.headers.get(header, "")
        if header == "location":
            value, here = (str(httpx.URL(url).raw_path) for url in (value, here))
        if here != value:
            yield header, value, here
    if "json" not in expected:
        if answer.text != expected["text"]:
            yield "text", expected["text"], answer.text
        return
    try:
        here = answer.json()
    except ValueError:
        yield "", "JSON", answer.text[:300]
        return
    if str(answer.request.url.path) == RECORDED_PATHS_ONLY:
        missing = sorted(set(expected["json"]["paths"]) - here["paths"].keys())
        if missing:
            yield "paths", missing, None
        return
    yield from unlike(expected["json"], here, "")


RECORDED_PATHS_ONLY = "/openapi.json"
"""Of this document the recording has the paths alone."""


def unlike(expected: Any, here: Any, place: str) -> Iterator[Difference]:
    if type(expected) is not type(here):
        yield place, expected, here
    elif isinstance(expected, dict):
        yield from unlike_keys(expected, here, place)
    elif isinstance(expected, list):
        if len(expected) != len(here) or any(isinstance(item, str) for item in expected):
            if expected != here:
                yield place, expected, here
            return
        for index, (one, other) in enumerate(zip(expected, here, strict=True)):
            yield from unlike(one, other, f"{place}[{index}]")
    elif expected != here and not same_moment_or_words(expected, here, place):
        yield place, expected, here


def unlike_keys(expected: dict[str, Any], here: dict[str, Any], place: str) -> Iterator[Difference]:
    if missing := sorted(expected.keys() - here.keys()):
        yield f"{place}(missing)", missing, None
    if more := sorted(here.keys() - expected.keys()):
        yield f"{place}(more)", None, more
    for key in expected:
        if key in here:
            yield from unlike(expected[key], here[key], f"{place}.{key}" if place else key)


def same_moment_or_words(expected: Any, here: Any, place: str) -> bool:
    """Whether two values may differ: moments of one form, and texts that explain an error."""
    if not isinstance(expected, str):
        return False
    one, other = _MOMENT.fullmatch(expected), _MOMENT.fullmatch(here)
    if one is not None:
        return other is not None and one[1] == other[1]
    return bool(re.fullmatch(r"detail(\[\d+\]\.(msg|ctx\.\w+))?|error", place))
