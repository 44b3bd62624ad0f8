"""Predictions beside measurements over the API: of all tasks, and of uploaded results."""

from __future__ import annotations

import csv
import errno
import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from made_runs import begin, claimed, created, finish, measurement, run
from sqlalchemy import select, update

from autotuner.errors import VerifyError
from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.server.v2 import plans, uploaded_results, verification_views
from autotuner.store.schema import MeasurementRow, TaskRow
from autotuner.verify import result_files
from autotuner.verify.result_files import ResultFiles

DATA = Path(__file__).parents[2] / "verify" / "data"
FILES = "/api/v2/verify/files"
ACCURACY = "/api/v2/verify/accuracy"
COMPARISON = "/api/v2/verify/comparison"
INFERENCEX = {
    "infmax_model_prefix": "70b", "model": "llama-3-1-70b", "hw": "h200", "framework": "vllm",
    "precision": "fp8", "tp": 8, "ep": 1, "dp_attention": False, "conc": 64, "isl": 1024,
    "osl": 1024, "tput_per_gpu": 900.0, "output_tput_per_gpu": 450.0, "mean_ttft": 0.4,
    "mean_tpot": 0.02, "median_ttft": 0.4,
}  # fmt: skip
CSV = "concurrency,ttft_ms,tpot_ms,tok_s,gpus\n{}"


def kept(client: TestClient, *files: tuple[str, bytes], **query: str) -> Any:
    parts = [("file", file) for file in files]
    return client.post(FILES, files=parts, params=query)


def csv_of(*rows: str) -> bytes:
    return CSV.format("".join(f"{row}\n" for row in rows)).encode()


MEASURED = csv_of("1,5,100,10,1", "4,20,90,40,1")


@pytest.fixture
def task(service: Service, client: TestClient) -> int:
    """A task that measured 2 candidates at 2 levels; its predictions are 20 % off."""
    task_id = created(client)
    run(service, task_id)
    return task_id


def test_accuracy_is_that_of_all_tasks_by_what_they_ran_on(
    service: Service, client: TestClient, task: int
) -> None:
    run(service, created(client, name="second"))
    found = client.get(ACCURACY).json()
    assert (found["overall"]["levels"], found["overall"]["tasks"]) == (8, 2)
    ttft = found["overall"]["stages"]["base"]["ttft_ms"]
    # Predicted are 6 ms a request and 1.2 times the throughput, measured 5 ms.
    assert ttft["median_ape"] == pytest.approx(20)
    assert set(ttft["within"]) == {"10", "15", "20"} and ttft["within"]["15"] == 0
    assert ttft["in_interval"] == 100
    assert found["overall"]["stages"]["base"]["tok_s"]["bias"] == pytest.approx(1.2)
    assert "calibrated" not in found["overall"]["stages"]
    assert [row["value"] for row in found["by"]["engine"]] == ["llamacpp"]
    assert [row["value"] for row in found["by"]["load"]] == ["concurrency 1", "concurrency 4"]
    assert [row["value"] for row in found["by"]["predictor"]] == ["made up"]
    assert [(row["value"], row["levels"]) for row in found["learning"]] == [("0", 4), ("1", 4)]
    assert found["choices"]["engine"] == ["llamacpp"] and found["is_whole"]


def test_a_replay_is_no_measurement_that_a_prediction_could_miss(
    service: Service, client: TestClient, task: int
) -> None:
    before = client.get(ACCURACY).json()
    replay = created(client, name="replay")
    run(service, replay)
    with service.store.sessions.writing() as session:
        session.execute(update(TaskRow).where(TaskRow.id == replay).values(is_replay=True))
    found = client.get(ACCURACY).json()
    assert (before["replayed"], found["replayed"]) == (0, 4)
    assert found == before | {"replayed": 4}
    assert client.get(ACCURACY, params={"engine": "vllm"}).json()["replayed"] == 0


def test_a_level_that_was_disturbed_says_nothing_of_its_prediction(
    service: Service, client: TestClient, task: int
) -> None:
    before = client.get(ACCURACY).json()
    other = created(client, name="busy")
    run(service, other)
    first, second = service.store.experiments(other)[:2]
    with service.store.sessions.writing() as session:
        rows = session.scalars(
            select(MeasurementRow).where(MeasurementRow.experiment_id.in_((first.id, second.id)))
        )
        for row in rows:
            busy = (
                {"machine": {"busy": True}} if row.load_value > 1 else {"client_bottleneck": True}
            )
            row.payload = {**row.payload, **busy}
    found = client.get(ACCURACY).json()
    assert (before["disturbed"], found["disturbed"]) == (0, 4)
    assert found["overall"] == before["overall"]
    assert client.get(ACCURACY, params={"engine": "vllm"}).json()["disturbed"] == 0
    # One repeat in peace is a measurement.
    service.store.add_measurement(first.id, measurement(4, 40.0), repeat=1)
    found = client.get(ACCURACY).json()
    assert (found["disturbed"], found["overall"]["levels"]) == (3, before["overall"]["levels"] + 1)


def test_accuracy_is_of_what_is_asked_for(client: TestClient, task: int) -> None:
    at_5 = client.get(ACCURACY, params={"engine": "llamacpp", "within": [5, 25]}).json()
    assert at_5["overall"]["stages"]["base"]["tok_s"]["within"] == {"5": 0, "25": 100}
    none = client.get(ACCURACY, params={"engine": "vllm"}).json()
    assert none["overall"]["levels"] == 0 and none["overall"]["stages"] == {}
    assert none["choices"]["engine"] == ["llamacpp"]
    assert client.get(ACCURACY, params={"within": "0"}).status_code == 422


def test_a_level_is_judged_by_the_median_of_its_repeats(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    claimed(service, task_id)
    number = begin(service, task_id, 1)
    for repeat, tok_s in ((1, 30.0), (2, 20.0)):
        service.store.add_measurement(number, measurement(1, tok_s), repeat=repeat)
    finish(service, task_id, 1)
    found = client.get(ACCURACY).json()["by"]["load"][0]["stages"]["base"]["tok_s"]
    # 12 are predicted; 10, 20 and 30 were measured.
    assert found["pairs"] == 1
    assert found["median_ape"] == pytest.approx(40)


TOOLS = [
    ("vllm-bench", ["tools/vllm-bench.json"]),
    ("sglang-bench", ["tools/sglang-bench.jsonl"]),
    ("guidellm", ["tools/guidellm.json"]),
    ("aiperf", ["tools/aiperf/profile_export_aiperf.json"]),
    ("aiconfigurator", ["aiconfigurator/default/agg/pareto.csv"]),
    ("csv", ["tools/predicted.csv"]),
    (
        "genai-bench",
        [
            "genai-bench/experiment_metadata.json",
            "genai-bench/D32_8_text-to-text_num_concurrency_1_time_1s.json",
            "genai-bench/D32_8_text-to-text_num_concurrency_2_time_1s.json",
        ],
    ),
]


def test_results_of_each_tool_are_kept_and_read(client: TestClient) -> None:
    for format_name, names in TOOLS:
        files = [DATA / name for name in names]
        answer = kept(client, *((path.name, path.read_bytes()) for path in files))
        assert answer.status_code == 201, answer.text
        about = answer.json()
        assert about["format"] == format_name and about["points"] >= len(names) - 1
        points = client.get(f"{FILES}/{about['id']}").json()
        assert len(points["items"]) == about["points"]
        assert points["items"][0]["figures"]["ttft_ms"]["value"] > 0
        kind = "predicted" if format_name == "aiconfigurator" else "measured"
        assert {one["kind"] for one in points["items"]} == {kind}


def test_results_of_inferencex_and_packed_ones_are_kept(client: TestClient) -> None:
    raw = gzip.compress(json.dumps([INFERENCEX]).encode())
    about = kept(client, ("agg.json.gz", raw)).json()
    assert (about["format"], about["points"]) == ("inferencex", 1)


def test_each_point_of_results_says_what_it_is_of(client: TestClient) -> None:
    other = {**INFERENCEX, "model": "qwen3-8b", "isl": 128}
    about = kept(client, ("agg.json", json.dumps([INFERENCEX, other]).encode())).json()
    found = client.get(f"{FILES}/{about['id']}").json()
    of = {(one["model"], one["workload"], one["system"]) for one in found["items"]}
    assert of == {("llama-3-1-70b", "D(1024,1024)", "h200"), ("qwen3-8b", "D(128,1024)", "h200")}
    assert found["models"] == ["llama-3-1-70b", "qwen3-8b"]
    silent = kept(client, ("silent.csv", MEASURED)).json()
    for one in client.get(f"{FILES}/{silent['id']}").json()["items"]:
        assert (one["model"], one["workload"], one["engine"]) == (None, None, None)


def test_the_same_results_are_kept_once_and_can_be_forgotten(client: TestClient) -> None:
    one = kept(client, ("../../etc/a:b.csv", MEASURED)).json()
    assert one["name"] == "a_b.csv"
    assert kept(client, ("../../etc/a:b.csv", MEASURED)).json()["id"] == one["id"]
    listed = client.get(FILES).json()
    assert [each["id"] for each in listed["items"]] == [one["id"]]
    assert listed["formats"]["vllm-bench"]
    assert client.delete(f"{FILES}/{one['id']}").status_code == 204
    assert client.get(FILES).json()["items"] == []
    assert client.get(f"{FILES}/{one['id']}").status_code == 404
    assert client.delete(f"{FILES}/{one['id']}").status_code == 404


REFUSED = [
    (b"", "is empty"),
    (b"PK\x03\x04rest", "an Excel workbook"),
    (b"\x1f\x8b\x08broken", "a damaged gzip file"),
    (b'{"architectures": []}', "the configuration of a model"),
    (b'{"name": "\\ud800"}', "half of a character"),
    (b"\xff\xff\xfd", "not UTF-8"),
]


def test_what_is_not_read_is_refused_with_its_field(client: TestClient, service: Service) -> None:
    for raw, why in REFUSED:
        answer = kept(client, ("mine.json", raw))
        assert answer.status_code == 422
        [fault] = answer.json()["errors"]
        assert fault["path"] == "file" and why in fault["message"]
        assert str(service.folder) not in answer.text and "mine.json" in fault["message"]
    assert client.get(FILES).json()["items"] == []


def test_a_file_that_unpacks_to_too_much_is_refused(service: Service) -> None:
    small = Service(service.store, service.folder, ServiceSettings(max_upload_bytes=10_000))
    with TestClient(create_app(small), base_url="http://127.0.0.1:8700") as client:
        answer = kept(client, ("bomb.gz", gzip.compress(b"0" * 2_000_000)))
        assert answer.status_code == 422 and "unpacks to more" in answer.json()["detail"]
        assert kept(client, ("large.csv", b"0" * 20_000)).status_code == 413


def test_too_many_results_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_files, "MOST_KEPT", 1)
    files = ResultFiles(tmp_path / "kept", 1 << 20)
    files.keep([("a.csv", MEASURED)])
    with pytest.raises(VerifyError, match="no room"):
        files.keep([("b.csv", csv_of("1,5,100,10,1"))])


def test_results_are_compared_with_a_task_and_its_predictions(
    client: TestClient, task: int
) -> None:
    measured = kept(client, ("mine.csv", MEASURED)).json()["id"]
    asked: dict[str, Any] = {"predicted": f"base:{task}", "actual": f"file:{measured}"}
    unclear = client.get(COMPARISON, params=asked)
    # Two candidates were predicted, and the file does not say which it is.
    assert unclear.status_code == 422
    assert "misc.threads was 1 or 2" in unclear.json()["detail"]
    assert "--" not in unclear.json()["detail"]
    answer = client.get(COMPARISON, params={**asked, "actual_set": "misc.threads=1", "ttft_ms": 10})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["total_pairs"], found["actual"]["name"]) == (2, "mine.csv")
    assert found["metrics"]["ttft"]["median_ape"] == pytest.approx(20)
    assert found["slo"] == {"ttft_ms": 10}
    assert found["choices"][0]["meets_slo"]
    assert len(found["predicted"]["unmatched"]) == found["predicted"]["left_out"] == 4


def test_a_task_is_compared_with_what_was_predicted_of_it(client: TestClient, task: int) -> None:
    asked = {"predicted": f"base:{task}", "actual": f"measured:{task}", "within": [10, 15, 20, 21]}
    found = client.get(COMPARISON, params=asked).json()
    assert found["total_pairs"] == len(found["pairs"]) == 4
    assert found["metrics"]["ttft"]["median_ape"] == pytest.approx(20)
    assert found["metrics"]["ttft"]["within"]["21"] == 100
    assert found["pairs"][0]["figures"]["ttft"]["error"] == pytest.approx(20)
    [choice] = found["choices"]
    assert choice["same"] and choice["regret"] == pytest.approx(0)
    again = client.get(COMPARISON, params=asked).json()
    assert again == found


def test_every_pair_is_a_line_of_a_csv_however_few_the_answer_lists(
    client: TestClient, task: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification_views, "MOST_PAIRS", 1)
    asked = {"predicted": f"base:{task}", "actual": f"measured:{task}"}
    listed = client.get(COMPARISON, params=asked).json()
    assert (len(listed["pairs"]), listed["total_pairs"]) == (1, 4)
    answer = client.get(f"{COMPARISON}/pairs", params=asked)
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert [row["concurrency"] for row in rows] == ["1", "4", "1", "4"]
    assert [float(row["ttft_error"]) for row in rows] == pytest.approx([20] * 4)
    assert client.get(f"{COMPARISON}/pairs", params={**asked, "actual": "measured:999"}).is_error


WRONG: list[tuple[dict[str, str], int]] = [
    ({"actual": "measured:999"}, 404),
    ({"actual": "measured:9999999999"}, 404),
    ({"actual": f"file:{'0' * 16}"}, 404),
    ({"actual": "file:../../etc"}, 422),
    ({"actual": "tasks:1"}, 422),
    ({"actual_set": "colour=red"}, 422),
    ({"actual_set": "nothing"}, 422),
    ({"ttft_ms": "-1"}, 422),
    ({"ttft_ms": "nan"}, 422),
    ({"within": "many"}, 422),
]


def test_a_comparison_that_cannot_be_made_names_what_is_wrong(
    client: TestClient, task: int
) -> None:
    for changed, status in WRONG:
        asked = {"predicted": f"base:{task}", "actual": f"measured:{task}"} | changed
        answer = client.get(COMPARISON, params=asked)
        assert answer.status_code == status, answer.text
        if status == 422:
            assert next(iter(changed)) in answer.json()["errors"][0]["path"]


def test_a_task_without_predictions_has_no_such_side(service: Service, client: TestClient) -> None:
    empty = created(client)
    answer = client.get(
        COMPARISON, params={"predicted": f"base:{empty}", "actual": f"measured:{empty}"}
    )
    assert answer.status_code == 422
    assert "nothing that was predicted" in answer.json()["detail"]


def test_a_comparison_waits_for_its_turn_among_plans(
    client: TestClient, task: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "_places", threading.Semaphore(0))
    monkeypatch.setattr(plans, "LONGEST_S", 0)
    asked = {"predicted": f"base:{task}", "actual": f"measured:{task}"}
    answer = client.get(COMPARISON, params=asked)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_of_many_points_only_those_that_are_shown_are_made(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploaded_results, "_MOST_POINTS", 1)
    made: list[object] = []
    views = uploaded_results.point_views
    monkeypatch.setattr(
        uploaded_results,
        "point_views",
        lambda file: (made.append(view) or view for view in views(file)),
    )
    about = kept(client, ("mine.csv", MEASURED)).json()
    assert len(client.get(f"{FILES}/{about['id']}").json()["items"]) == len(made) == 1


@pytest.mark.parametrize(
    "name", ["結" * 100 + ".csv", "ö" * 300, "." + "é" * 300, "a." + "é" * 300]
)
def test_a_long_name_is_cut_to_the_bytes_that_a_file_system_takes(
    client: TestClient, name: str
) -> None:
    answer = kept(client, (name, MEASURED))
    assert answer.status_code == 201, answer.text
    assert answer.json()["points"] == 2
    # Files of one name get numbers before it, and no format is of such names: it is no 500.
    assert kept(client, *[(name, MEASURED)] * 3).status_code == 422


@pytest.mark.parametrize("failing", ["mkdir", "write_bytes", "write_text", "rename"])
def test_a_folder_that_cannot_be_written_is_named(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, failing, full)
        answer = kept(client, ("mine.csv", MEASURED))
    assert answer.status_code == 422, answer.text
    assert "cannot be written: No space left on device" in answer.json()["detail"]
    assert client.get(FILES).json()["items"] == []


def test_results_that_cannot_be_removed_stay_and_the_answer_names_why(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = kept(client, ("mine.csv", MEASURED)).json()

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(result_files.shutil, "rmtree", read_only)
        answer = client.delete(f"{FILES}/{about['id']}")
    assert answer.status_code == 422 and "Read-only" in answer.json()["detail"]


def test_results_that_were_removed_in_part_are_kept_again(tmp_path: Path) -> None:
    files = ResultFiles(tmp_path / "kept", 1 << 20)
    about = files.keep([("a.csv", MEASURED)])
    (tmp_path / "kept" / about.id / "about.json").unlink()
    assert files.all() == ()
    assert files.keep([("a.csv", MEASURED)]).id == about.id
    assert [one.id for one in files.all()] == [about.id]
