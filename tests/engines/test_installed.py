"""Which version an engine has, where its program says more than that."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autotuner.engines import engine_named
from autotuner.engines.installed import version_of_program


def program(folder: Path, *lines: str, first: str = "#!/bin/sh") -> str:
    """A program that prints `lines` whatever it is asked."""
    file = folder / "engine"
    script = "\n".join(f"echo '{line}'" for line in lines)
    file.write_text(f"{first}\n{script}\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        (("0.24.0",), "0.24.0"),
        (
            ("INFO 11-27 04:36:00 [importing.py:46] Triton found 0 active driver(s)", "0.24.0"),
            "0.24.0",
        ),
        (
            (
                "ggml_cuda_init: found 1 CUDA devices:",
                "  Device 0: NVIDIA H200, compute capability 9.0, VMM: yes",
                "version: 4567 (abcdef1)",
                "built with cc 13.2 for x86_64-linux-gnu",
            ),
            "version: 4567 (abcdef1)",
        ),
        (("the engine of 2026, build 7 of it",), "the engine of 2026, build 7 of it"),
        (("nothing of note",), "unknown"),
    ],
)
def test_what_stands_around_a_version_is_not_taken_for_it(
    tmp_path: Path, lines: tuple[str, ...], version: str
) -> None:
    assert version_of_program(program(tmp_path, *lines), ("no-such-package",)) == version


def test_a_script_is_not_run_where_its_package_says_the_version(tmp_path: Path) -> None:
    script = program(tmp_path, "9.9.9", first=f"#!{sys.executable}")
    assert version_of_program(script, ("no-such-package", "pytest")) == pytest.__version__
    assert engine_named("vllm").find(program(tmp_path, "0.24.0")).version == "0.24.0"
