"""Addresses that people write into settings: a URL in; what is wrong with it, its safe form or its TLS out.

No message repeats the URL, since a password may stand in it. Each connection to Redis takes its TLS from
`tls_of`, so that all of them know who the other end is before they send the password.
"""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

_REDIS = ("redis", "rediss")
_WEB = ("http", "https")
_TLS_PREFIX: Final = "ssl_"
_TLS_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS_NAMES: Final = (*_TLS_FILES, "ssl_cert_reqs", "ssl_check_hostname")
_VERIFY: Final = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}
_NO: Final = ("0", "F", "FALSE", "N", "NO")  # as redis-py reads a switch in a URL


@dataclass(frozen=True, slots=True)
class Tls:
    """How a connection to Redis is secured; the parameters of the URL bear redis-py's names."""

    verify: ssl.VerifyMode = ssl.CERT_REQUIRED
    """`ssl_cert_reqs`: whether the server has to show a certificate that we trust."""
    check_hostname: bool = True
    """`ssl_check_hostname`: whether that certificate has to name the host; never without `verify`."""
    ca_certs: str | None = None
    """`ssl_ca_certs`: a file of authorities that we trust beside the system's."""
    certfile: str | None = None
    """`ssl_certfile`: the file of our own certificate, for a server that asks for one."""
    keyfile: str | None = None
    """`ssl_keyfile`: the file of its key, if that stands in a file of its own."""

    def context(self) -> ssl.SSLContext:
        """For a socket or a loop.

        Raises:
            OSError: a file cannot be read, or holds no certificate.
        """
        context = ssl.create_default_context()
        context.check_hostname = self.check_hostname
        context.verify_mode = self.verify
        if self.ca_certs:
            context.load_verify_locations(self.ca_certs)
        if self.certfile:
            context.load_cert_chain(self.certfile, self.keyfile)
        return context

    def for_celery(self) -> dict[str, Any]:
        """For Celery's `broker_use_ssl`; without it kombu sends the password to a server that it has not verified."""
        files = {
            "ssl_ca_certs": self.ca_certs,
            "ssl_certfile": self.certfile,
            "ssl_keyfile": self.keyfile,
        }
        checks = {"ssl_cert_reqs": self.verify, "ssl_check_hostname": self.check_hostname}
        return checks | {name: file for name, file in files.items() if file}


def tls_of(url: str) -> Tls | None:
    """The TLS of a Redis URL that `check_redis` found right; None for `redis://`. The default is to verify."""
    parts = urlsplit(url)
    if parts.scheme != "rediss":
        return None
    given = dict(parse_qsl(parts.query))
    verify = _VERIFY[given.get("ssl_cert_reqs", "required")]
    names = given.get("ssl_check_hostname", "true").upper() not in _NO
    files = (given.get(name) for name in _TLS_FILES)
    return Tls(verify, names and verify is not ssl.CERT_NONE, *files)


def without_tls(url: str) -> str:
    """The URL without its TLS parameters: for Celery, which reads some of them otherwise (see `Tls.for_celery`)."""
    parts = urlsplit(url)
    rest = [(name, value) for name, value in parse_qsl(parts.query) if not name.startswith(_TLS_PREFIX)]
    return parts._replace(query=urlencode(rest)).geturl()


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
    _check_tls(parts.scheme, dict(parse_qsl(parts.query, keep_blank_values=True)))


def _check_tls(scheme: str, query: dict[str, str]) -> None:
    given = {name: value for name, value in query.items() if name.startswith(_TLS_PREFIX)}
    if given and scheme != "rediss":
        raise ValueError(f"has {', '.join(given)} but no TLS; write rediss://")
    if unknown := given.keys() - set(_TLS_NAMES):
        raise ValueError(f"has {', '.join(sorted(unknown))}; known are {', '.join(_TLS_NAMES)}")
    if given.get("ssl_cert_reqs", "required") not in _VERIFY:
        raise ValueError(f"has an ssl_cert_reqs that is none of {', '.join(_VERIFY)}")
    if "ssl_keyfile" in given and "ssl_certfile" not in given:
        raise ValueError("has ssl_keyfile without ssl_certfile")
    for name in _TLS_FILES:
        if name in given and not os.access(given[name], os.R_OK):
            raise ValueError(f"names a file in {name} that cannot be read here")


def check_web(url: str) -> None:
    """Raise a ValueError that says what is wrong with a base URL."""
    parts = urlsplit(url)
    if parts.scheme not in _WEB or not parts.hostname:
        raise ValueError("is not a web address; it starts with http:// or https:// and names a host")


def check_origin(origin: str) -> None:
    """Raise a ValueError that says what is wrong with the origin of a web page, as browsers send it."""
    parts = urlsplit(origin)
    if origin != "*" and (
        parts.scheme not in _WEB or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}"
    ):
        raise ValueError("is no origin; write https://app.example.com, without a path, or * for any")


def redacted(url: str) -> str:
    """The URL for people: the password is replaced by `***`, and a query (which may hold one) is left out."""
    parts = urlsplit(url)
    login, at, place = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    shown = (
        f"{user}:***" if colon else "***" if at else ""
    )  # a lone user is most often a password without its colon
    return parts._replace(netloc=f"{shown}{at}{place}", query="").geturl()
