"""Templates and static files; static addresses carry a hash of their content, so that they may be kept for ever."""

import hashlib
from importlib import resources
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import Scope

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_TEMPLATES = _HERE / "templates"
FONTS = Path(str(resources.files("assets").joinpath("fonts")))


def content_version() -> str:
    """A short hash over all templates and static files: a page of another version loads itself anew."""
    digest = hashlib.sha256()
    for path in sorted((*_STATIC.rglob("*"), *_TEMPLATES.rglob("*"))):
        if path.is_file():
            digest.update(path.relative_to(_HERE).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Kept(StaticFiles):
    """Static files that a browser may keep: for ever under an address with a version, else for a day."""

    def __init__(self, directory: Path, *, for_ever: bool) -> None:
        super().__init__(directory=directory)
        self._cache = "public, max-age=31536000, immutable" if for_ever else "public, max-age=86400"

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if isinstance(response, FileResponse):
            response.headers["Cache-Control"] = self._cache
        return response


def static_files() -> Kept:
    return Kept(_STATIC, for_ever=True)


def templates(version: str) -> Jinja2Templates:
    """Templates that escape everything, fail on a missing value, and know where the static files are."""
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.globals["static"] = f"/static/{version}"
    return Jinja2Templates(env=environment)
