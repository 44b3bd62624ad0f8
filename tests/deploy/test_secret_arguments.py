"""Secrets among the arguments of a task: in no file that is made of it."""

from __future__ import annotations

import pytest
from deployed import GPU, rendered, summary_of

from autotuner.config import BACKENDS
from autotuner.config.secret_values import shown_words
from autotuner.deploy import FORMATS, ExportWishes, deployed_engine
from autotuner.report.exports import commands_shell, points_csv

SECRET = "p4ssw0rd-of-nobody"  # noqa: S105 - of nothing
HUB = "hf_" + "a1B2" * 8


@pytest.mark.parametrize("engine", BACKENDS)
@pytest.mark.parametrize(
    "words",
    [
        ("--hf-token", HUB),
        ("--my-password", SECRET),
        (f"--my-password={SECRET}",),
        ("--cfg", f'{{"token": "{SECRET}"}}'),
        ("--endpoint", f"redis://:{SECRET}@cache/0"),
    ],
)
def test_no_file_of_a_task_has_a_secret_of_its_arguments(
    engine: str, words: tuple[str, ...]
) -> None:
    """Neither its command nor what its head says of the point."""
    settings, spec = rendered(engine, {**GPU, "misc.extra_args": list(words)})
    summary = summary_of(spec.command(), engine, settings, 1)
    other = summary.experiments[0].model_copy(update={"id": "c2", "settings": GPU})
    varied = summary.model_copy(update={"experiments": [*summary.experiments, other]})
    deployed = deployed_engine(summary, ExportWishes(image="registry/engine:1"))
    texts = [commands_shell(summary), commands_shell(varied), points_csv(varied)]
    for form in FORMATS.values():
        if form.why_not(deployed) is None:
            texts += [file.text for file in form.files(deployed)]
    assert "misc.extra_args" in points_csv(varied)
    for text in texts:
        assert SECRET not in text
        assert HUB not in text


def test_words_are_shown_without_the_secrets_among_them() -> None:
    words = ["--seed", "1", "--max-num-batched-tokens", "64", "--api-key", "a", "b", "--t=x y"]
    words += [f"--token={HUB}", "--cfg", '{"a": [1]}', "--token", "--x", "{", "--y", HUB]
    assert list(shown_words(words)) == [
        *("--seed", "1", "--max-num-batched-tokens", "64", "--api-key", "***", "***", "--t=x y"),
        *("--token=***", "--cfg", '{"a": [1]}', "--token", "--x", "{", "--y", "***"),
    ]
