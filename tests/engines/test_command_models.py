"""Words of a command line that name its model, and text that is none of its words."""

from __future__ import annotations

import pytest

from autotuner.engines import parse_command
from autotuner.errors import ConfigError


@pytest.mark.parametrize("flag", ["-hf ", "-hfr ", "--hf-repo ", "--hf-repo="])
def test_a_model_that_the_engine_downloads_is_the_model(flag: str) -> None:
    read = parse_command(f"llama-server {flag}org/some-GGUF:Q4_K_M -c 4096 -np 4")
    assert (read.model, read.extra) == ("org/some-GGUF:Q4_K_M", ())
    assert read.settings["memory.max_total_tokens"] == 4096
    (note,) = read.noted("changed")
    assert note.word == flag.rstrip(" =")
    assert "model.path" in note.text


def test_a_file_counts_before_the_hub_that_it_is_from() -> None:
    read = parse_command("llama-server -hf org/some-GGUF -m ./m.gguf")
    assert (read.model, read.extra) == ("./m.gguf", ("-hf", "org/some-GGUF"))
    assert read.noted("changed") == ()
    other = parse_command("vllm serve org/model --hf-repo org/other")
    assert other.model == "org/model"


HERE_DOCUMENTS = [
    ("<<EOF", "EOF"),
    ("<< 'EOF'", "EOF"),
    ('<<"A B"', "A B"),
    ("<<-EOF", "\t\tEOF"),
    ("3<<EOF", "EOF"),
]


@pytest.mark.parametrize(("begin", "end"), HERE_DOCUMENTS)
def test_here_documents_are_none_of_its_words(begin: str, end: str) -> None:
    body = "\n\nvllm serve other/model -tp 8 # it's \"half\n EOF\nEOF2\n"
    alone = parse_command("vllm serve org/model --max-num-seqs 64")
    text = f"vllm serve org/model {begin} --max-num-seqs 64 >log{body}{end}"
    assert parse_command(text) == alone
    assert parse_command(f"{text}\n") == alone
    before = parse_command(f"cat {begin} > config.yaml{body}{end}\nvllm serve org/model -tp 2")
    assert (before.model, before.settings) == ("org/model", {"parallel.tensor_parallel": 2})
    assert [note.word for note in before.noted("lost")] == ["cat"]
    two = f"cat <<ONE {begin} | tee log\nsglang\nONE{body}{end}\n"
    assert parse_command(f"{two}vllm serve org/model --max-num-seqs 64").settings == alone.settings


def test_what_ends_no_here_document_belongs_to_it() -> None:
    read = parse_command("vllm serve org/model <<EOF\n\tEOF\nvllm serve other -tp 8")
    assert (read.model, read.settings, read.noted("lost")) == ("org/model", {}, ())
    assert parse_command("vllm serve org/model <<<EOF\nls").noted("lost")[0].word == "ls"
    with pytest.raises(ConfigError, match="nothing follows <<"):
        parse_command("vllm serve org/model <<")
