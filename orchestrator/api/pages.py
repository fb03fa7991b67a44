"""Pages about the API itself, open: its description for programs and for people, and what each kind of problem means.

In: nothing but a path. Out: pages that need nothing from elsewhere.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from orchestrator.api import reference
from orchestrator.api.guarding import Router
from orchestrator.api.problem_kinds import KINDS
from orchestrator.api.problems import Problem

router = Router(tags=["about"])

_POLICY: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
}


@router.head("/", include_in_schema=False)
@router.get("/", include_in_schema=False)
async def root() -> JSONResponse:
    """Lead to the page for people; programs read the same places in the body."""
    told = {"name": "Umbel", "docs": "/docs", "openapi": "/openapi.json", "ready": "/readyz"}
    return JSONResponse(told, 307, {"Location": "/docs"})


@router.head("/openapi.json", include_in_schema=False)
@router.get("/openapi.json", include_in_schema=False)
async def description(request: Request) -> JSONResponse:
    """Describe the API for programs."""
    return JSONResponse(request.app.openapi())


@router.head("/docs", include_in_schema=False)
@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """Describe the API for people, in one page that needs nothing from elsewhere."""
    return HTMLResponse(reference.page(request.app.openapi()), headers=_POLICY)


class Explained(BaseModel):
    """A kind of problem."""

    code: str = Field(description="Its code.")
    status: int = Field(description="The HTTP status of its answers.")
    title: str = Field(description="The kind, in words.")
    meaning: str = Field(description="What it means, and what to do.")


@router.get("/problems/{code}", summary="What a kind of problem means")
async def explain_problem(code: Annotated[str, Path(description="The code of a problem.")]) -> Explained:
    """Its status, and what to do about it."""
    kind = KINDS.get(code)
    if kind is None:
        raise Problem("not_found", "No kind of problem has this code.")
    return Explained(code=code, status=kind.status, title=kind.title, meaning=kind.meaning)
