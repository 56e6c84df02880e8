"""Signing in to the consoles: a form, a cookie that scripts cannot read, and the language of a browser."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from queue_server.counters.outcomes import Refused
from queue_server.counters.words import sentence
from queue_server.staff import Staff
from queue_server.web.console.words import WORDS, Language, word
from queue_server.web.errors import address_of
from queue_server.web.parts import WebParts

_TOKEN = "estation_staff"  # noqa: S105 - the cookie's name
_LANGUAGE = "estation_language"
SIGN_IN = "/console/sign-in"


def language_of(request: Request) -> Language:
    """The language that was chosen in this browser; Chinese where none was."""
    return "en" if request.cookies.get(_LANGUAGE) == "en" else "zh"


def token_of(request: Request) -> str:
    return request.cookies.get(_TOKEN, "")


def signed_in(web: WebParts, request: Request) -> Staff | None:
    """The person who signed in with this browser."""
    return web.counters.who(token_of(request))


def _same_origin(request: Request) -> None:
    """A form of another site must not sign anybody in or out."""
    origin = request.headers.get("origin")
    if origin not in (None, "null") and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403)


def access_routes(web: WebParts) -> APIRouter:
    """`/console/sign-in`, `/console/sign-out`, `/console/language/{language}`."""
    router = APIRouter(prefix="/console", include_in_schema=False)
    secure = web.settings.public_url.startswith("https:")

    def form(request: Request, message: str = "", status: int = 200, login: str = "") -> Response:
        language = language_of(request)
        context = {
            "language": language,
            "other": "zh" if language == "en" else "en",
            "words": {
                name: word(name, language) for name in ("sign_in", "login", "password", "sign_in_hint", "console")
            },
            "other_language": WORDS["other_language"][language == "en"],
            "hall_name": web.facts.read().name[language],
            "message": message,
            "entered": login,
        }
        headers = {"Cache-Control": "no-store"}
        return web.templates.TemplateResponse(request, "sign_in.html", context, status_code=status, headers=headers)

    @router.get("/sign-in")
    async def sign_in_form(request: Request, ended: bool = False) -> Response:
        if signed_in(web, request) is not None:
            return RedirectResponse("/console/", 303)
        return form(request, word("session_ended", language_of(request)) if ended else "")

    @router.post("/sign-in")
    async def sign_in(
        request: Request,
        login: Annotated[str, Form(max_length=64)] = "",
        password: Annotated[str, Form(max_length=256)] = "",
    ) -> Response:
        _same_origin(request)
        outcome = await web.counters.sign_in(login, password, source="console", address=address_of(request))
        if isinstance(outcome, Refused):
            return form(request, sentence(outcome, language_of(request)), 401, login)
        clerk = outcome.staff.may("clerk", "manager")
        response = RedirectResponse("/console/" if clerk else "/console/staff", 303)
        seconds = int(web.settings.token_lifetime.total_seconds())
        response.set_cookie(
            _TOKEN, outcome.token, max_age=seconds, path="/console", httponly=True, samesite="strict", secure=secure
        )
        return response

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        _same_origin(request)
        await web.counters.sign_out(token_of(request))
        response = RedirectResponse(SIGN_IN, 303)
        response.delete_cookie(_TOKEN, path="/console")
        return response

    @router.get("/language/{language}")
    async def choose_language(language: Language, back: str = "/console/") -> Response:
        response = RedirectResponse(back if back.startswith("/console/") else "/console/", 303)
        response.set_cookie(_LANGUAGE, language, max_age=365 * 86400, path="/console", httponly=True, samesite="lax")
        return response

    return router
