"""`bench search`: its document and tables, what it refuses, and what it says on the way."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from running import Run
from test_bad_input import is_shown
from test_json import document

from autotuner.cli.many_values import repeated
from autotuner.evaluate.baselines import contenders

LANDSCAPES = Path(__file__).parents[2] / "examples" / "landscapes"
MEASURED = LANDSCAPES / "measured"
QWEN = MEASURED / "dev_m_qwen3-32b_h100_1024x128.csv.gz"
DEEPSEEK = MEASURED / "dev_m_deepseek-v3_b200_1024x1024.csv.gz"
SEARCH = ("bench", "search", "--jobs", "1", "--landscape")
SMALL = ("--launches", "2", "--seeds", "2", "--strategies", "random,oracle")
QUARTILES = {"median", "q25", "q75"}


def test_the_document_has_a_result_for_each_file_budget_and_strategy(run: Run) -> None:
    shown = document(run(*SEARCH, QWEN, DEEPSEEK, *SMALL[2:], "--launches", "2,3", "--json"))
    assert [(r["landscape"], r["launches"], r["strategy"]) for r in shown["results"]] == [
        (file.name.removesuffix(".csv.gz"), budget, name)
        for file in (QWEN, DEEPSEEK)
        for budget in (2, 3)
        for name in ("random", "oracle")
    ]
    for result in shown["results"]:
        assert result["seeds"] == 2
        timed = ("hv2_minutes", "hv3_minutes", "regret_minutes")
        for score in ("hv2", "hv3", "regret", "e2e_regret", *timed):
            assert set(result[score]) == QUARTILES
        assert set(result["wasted_quartiles"]) == QUARTILES - {"median"}
        assert 0 <= result["wasted"] <= result["launches"]
        assert result["seconds_per_proposal"] > 0
        assert result["minutes"] > 4 * result["launches"]
    assert [(a["strategy"], a["launches"], a["landscapes"]) for a in shown["averages"]] == [
        ("random", 2, 2),
        ("oracle", 2, 2),
        ("random", 3, 2),
        ("oracle", 3, 2),
    ]
    means = [r["hv2"]["median"] for r in shown["results"] if r["launches"] == 2]
    assert shown["averages"][1]["hv2"] == pytest.approx((means[1] + means[3]) / 2)
    assert shown["memory"] == [
        {"file": str(file), "used": 0, "left_out": 0} for file in (QWEN, DEEPSEEK)
    ]


def test_tables_name_every_file_and_the_means(run: Run) -> None:
    done = run(*SEARCH, QWEN, DEEPSEEK, *SMALL)
    assert done.returncode == 0, done.stderr
    assert "dev_m_qwen3-32b_h100_1024x128, 2 launches" in done.stdout
    assert "means over 2 landscapes, 2 launches" in done.stdout
    assert "in the time of so many launches" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_minutes_of_launches_are_options(run: Run) -> None:
    words = ("--startup-minutes", "10", "--level-minutes", "0.5", "--json")
    results = [
        document(run(*SEARCH, QWEN, *SMALL, *more))["results"] for more in (words, words[4:])
    ]
    slow, usual = (shown[0]["minutes"] for shown in results)
    levels = usual / 2 - 4
    assert slow / 2 == pytest.approx(10 + levels / 2)


def test_memory_is_of_other_models_and_counted(run: Run) -> None:
    words = ("--memory", MEASURED, "--json")
    shown = document(done := run(*SEARCH, QWEN, DEEPSEEK, *SMALL, *words))
    rows = {True: 0, False: 0}
    for file in MEASURED.glob("*.csv.gz"):
        lines = gzip.decompress(file.read_bytes()).decode().splitlines()
        status = lines[0].split(",").index("pred_status")
        rows["qwen3" in file.name] += sum(line.split(",")[status] == "ok" for line in lines[1:])
    assert shown["memory"][0] == {
        "file": str(QWEN),
        "used": rows[False],
        "left_out": rows[True],
    }
    assert f"{rows[False]} observations of other models are known" in done.stderr
    assert f"{rows[True]} of the same model are left out" in done.stderr


def test_a_folder_stands_for_its_landscapes(run: Run, tmp_path: Path) -> None:
    for file in (QWEN, DEEPSEEK):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "README.md").write_text("no landscape", encoding="utf-8")
    shown = document(run(*SEARCH, tmp_path, *SMALL, "--json"))
    assert [r["landscape"] for r in shown["results"][::2]] == [
        "dev_m_deepseek-v3_b200_1024x1024",
        "dev_m_qwen3-32b_h100_1024x128",
    ]


def test_more_launches_than_there_are_is_all_of_them_and_given(run: Run) -> None:
    words = ("--launches", "50", "--seeds", "1", "--strategies", "random", "--json")
    shown = document(done := run(*SEARCH, QWEN, *words))
    assert shown["results"][0]["hv2"]["median"] == pytest.approx(1)
    assert "it has 10 launches; 50 is all of them" in done.stderr


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--launches", "0"], ["--launches", "'0'"]),
        (["--launches", "12,-3"], ["--launches", "'-3'"]),
        (["--launches", "a dozen"], ["--launches", "'a dozen'"]),
        (["--launches", "1.5"], ["--launches", "'1.5'"]),
        (["--launches", "3,"], ["--launches", "''"]),
        (["--strategies", "ranodm"], ["--strategies", "'ranodm'", "random"]),
        (["--strategies", "random,"], ["--strategies", "''"]),
        (["--startup-minutes", "-1"], ["--startup-minutes -1", "leave it out for 4"]),
        (["--level-minutes", "0"], ["--level-minutes 0", "leave it out for 1"]),
        (["--level-minutes", "nan"], ["--level-minutes nan", "leave it out for 1"]),
        (["--memory", "nowhere.csv"], ["nowhere.csv", "no such file"]),
    ],
)
def test_mistakes_are_shown(words: list[str], shown: list[str], run: Run) -> None:
    is_shown(run(*SEARCH, QWEN, *words, "--json"), *shown)


def test_every_bad_landscape_is_named(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n", encoding="utf-8")
    done = run(*SEARCH, bad, QWEN, "nowhere.csv")
    is_shown(done, "nowhere.csv: there is no such file", "bad.csv: the column launch, tp")
    empty = tmp_path / "empty"
    empty.mkdir()
    is_shown(run(*SEARCH, empty), f"{empty}: there is no landscape in it", ".csv.gz")


def test_a_landscape_in_which_nothing_is_predicted_is_searched_all_the_same(
    run: Run, tmp_path: Path
) -> None:
    lines = gzip.decompress(QWEN.read_bytes()).decode().splitlines()
    status = lines[0].split(",").index("pred_status")
    silent = [line.split(",") for line in lines]
    for cells in silent[1:]:
        cells[status] = "na"
    path = tmp_path / QWEN.name.removesuffix(".gz")
    path.write_text("\n".join(map(",".join, silent)), encoding="utf-8")
    words = ("--launches", "4", "--seeds", "1", "--json")
    shown = document(run(*SEARCH, path, *words))
    assert {r["strategy"] for r in shown["results"]} == set(contenders())
    assert all(r["hv2"]["median"] > 0 for r in shown["results"])


def test_an_option_takes_every_word_up_to_the_next() -> None:
    words = ["search", "--landscape", "a", "b", "--json", "--memory", "c", "d", "e", "--seeds", "2"]
    assert repeated(words, ("--landscape", "--memory")) == [
        *("search", "--landscape", "a", "--landscape", "b", "--json"),
        *("--memory", "c", "--memory", "d", "--memory", "e", "--seeds", "2"),
    ]
    assert repeated(["--landscape=a", "b"], ("--landscape",)) == ["--landscape=a", "b"]


def test_no_process_leaves_its_threads_to_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    assert run("bench", "search", "--jobs", "2", "--landscape", QWEN, *SMALL).returncode == 0
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_tables_fit_80_columns_and_say_what_was_launched(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--launches", "50", "--strategies", "random,oracle")
    alone = run(*SEARCH, QWEN, *words, "--seeds", "1").stdout
    assert all(len(line) <= 80 for line in alone.splitlines())
    assert "…" not in alone
    assert "all 10 launches (50 asked for)" in alone
    assert "means over 1 landscape," in alone
    assert "quartiles" not in alone
    assert "0-1" not in alone
    spread = run(*SEARCH, QWEN, *words, "--seeds", "2").stdout
    assert "quartiles" in spread
    assert all(len(line) <= 80 for line in spread.splitlines())


def test_a_file_named_twice_is_read_once_and_namesakes_are_kept_apart(
    run: Run, tmp_path: Path
) -> None:
    words = ("--launches", "2", "--seeds", "1", "--strategies", "random", "--json")
    assert len(document(run(*SEARCH, QWEN, QWEN, *words))["results"]) == 1
    copy = tmp_path / QWEN.name
    copy.write_bytes(QWEN.read_bytes())
    rows = document(run(*SEARCH, QWEN, copy, *words))["results"]
    assert [row["landscape"] for row in rows] == [str(QWEN), str(copy)]
