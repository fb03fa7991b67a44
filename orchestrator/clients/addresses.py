"""Where the service is: the address that a caller gave in, one that can be used out, and who could listen to it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from actions.errors import ConfigError
from orchestrator.addresses import check_web

URL_VARIABLE: Final = "UMBEL_API_URL"
KEY_VARIABLE: Final = "UMBEL_API_KEY"


def checked_url(given: str) -> str:
    """The address without a slash at its end.

    Raises:
        ConfigError: it is none, or holds what does not belong there.
    """
    where = f"base_url, or {URL_VARIABLE}"
    if not given:
        raise ConfigError("no service is named", where=where, fix="Give its address: http://127.0.0.1:8700")
    try:
        check_web(given)
    except ValueError as error:
        raise ConfigError(f"the service's address {error}", where=where) from None
    if any(mark in given for mark in "@?#"):
        raise ConfigError(
            "the service's address holds more than scheme, host, port and path",
            where=where,
            fix="Give the key as `key`, or in " + KEY_VARIABLE,
        )
    return given.rstrip("/")


def is_open_to_others(url: str) -> bool:
    """Whether what is sent there can be read by others: it goes without TLS, and not only to this machine."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True
