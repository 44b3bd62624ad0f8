"""CPUs that a process may use, from made-up control groups of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotuner.catalog import cpu_quota, usable_cpus

V1 = "4:cpu,cpuacct:/docker/a\n3:memory:/docker/a\n"


def machine(root: Path, groups: str, files: dict[str, str]) -> Path:
    """A root with what the kernel says of this process and of its control groups."""
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def v2(group: str, text: str) -> dict[str, str]:
    return {f"sys/fs/cgroup{group}/cpu.max": text}


def v1(folder: str, quota: str) -> dict[str, str]:
    place = f"sys/fs/cgroup/{folder}"
    return {f"{place}/cpu.cfs_quota_us": quota, f"{place}/cpu.cfs_period_us": "100000\n"}


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        ("0::/\n", v2("", "200000 100000\n"), 2.0),
        ("0::/\n", v2("", "max 100000\n"), None),
        ("0::/\n", {}, None),
        # The tightest of the group and of those above it.
        (
            "0::/pod/box\n",
            v2("/pod/box", "max 100000\n") | v2("/pod", "350000 100000\n") | v2("", "max 100000"),
            3.5,
        ),
        ("0::/pod/box\n", v2("/pod/box", "100000 100000") | v2("/pod", "400000 100000"), 1.0),
        # Within a container the mount is the group itself, and its path lies outside.
        ("0::/../../outer\n", v2("", "50000 100000\n"), 0.5),
        ("0::/not/here\n", v2("", "150000 100000\n"), 1.5),
        (V1, v1("cpu,cpuacct/docker/a", "400000\n"), 4.0),
        (V1, v1("cpu,cpuacct/docker/a", "-1\n"), None),
        (V1, v1("cpu", "300000\n"), 3.0),
        (V1, v1("cpu/docker", "300000") | v1("cpu/docker/a", "600000"), 3.0),
        # Both versions are mounted.
        (V1 + "0::/docker/a\n", v1("cpu", "300000") | v2("", "200000 100000"), 2.0),
        ("0::/\n", v2("", "nonsense"), None),
        ("0::/\n", v2("", "0 0\n"), None),
        ("nonsense\n", {}, None),
    ],
)
def test_the_quota_is_the_tightest_of_all_groups(
    groups: str, files: dict[str, str], quota: float | None, tmp_path: Path
) -> None:
    assert cpu_quota(machine(tmp_path, groups, files)) == quota


@pytest.mark.parametrize(
    ("quota", "affinity", "count", "why"),
    [
        ("200000", 16, 2, "quota is 2 of"),
        ("250000", 16, 2, "quota is 2.5 of"),
        ("50000", 16, 1, "quota is 0.5 of"),
        ("800000", 4, 4, "4"),
        ("max", 4, 4, "4"),
    ],
)
def test_the_fewer_of_affinity_and_quota_count(
    quota: str, affinity: int, count: int, why: str, tmp_path: Path
) -> None:
    root = machine(tmp_path, "0::/\n", v2("", f"{quota} 100000\n"))
    found = usable_cpus(root, affinity)
    assert (found.count, why in found.why) == (count, True)


def test_where_no_control_groups_are_nothing_is_limited(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    assert usable_cpus(tmp_path, 3).count == 3
