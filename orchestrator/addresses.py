"""Addresses that people write into settings: a URL in, what is wrong with it or its safe form out.

No message repeats the URL, since a password may stand in it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_REDIS = ("redis", "rediss")
_WEB = ("http", "https")


def check_redis(url: str) -> None:
    """Raise a ValueError that says what is wrong with the URL of a Redis."""
    parts = urlsplit(url)
    if parts.scheme not in _REDIS:
        raise ValueError("does not start with redis:// or rediss:// (also for Valkey)")
    if not parts.hostname:
        raise ValueError("names no host; write redis://host:6379/0")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("has a port that is not a number from 1 to 65535") from None
    if not re.fullmatch(r"/?\d*", parts.path):
        raise ValueError("ends with a database that is not a number; write redis://host:6379/0")


def check_web(url: str) -> None:
    """Raise a ValueError that says what is wrong with a base URL."""
    parts = urlsplit(url)
    if parts.scheme not in _WEB or not parts.hostname:
        raise ValueError("is not a web address; it starts with http:// or https:// and names a host")


def redacted(url: str) -> str:
    """The URL for people: the password is replaced by `***`, and a query (which may hold one) is left out."""
    parts = urlsplit(url)
    login, at, place = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    return parts._replace(netloc=f"{user}{':***' if colon else ''}{at}{place}", query="").geturl()
