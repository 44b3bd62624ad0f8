"""`/api/ome/`: a cluster of OME, which this service does not use, and the presets that v1 had."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml
from fastapi.exceptions import HTTPException
from fastapi.responses import Response

from autotuner.server.v1.routing import json_response, v1_router

router = v1_router("/ome")
_TYPE = "runtime_type"


@cache
def _presets() -> dict[str, list[dict[str, Any]]]:
    text = resources.files("autotuner.server.v1").joinpath("ome_presets.yaml").read_text("utf-8")
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return found


@router.get("/clusterbasemodels")
def list_models() -> Response:
    """Models of the cluster: there is none."""
    raise _no_cluster()


@router.get("/clusterservingruntimes")
def list_runtimes() -> Response:
    """Runtimes of the cluster: there is none."""
    raise _no_cluster()


@router.get("/clusterbasemodel-presets")
def list_model_presets() -> Response:
    """Models that v1 offered to create."""
    return json_response(_presets()["models"])


@router.get("/clusterservingruntime-presets")
def list_runtime_presets() -> Response:
    """Runtimes that v1 offered to create."""
    return json_response(_presets()["runtimes"])


@router.get("/clusterservingruntime-presets/{runtime_type}")
def list_runtime_presets_of_type(runtime_type: str) -> Response:
    """Those of one engine: `sglang` or `vllm`."""
    return json_response(
        [
            {key: value for key, value in preset.items() if key != _TYPE}
            for preset in _presets()["runtimes"]
            if preset[_TYPE] == runtime_type
        ]
    )


def _no_cluster() -> HTTPException:
    return HTTPException(503, "OME controller not available: this service uses no cluster")
