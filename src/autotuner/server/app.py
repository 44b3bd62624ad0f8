"""The application: routes, and every error told as a problem.

`create_app(service)` is all that a server needs: `uvicorn.run(create_app(service))`.
"""

from __future__ import annotations

from fastapi import FastAPI

from autotuner import __version__
from autotuner.server.faults import tell_faults
from autotuner.server.feed import Feed
from autotuner.server.liveness import Liveness
from autotuner.server.metrics import Metered, Metrics
from autotuner.server.openapi import tell_openapi
from autotuner.server.probes import router as probes
from autotuner.server.security import protected
from autotuner.server.service import Service
from autotuner.server.v1 import routes as v1_routes
from autotuner.server.v2.routes import ROUTERS

API_V1 = "/api"
API_V2 = "/api/v2"


def create_app(service: Service) -> FastAPI:
    """The service as an ASGI application; handlers find `service` in `app.state.service`."""
    app = FastAPI(
        title="Inference Autotuner",
        version=__version__,
        description="Finds how to serve an LLM: tasks, their experiments, and what came out.",
        openapi_url=f"{API_V2}/openapi.json",
        # The framework's pages load scripts from a network that there may not be.
        docs_url=None,
        redoc_url=None,
        # A task is the same document in requests and in answers.
        separate_input_output_schemas=False,
    )
    app.state.service = service
    app.state.liveness = Liveness()
    app.state.metrics = Metrics(service, app.state.liveness)
    app.state.feed = Feed(service.store.sessions)
    for router in ROUTERS:
        app.include_router(router, prefix=API_V2)
    app.include_router(probes)
    for router in v1_routes.ROUTERS:
        app.include_router(router, prefix=API_V1)
    tell_faults(app)
    tell_openapi(app)
    app.add_middleware(protected, settings=service.settings, find_token=service.tokens.find)
    app.add_middleware(Metered, metrics=app.state.metrics)
    return app
