"""Results on the service's machine: read where the operator allows it, and nowhere else."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from autotuner.errors import VerifyError
from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.verify import FORMATS, placed_results
from autotuner.verify.placed_results import read_placed
from autotuner.workers.policy import Policy

FILES = "/api/v2/verify/files"
MEASURED = b"concurrency,ttft_ms,tpot_ms,tok_s,gpus\n1,5,100,10,1\n4,20,90,40,1\n"
SAVED = Path(__file__).parents[2] / "verify" / "data" / "aiconfigurator" / "default"


@pytest.fixture
def imports(service: Service) -> Path:
    """The home's folder of results, with a file."""
    folder = service.folder / "imports"
    folder.mkdir()
    (folder / "mine.csv").write_bytes(MEASURED)
    return folder


def placed(client: TestClient, path: object, **more: str) -> Any:
    return client.post(f"{FILES}/placed", json={"path": str(path), **more})


def test_a_file_of_the_home_is_kept_as_an_uploaded_one(
    client: TestClient, service: Service, imports: Path
) -> None:
    answer = placed(client, "imports/mine.csv")
    assert answer.status_code == 201, answer.text
    uploaded = client.post(FILES, files=[("file", ("mine.csv", MEASURED))]).json()
    assert answer.json() == uploaded
    (imports / "mine.csv").unlink()
    assert len(client.get(f"{FILES}/{uploaded['id']}").json()["items"]) == 2
    assert client.get(FILES).json()["roots"] == [str(imports)]


def test_a_folder_is_kept_with_the_folders_in_it(client: TestClient, imports: Path) -> None:
    for file in filter(Path.is_file, SAVED.rglob("*")):
        target = imports / "saved" / file.relative_to(SAVED)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    found = placed(client, imports / "saved").json()
    assert (found["name"], found["format"]) == ("saved", "aiconfigurator")
    points = client.get(f"{FILES}/{found['id']}").json()
    assert len(points["items"]) == found["points"] > 0
    assert str(imports) not in str(points)


def test_a_folder_that_the_operator_names_may_be_read_too(service: Service, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "mine.csv").write_bytes(MEASURED)
    settings = ServiceSettings(policy=Policy(result_roots=(shared,)))
    with TestClient(
        create_app(Service(service.store, service.folder, settings)),
        base_url="http://127.0.0.1:8700",
    ) as client:
        assert placed(client, shared / "mine.csv").status_code == 201


ELSEWHERE: list[tuple[Callable[[Path], object], str]] = [
    (lambda _: "/etc/passwd", "lies outside"),
    (lambda _: "/etc/does-not-exist", "lies outside"),
    (lambda imports: imports.parent / "autotuner.db", "lies outside"),
    (lambda imports: imports / ".." / "autotuner.db", "'..'"),
    (lambda imports: imports / "link.csv", "lies outside"),
    (lambda imports: imports / "outside" / "passwd", "lies outside"),
    (lambda _: "http://169.254.169.254/latest/meta-data", "is an address"),
    (lambda _: "file:///etc/passwd", "is an address"),
    (lambda _: "~/results.csv", "'~'"),
    (lambda imports: imports / "none.csv", "No such file"),
    (lambda imports: imports / "mine.csv" / "inner", "Not a directory"),
    (lambda imports: imports / "pipe", "no plain file"),
    (lambda imports: imports / "empty", "holds no file"),
]


@pytest.mark.parametrize(("path", "why"), ELSEWHERE)
def test_what_lies_elsewhere_is_not_read(
    client: TestClient, imports: Path, path: Callable[[Path], object], why: str
) -> None:
    (imports / "link.csv").symlink_to("/etc/passwd")
    (imports / "outside").symlink_to("/etc")
    (imports / "empty").mkdir()
    os.mkfifo(imports / "pipe")
    answer = placed(client, path(imports))
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert fault["path"] == "path" and why in fault["message"]
    assert "root:" not in answer.text


def test_links_within_a_folder_are_left_out(client: TestClient, imports: Path) -> None:
    run = imports / "run"
    run.mkdir()
    (run / "mine.csv").write_bytes(MEASURED)
    (run / "secret.csv").symlink_to("/etc/passwd")
    (run / "elsewhere").symlink_to("/etc")
    assert [name for name, _ in read_placed(run, imports, 1 << 20)] == ["mine.csv"]


def test_a_link_put_in_place_of_a_folder_after_it_was_judged_leads_nowhere(imports: Path) -> None:
    (imports / "run").symlink_to("/etc")
    with pytest.raises(VerifyError, match="cannot be read"):
        read_placed(imports / "run" / "passwd", imports, 1 << 20)


def test_more_than_is_read_at_once_is_refused(
    imports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(VerifyError, match="holds more than"):
        read_placed(imports / "mine.csv", imports, 10)
    with pytest.raises(VerifyError, match="holds more than"):
        read_placed(imports, imports, 10)
    monkeypatch.setattr(placed_results, "MOST_FILES", 0)
    with pytest.raises(VerifyError, match="more than 0 files"):
        read_placed(imports, imports, 1 << 20)


def test_a_folder_that_cannot_be_read_is_not_left_out(
    client: TestClient, imports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (imports / "run" / "secret").mkdir(parents=True)
    (imports / "run" / "mine.csv").write_bytes(MEASURED)
    opened = os.open

    def refusing(path: Any, *args: Any, **more: Any) -> int:
        if path == "secret":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *args, **more)

    monkeypatch.setattr(os, "open", refusing)
    answer = placed(client, "imports/run")
    assert answer.status_code == 422 and "Permission denied" in answer.json()["detail"]


def test_folders_in_each_other_are_read_only_so_deep(client: TestClient, imports: Path) -> None:
    deep = imports.joinpath(*["d"] * placed_results.MOST_DEEP)
    deep.mkdir(parents=True)
    (deep / "mine.csv").write_bytes(MEASURED)
    assert len(read_placed(imports, imports, 1 << 20)) == 2
    (deep / "d").mkdir()
    answer = placed(client, imports)
    assert answer.status_code == 422 and "more than 20 deep" in answer.json()["detail"]


def test_names_that_become_the_same_stay_apart_in_their_folders(
    client: TestClient, service: Service, imports: Path
) -> None:
    saved = imports / "saved"
    shutil.copytree(SAVED, saved)
    (saved / "x_").write_text("a file beside folders of its plain name")
    for name in ("x:", "x;"):
        (saved / name).mkdir()
        (saved / name / "1.txt").write_text(name)
    (saved / "x;" / "1?.txt").write_text("first")
    (saved / "x;" / "1_.txt").write_text("second")
    answer = placed(client, "imports/saved")
    assert answer.status_code == 201, answer.text
    kept = service.folder / "results" / answer.json()["id"] / "results"
    found = {str(path.relative_to(kept)) for path in kept.rglob("*x_*/*")} | {
        path.name for path in kept.glob("x_")
    }
    twins = {"3-x_/1_.txt", "3-x_/2-1_.txt"}
    assert found == {"x_", "2-x_/1.txt", "3-x_/1.txt"} | twins


def test_the_format_can_be_named_and_an_unknown_one_names_them_all(
    client: TestClient, imports: Path
) -> None:
    (imports / "notes.txt").write_text("nothing of that kind\n")
    unknown = placed(client, "imports/notes.txt")
    assert unknown.status_code == 422
    assert all(name in unknown.json()["detail"] for name in FORMATS)
    uploaded = client.post(FILES, files=[("file", ("notes.txt", b"nothing of that kind\n"))])
    assert all(name in uploaded.json()["detail"] for name in FORMATS)
    named = placed(client, "imports/mine.csv", format="csv")
    assert (named.status_code, named.json()["format"]) == (201, "csv")
    wrong = placed(client, "imports/mine.csv", format="vllm-bench")
    assert wrong.status_code == 422 and "path" in wrong.json()["errors"][0]["path"]
    assert placed(client, "imports/mine.csv", format="tarot").status_code == 422
