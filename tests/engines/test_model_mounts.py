"""Files that a container is given so that the engine finds its model: shards, targets of links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autotuner.engines import Mount
from autotuner.engines.mounts import mounts_of


def same(*paths: Path) -> tuple[Mount, ...]:
    return tuple(Mount(str(path), str(path)) for path in paths)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A snapshot as a hub's cache has it: links to files of another folder."""
    cached = tmp_path / "models--a--b"
    (cached / "blobs").mkdir(parents=True)
    folder = cached / "snapshots" / "1"
    folder.mkdir(parents=True)
    for name, blob in (("config.json", "c0"), ("model.safetensors", "f0")):
        (cached / "blobs" / blob).write_text(name, encoding="utf-8")
        (folder / name).symlink_to(f"../../blobs/{blob}")
    return folder


def test_with_a_snapshot_of_a_hub_come_the_files_that_its_links_lead_to(snapshot: Path) -> None:
    blobs = snapshot.parents[1] / "blobs"
    assert mounts_of([snapshot]) == same(snapshot, blobs)


def test_a_snapshot_by_a_link_finds_its_files_too(snapshot: Path, tmp_path: Path) -> None:
    here = tmp_path / "deep" / "er" / "current"
    here.parent.mkdir(parents=True)
    here.symlink_to(snapshot)
    blobs = snapshot.parents[1] / "blobs"
    assert mounts_of([here]) == (*same(here), Mount(str(blobs), str(tmp_path / "deep" / "blobs")))


def test_what_is_added_to_a_folder_later_is_seen(snapshot: Path, tmp_path: Path) -> None:
    mounts_of([snapshot])
    elsewhere = tmp_path / "tokenizer.json"
    elsewhere.write_text("{}", encoding="utf-8")
    (snapshot / "tokenizer.json").symlink_to(elsewhere)
    os.utime(snapshot, ns=(1, 1))
    assert set(same(elsewhere)) < set(mounts_of([snapshot]))


def test_links_that_stay_inside_or_lead_nowhere_add_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a").write_text("", encoding="utf-8")
    for name, target in (("b", "a"), ("gone", "/nowhere/x"), ("round", "round"), ("up", "..")):
        (folder / name).symlink_to(target)
    assert mounts_of([folder]) == same(folder)


def test_all_shards_of_a_split_gguf_are_mounted(tmp_path: Path) -> None:
    shards = [tmp_path / f"q-{i:05d}-of-00003.gguf" for i in (1, 2, 3)]
    for shard in shards:
        shard.touch()
    (tmp_path / "q-other.gguf").touch()
    assert mounts_of([shards[0]]) == same(*shards)
    elsewhere = [Path(f"/elsewhere/q-{i:05d}-of-00002.gguf") for i in (1, 2)]
    assert mounts_of(elsewhere[:1]) == same(*elsewhere)
    assert mounts_of([tmp_path / "q-other.gguf"]) == same(tmp_path / "q-other.gguf")
