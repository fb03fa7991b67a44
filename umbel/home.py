"""What we keep in the home folder beside data and logs: files that only their owner may read.

The login of Flower and the first key of the API, made once; and what another terminal needs to join what `umbel up`
runs.
"""

from __future__ import annotations

import contextlib
import secrets
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from orchestrator.settings import PREFIX, Settings
from umbel.private import write_private

ENV_FILE: Final = "env"
"""Shell lines with which another terminal joins what `umbel up` runs; gone when that has ended in order."""
LOGIN_FILE: Final = "flower-login"
"""Flower's user:password."""
API_KEY_FILE: Final = "api-key"
"""The first key of the API."""
API_HEADER_FILE: Final = "api-key.header"
"""The same as a header, for `curl -H @FILE`: a key on a command line can be read by everybody on the machine."""


@contextlib.contextmanager
def env_file(settings: Settings, more: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Keep these settings, the server's password too, where another terminal can read them, during the block.

    `more` are variables that are no settings, which what is started there by hand needs as well. After a SIGKILL the
    file stays, for its owner alone, until the next start replaces it.

    Raises:
        ConfigError: the home folder cannot be written.
    """
    path = settings.home / ENV_FILE
    paths = {
        "PATH": f"{shlex.quote(str(Path(sys.prefix) / 'bin'))}:$PATH",
        "PYTHONPATH": f"{shlex.quote(str(Path.cwd()))}${{PYTHONPATH:+:$PYTHONPATH}}",
    }
    variables = settings.environ() | dict(more or {})
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    lines += [f"export {name}={value}\n" for name, value in paths.items()]
    write_private(path, "".join(lines))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def login_of(settings: Settings) -> tuple[str, bool]:
    """Who may open Flower, as user:password, and whether that was made just now.

    It is the one of UMBEL_FLOWER_AUTH, else one that is kept in the home folder, for its owner alone.

    Raises:
        ConfigError: the home folder cannot be written.
    """
    if settings.flower_auth is not None:
        return settings.flower_auth.get_secret_value(), False
    path = settings.home / LOGIN_FILE
    with contextlib.suppress(OSError):
        if known := path.read_text().strip():
            return known, False
    login = f"umbel:{secrets.token_urlsafe(12)}"
    write_private(path, login + "\n")
    return login, True


def keep_api_key(settings: Settings, key: str) -> None:
    """Keep the first key of the API, as it is and as a header.

    Raises:
        ConfigError: the home folder cannot be written.
    """
    write_private(settings.home / API_HEADER_FILE, f"Authorization: Bearer {key}\n")
    write_private(settings.home / API_KEY_FILE, key + "\n")


def told(settings: Settings, login: str, *, is_new: bool) -> str:
    """What to say of Flower's login: the password once, afterwards where it is kept."""
    user, _, password = login.partition(":")
    if settings.flower_auth is not None:
        return f"user {user}, password as in {PREFIX}FLOWER_AUTH"
    place = settings.home / LOGIN_FILE
    return f"user {user}, password {password} (kept in {place})" if is_new else f"login in {place}"
