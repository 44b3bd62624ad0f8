"""Profiles that cannot be used, over HTTP: seen with their problem, mended, deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from autotuner.server.service import Service
from autotuner.store.profiles import StoredProfiles

PROFILES = "/api/v2/profiles/"
MINE: dict[str, Any] = {
    "name": "mine",
    "description": "for a test",
    "extends": "house",
    "layers": [{"when": {"gpu_is_cpu": True}, "set": {"misc": {"threads": [1, 2]}}}],
}


def test_a_broken_file_of_the_home_hurts_only_who_names_it(
    client: TestClient, tmp_path: Path
) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "broken.yaml").write_text("name: [")
    listed = client.get(PROFILES)
    assert listed.status_code == 200, listed.text
    rows = {row["name"]: row for row in listed.json()["items"]}
    assert "broken.yaml" in rows["broken"]["problem"]
    assert rows["balanced"]["problem"] is None
    assert client.get(f"{PROFILES}balanced").status_code == 200
    reported = client.get(f"{PROFILES}broken")
    assert reported.status_code == 422
    assert "broken.yaml" in reported.json()["detail"]


def test_a_kept_profile_that_broke_is_shown_as_written_and_can_be_mended_or_deleted(
    client: TestClient, service: Service
) -> None:
    folder = service.folder / "profiles"
    folder.mkdir()
    (folder / "house.yaml").write_text("name: house\nlayers: [{set: {misc.threads: 1}}]\n")
    assert client.post(PROFILES, json=MINE).status_code == 201
    (folder / "house.yaml").unlink()
    answer = client.get(f"{PROFILES}mine")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert "house" in found["problem"]
    assert (found["description"], found["extends"]) == ("for a test", "house")
    assert found["document"]["extends"] == "house"
    [layer] = found["layers"]
    assert (layer["layer"], layer["name"]) == ("mine/settings", "settings")
    assert layer["set"] == {"misc.threads": [1, 2]}
    rows = {row["name"]: row for row in client.get(PROFILES).json()["items"]}
    assert rows["mine"]["problem"] == found["problem"]
    tag = {"If-Match": answer.headers["ETag"]}
    mended = client.put(
        f"{PROFILES}mine", json=found["document"] | {"extends": "balanced"}, headers=tag
    )
    assert mended.status_code == 200 and mended.json()["problem"] is None
    assert client.delete(f"{PROFILES}mine", headers=tag).status_code == 412
    fresh = {"If-Match": mended.headers["ETag"]}
    assert client.delete(f"{PROFILES}mine", headers=fresh).status_code == 204


def test_a_kept_profile_without_the_form_of_one_is_shown_with_its_problem(
    client: TestClient, service: Service
) -> None:
    StoredProfiles(service.store.sessions).create("odd", {"name": "odd", "layers": "none"})
    found = client.get(f"{PROFILES}odd").json()
    assert found["problem"] and (found["layers"], found["document"]) == ([], None)
    assert client.delete(f"{PROFILES}odd").status_code == 204
