"""Several halls behind one listener, told apart by the host name that a browser asks for."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Route

from queue_server.web.operations import health


def one_of(halls: Mapping[str, FastAPI]) -> Starlette:
    """One application of several halls, by host name. Any other host gets `/health` of all of them, nothing else."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in halls.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    async def all_health(_request: Request) -> Response:
        said = {host: health(app.state.web)[1] for host, app in halls.items()}
        return JSONResponse({"halls": said}, headers={"Cache-Control": "no-store"})

    return Starlette(
        routes=[*(Host(host, app) for host, app in halls.items()), Route("/health", all_health)], lifespan=lifespan
    )
