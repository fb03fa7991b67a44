"""How this process was started: environment variables in, one frozen `Settings` out.

Read once, at the edge (`load_settings`), and passed on by hand from there: nothing else in the house reads
settings from the environment (the handlers' secrets are read by `orchestrator.assembly`). What is wrong with a
variable is said in one `ConfigError` that names it and what to do (`settings_reading`). A secret is a `SecretStr`: it
does not appear in a repr, a log line or an error.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from actions.errors import ConfigError, DeclarationError
from orchestrator import settings_reading as reading
from orchestrator.addresses import redacted
from orchestrator.services import secrets
from orchestrator.settings_reading import PREFIX as PREFIX  # noqa: PLC0414 - who names a variable finds it here
from orchestrator.settings_reading import Folder, Names, Origins, Pair, Rate, RedisUrl, Span, WebUrl

_TESTS: Final = "UMBEL_TEST_"
"""What begins so is for the project's own tests."""
_CLIENTS: Final = (f"{PREFIX}API_URL", f"{PREFIX}API_KEY")
"""Where a client of the HTTP API finds it, and its key (`orchestrator.client`): no settings of a service."""
_MIB: Final = 1_048_576


def _default_home() -> Path:
    """Where data of a user belongs (XDG base directories)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path("~/.local/share").expanduser()) / "umbel"


def _cores() -> int:
    return os.cpu_count() or 1


class Settings(BaseModel):
    """All that differs between two installations; `redis_url` is read from `UMBEL_REDIS_URL`, and so on."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    redis_url: RedisUrl | None = None
    """Where Redis or Valkey is, as redis://[user:password@]host:port/db; without it an embedded server is used."""
    home: Folder = Field(default_factory=_default_home)
    """The folder for the embedded server's data, logs and secrets; two run side by side."""
    actions: Names = ()
    """Modules that hold your actions, comma separated; each is imported at the start."""
    namespace: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,39}$")] = "umbel"
    """The first part of every key in Redis, so that two installations can share one server."""
    cell: Annotated[str, Field(pattern=r"^[a-z]$")] = "a"
    """The letter of this Redis in ids and keys; installations with one Redis leave it at a."""
    celery_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9:_.{}-]{0,60}$")] = ""
    """Put before the names of Celery's own keys (its global_keyprefix); needed only when two installations share one
    Redis database."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe log line that is written."""
    concurrency: int = Field(default_factory=_cores, ge=1, le=1024)
    """Processes of one worker, each with one pump; as many as there are cores when not given."""
    room: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Async runs that one pump has in flight at the same time."""
    threads: Annotated[int, Field(ge=1, le=256)] = 8
    """Sync runs that one pump has in flight at the same time, one in each thread."""
    isolated: Annotated[int, Field(ge=1, le=64)] = 1
    """Isolated runs that one pump has in flight at the same time, one in each process of its own."""
    lease_ms: Annotated[int, Field(ge=1_000, le=600_000)] = 10_000
    """How long a silent pump keeps its runs, in milliseconds; then others take them over."""
    renew_ms: Annotated[int, Field(ge=100)] = 3_000
    """How often a living pump renews its lease, in milliseconds; at most half of the lease."""
    tick_ms: Annotated[int, Field(ge=50, le=60_000)] = 1_000
    """How often each worker looks for what is due while no pump is awake, in milliseconds."""
    linger_ms: Annotated[int, Field(ge=0, le=60_000)] = 2_000
    """How long an idle pump waits on its wake key before it ends, in milliseconds."""
    stuck_ms: Annotated[int, Field(ge=1_000, le=600_000)] = 30_000
    """How long a handler may block the loop of its process, in milliseconds; then the process ends."""
    grace: Span = timedelta(seconds=10)
    """How long a worker that was told to stop lets its runs go on before it hands them back."""
    patience_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 30_000
    """How long a run that holds a lock waits at a rate limit, in milliseconds; a longer wait gives up its places, so
    that others pass."""
    tenant_share: Annotated[int, Field(ge=1, le=100)] = 50
    """Percent of all live slots that one tenant may fill while others wait; 100 is no bound."""
    turn_cap: Annotated[int, Field(ge=1, le=100_000)] = 32
    """Runs of one turn that are in flight at the same time; the rest wait."""
    conversation_cap: Annotated[int, Field(ge=1, le=100_000)] = 64
    """Runs of one conversation that are in flight at the same time; the rest wait."""
    tenant_cap: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Runs of one named tenant that are in flight at the same time; 0 is no bound."""
    result_cap: Annotated[int, Field(ge=1_024, le=64 * _MIB)] = _MIB
    """Bytes of a result's JSON; of a longer one the beginning is kept, or its run fails."""
    audit_cap: Annotated[int, Field(ge=0, le=100_000_000)] = 100_000
    """Entries of the audit that are kept, about, each with one line or several; the oldest go first. 0 keeps no
    audit."""
    run_ttl: Span = timedelta(days=7)
    """How long the record of a finished run is kept."""
    conversation_ttl: Span = timedelta(days=30)
    """How long a conversation without a live turn is kept after its last message."""
    dialects: Names = ()
    """The dialects in which the calls of a reply may stand in its text, comma separated, unless a conversation says
    otherwise; all when not given, "none" for none."""
    bad_replies: Annotated[int, Field(ge=1, le=100)] = 3
    """So many replies in a row in which nothing can be used end their turn."""
    events: bool = True
    """Whether workers send each run as Celery task events, which is what Flower shows."""
    model_url: WebUrl | None = None
    """Base URL of a model server that speaks OpenAI's chat API, such as http://127.0.0.1:8000/v1."""
    model_key: SecretStr | None = None
    """The key that is sent to the model server as a bearer token."""
    exchange_url: WebUrl | None = None
    """Base URL of the exchange that the trading actions send orders to."""
    flower_port: Annotated[int, Field(ge=0, le=65535)] = 5555
    """The port on the loopback interface where Flower listens; 0: any free one."""
    flower_auth: Pair | None = None
    """Who may open Flower, as user:password; without it one is generated in the home folder."""

    api_host: Annotated[str, Field(min_length=1, max_length=255)] = "127.0.0.1"
    """The address on which the HTTP API listens."""
    api_port: Annotated[int, Field(ge=0, le=65535)] = 8700
    """The port on which the HTTP API listens; 0: any free one."""
    api_body_cap: Annotated[int, Field(ge=1_024, le=64 * _MIB)] = 4 * _MIB
    """Bytes of a request's body; a longer one is refused with 413."""
    api_cors: Origins = ()
    """Origins whose pages may use the HTTP API from a browser, such as https://app.example.com, comma separated; * is
    any."""
    api_rate: Rate = ""
    """Requests that one API key may make, over all processes, such as 100/1s; more are refused with 429. A key may have
    a rate of its own."""
    api_streams: Annotated[int, Field(ge=0, le=100_000)] = 2_000
    """Event streams that one process of the HTTP API serves at the same time."""
    api_wait: Span = timedelta(seconds=60)
    """The longest time that a request may ask to wait for an end (?wait=)."""

    @field_validator("dialects")
    @classmethod
    def _are_dialects(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            return names
        # Not before somebody names one: it loads the intake.
        from orchestrator.dialects import check_dialects

        try:
            return tuple(check_dialects(names).split())
        except DeclarationError as error:
            raise ValueError(f"is not right: {error}") from None

    @model_validator(mode="after")
    def _renews_in_time(self) -> Self:
        """One renewal may be lost without losing the lease."""
        if self.renew_ms * 2 > self.lease_ms:
            raise ValueError(
                f"{PREFIX}RENEW_MS ({self.renew_ms}) is over half of {PREFIX}LEASE_MS ({self.lease_ms}): "
                "one lost renewal would lose the lease; lower the first or raise the second"
            )
        return self

    @property
    def is_embedded(self) -> bool:
        """Whether this installation runs a server of its own."""
        return self.redis_url is None

    @property
    def store_url(self) -> str:
        """The URL of Redis with its password: for the client's connection, never for people.

        Raises:
            ConfigError: there is none, because the embedded server's URL was not filled in yet.
        """
        if self.redis_url is None:
            raise ConfigError(
                f"No Redis is known: set {PREFIX}REDIS_URL, or start with `umbel up`, which brings one."
            )
        return self.redis_url.get_secret_value()

    @property
    def redacted_url(self) -> str:
        """The URL of Redis for people: the password is replaced by `***`."""
        if self.redis_url is None:
            return "(embedded)"
        return redacted(self.redis_url.get_secret_value())

    def environ(self) -> dict[str, str]:
        """The environment from which a child process loads these same settings; secrets in plain text."""
        return {PREFIX + name.upper(): reading.as_text(value) for name, value in self if value is not None}


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `env` (this process's when not given); an empty variable counts as not set.

    Raises:
        ConfigError: a variable's value is not usable; the message names each one and says what to do.
    """
    fields = Settings.model_fields
    try:
        return Settings.model_validate(reading.given(fields, os.environ if env is None else env))
    except ValidationError as error:
        raise ConfigError(reading.explain(error, fields)) from None
    except RuntimeError as error:  # pathlib: no home folder can be found for this user
        raise ConfigError(
            f"No home folder is known ({error}): set {PREFIX}HOME to a folder you may write."
        ) from None


def unknown_variables(env: Mapping[str, str]) -> tuple[str, ...]:
    """Names in `env` that look like ours and are not: most often a slip of the pen. For `umbel doctor`."""
    known = {*_CLIENTS, *(PREFIX + name.upper() for name in Settings.model_fields)}
    ours = {name for name in env if name.startswith(PREFIX) and not name.startswith((secrets.PREFIX, _TESTS))}
    return tuple(sorted(ours - known))
