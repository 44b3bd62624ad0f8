"""`/api/runtime-params/`: names of the engines' parameters, as `parameters` of a task has them."""

from __future__ import annotations

from fastapi.responses import Response

from autotuner.server.v1.routing import bad_request, json_response, v1_router
from autotuner.server.v1.runtimes import runtimes
from autotuner.server.v1.schemas import ParameterName

router = v1_router("/runtime-params")


@router.get("/")
def count_runtime_params() -> Response:
    """How many parameters each runtime has, and both have."""
    return json_response(
        {
            **{f"{name}_count": len(found.names) for name, found in runtimes().items()},
            "common_count": len(_common()),
        }
    )


@router.get("/compatibility")
def compare_runtime_params() -> Response:
    """The parameters that both runtimes have, and those that one alone has."""
    common = _common()
    lists = {
        "common": common,
        **{
            f"{name}_only": [each for each in found.names if each not in common]
            for name, found in runtimes().items()
        },
    }
    counts = {f"{key}_count": len(names) for key, names in lists.items()}
    totals = {f"{name}_total": len(found.names) for name, found in runtimes().items()}
    return json_response({**lists, "stats": {**counts, **totals}})


@router.post("/validate")
def validate_parameter(body: ParameterName) -> Response:
    """Whether a runtime has a parameter of that name."""
    runtime = _known(body.runtime)
    is_valid = body.parameter in runtimes()[runtime].names
    return json_response({"runtime": runtime, "parameter": body.parameter, "is_valid": is_valid})


@router.get("/{runtime}")
def list_runtime_params(runtime: str, commonly_tuned_only: bool = False) -> Response:
    """One runtime's parameters: all of them, or those that are commonly tuned."""
    name = _known(runtime)
    found = runtimes()[name]
    names = found.commonly_tuned if commonly_tuned_only else found.names
    return json_response({"runtime": name, "count": len(names), "parameters": names})


@router.get("/{runtime}/commonly-tuned")
def list_commonly_tuned(runtime: str) -> Response:
    """Those of a runtime's parameters that are commonly tuned."""
    name = _known(runtime)
    return json_response({"runtime": name, "parameters": runtimes()[name].commonly_tuned})


def _common() -> list[str]:
    first, *others = (found.names for found in runtimes().values())
    return [name for name in first if all(name in other for other in others)]


def _known(runtime: str) -> str:
    """A runtime's name, given in any case.

    Raises:
        HTTPException: 400, v1 has no such runtime.
    """
    name = runtime.lower()
    if name not in runtimes():
        known = " or ".join(map(repr, runtimes()))
        raise bad_request(f"Invalid runtime: {runtime}. Must be {known}")
    return name
