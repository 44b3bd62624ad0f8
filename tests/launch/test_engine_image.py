"""The image that is made of what is installed here, without a daemon."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from autotuner.testing import engine_image


class Kept:
    """Takes an image as a daemon does, and keeps its programs."""

    def __init__(self) -> None:
        self.programs: dict[str, bytes] = {}

    def import_image(
        self, path: Path, repository: str, tag: str, changes: Sequence[str] = ()
    ) -> None:
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None and Path(member.name).parent == Path("usr/bin"):
                    self.programs[Path(member.name).name] = content.read()


def test_a_probe_of_health_finds_python_by_its_usual_name(tmp_path: Path, monkeypatch: Any) -> None:
    # The modules alone: packages and libraries are large, and are not asked about.
    monkeypatch.setattr(engine_image, "files_under", lambda folder, skip: iter(()))
    kept = Kept()
    engine_image.build(cast("Any", kept), "r/e:1")
    program = tmp_path / "python3"
    program.write_bytes(kept.programs["python3"])
    program.chmod(0o755)
    alone = {**os.environ, "PATH": "/nowhere"}
    done = subprocess.run(
        [program, "-c", "print(6 * 7)"], env=alone, capture_output=True, check=True
    )
    assert done.stdout == b"42\n"
