"""The example of docs/deploying.md is what the program writes."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "deploy"))

from deployed import deployed  # noqa: E402

from autotuner.deploy import FORMATS  # noqa: E402


def test_the_example_is_what_is_written() -> None:
    settings = {
        "parallel.tensor_parallel": 2,
        "quantization.kvcache_mode": "fp8",
        "scheduling.max_running_requests": 64,
    }
    [file] = FORMATS["compose"].files(deployed("vllm", settings))
    document = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    shown = document.partition("<!-- example: compose -->\n")[2].partition("\n<!-- end")[0]
    assert shown == f"```yaml\n{file.text}```", f"write it there:\n{file.text}"


def test_every_format_is_described() -> None:
    document = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    assert [name for name in FORMATS if f"| `{name}` |" not in document] == []
