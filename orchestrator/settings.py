"""How this process was started: environment variables in, one frozen `Settings` out.

Read once, at the edge (`load_settings`), and passed on by hand from there: nothing else in the house reads
settings from the environment (the handlers' secrets are read by `orchestrator.assembly`). What is wrong with a
variable is said in one `ConfigError` that names it and what to do. A secret is a `SecretStr`: it does not appear
in a repr, a log line or an error.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from actions.errors import ConfigError, DeclarationError
from actions.policy import duration, milliseconds
from orchestrator.addresses import check_redis, check_web, redacted
from orchestrator.services import secrets

PREFIX = "UMBEL_"
_TESTS = "UMBEL_TEST_"
"""What begins so is for the project's own tests."""


def _span(value: object) -> object:
    """A duration as a person writes it ("250ms", "7d"); anything else is left for pydantic to judge."""
    if not isinstance(value, str):
        return value
    try:
        return duration(value)
    except DeclarationError as error:
        raise ValueError(f"is not right: {error}") from None


def _names(value: object) -> object:
    """Names that a person parts by commas."""
    if not isinstance(value, str):
        return value
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _default_home() -> Path:
    """Where data of a user belongs (XDG base directories)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path("~/.local/share").expanduser()) / "umbel"


def _cores() -> int:
    return os.cpu_count() or 1


Span = Annotated[timedelta, BeforeValidator(_span), Field(gt=timedelta(0), le=timedelta(days=3660))]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


class Settings(BaseModel):
    """All that differs between two installations; `redis_url` is read from `UMBEL_REDIS_URL`, and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    redis_url: SecretStr | None = Field(
        default=None,
        description=(
            "Where Redis or Valkey is, as redis://[user:password@]host:port/db; "
            "without it an embedded server is used."
        ),
    )
    home: Path = Field(
        default_factory=_default_home,
        description="The folder for the embedded server's data, logs and secrets; two run side by side.",
    )
    actions: Names = Field(
        default=(),
        description="Modules that hold your actions, comma separated; each is imported at the start.",
    )
    namespace: str = Field(
        default="umbel",
        pattern=r"^[a-z][a-z0-9_.-]{0,39}$",
        description="The first part of every key in Redis, so that two installations can share one server.",
    )
    cell: str = Field(
        default="a",
        pattern=r"^[a-z]$",
        description="The letter of this Redis in ids and keys; installations with one Redis leave it at a.",
    )
    celery_prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9:_.{}-]{0,60}$",
        description=(
            "Put before the names of Celery's own keys (its global_keyprefix); "
            "needed only when two installations share one Redis database."
        ),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="The least severe log line that is written.",
    )
    concurrency: int = Field(
        default_factory=_cores,
        ge=1,
        le=1024,
        description="Processes of one worker, each with one pump; as many as there are cores when not given.",
    )
    room: int = Field(
        default=500,
        ge=1,
        le=10_000,
        description="Async runs that one pump has in flight at the same time.",
    )
    threads: int = Field(
        default=8,
        ge=1,
        le=256,
        description="Sync runs that one pump has in flight at the same time, one in each thread.",
    )
    isolated: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Isolated runs that one pump has in flight at the same time, one in each process of its own.",
    )
    lease_ms: int = Field(
        default=10_000,
        ge=1_000,
        le=600_000,
        description="How long a silent pump keeps its runs, in milliseconds; then others take them over.",
    )
    renew_ms: int = Field(
        default=3_000,
        ge=100,
        description="How often a living pump renews its lease, in milliseconds; at most half of the lease.",
    )
    tick_ms: int = Field(
        default=1_000,
        ge=50,
        le=60_000,
        description="How often each worker looks for what is due while no pump is awake, in milliseconds.",
    )
    linger_ms: int = Field(
        default=2_000,
        ge=0,
        le=60_000,
        description="How long an idle pump waits on its wake key before it ends, in milliseconds.",
    )
    stuck_ms: int = Field(
        default=30_000,
        ge=1_000,
        le=600_000,
        description="How long a handler may block the loop of its process, in milliseconds; then the process ends.",
    )
    grace: Span = Field(
        default=timedelta(seconds=10),
        description="How long a worker that was told to stop lets its runs go on before it hands them back.",
    )
    patience_ms: int = Field(
        default=30_000,
        ge=0,
        le=3_600_000,
        description=(
            "How long a run that holds a lock waits at a rate limit, in milliseconds; "
            "a longer wait gives up its places, so that others pass."
        ),
    )
    tenant_share: int = Field(
        default=50,
        ge=1,
        le=100,
        description="Percent of all live slots that one tenant may fill while others wait; 100 is no bound.",
    )
    turn_cap: int = Field(
        default=32,
        ge=1,
        le=100_000,
        description="Runs of one turn that are in flight at the same time; the rest wait.",
    )
    conversation_cap: int = Field(
        default=64,
        ge=1,
        le=100_000,
        description="Runs of one conversation that are in flight at the same time; the rest wait.",
    )
    tenant_cap: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Runs of one named tenant that are in flight at the same time; 0 is no bound.",
    )
    result_cap: int = Field(
        default=1_048_576,
        ge=1_024,
        le=64 * 1_048_576,
        description="Bytes of a result's JSON; of a longer one the beginning is kept, or its run fails.",
    )
    audit_cap: int = Field(
        default=100_000,
        ge=0,
        le=100_000_000,
        description=(
            "Entries of the audit that are kept, about, each with one line or several; "
            "the oldest go first. 0 keeps no audit."
        ),
    )
    run_ttl: Span = Field(
        default=timedelta(days=7),
        description="How long the record of a finished run is kept.",
    )
    conversation_ttl: Span = Field(
        default=timedelta(days=30),
        description="How long a conversation without a live turn is kept after its last message.",
    )
    events: bool = Field(
        default=True,
        description="Whether workers send each run as Celery task events, which is what Flower shows.",
    )
    model_url: str | None = Field(
        default=None,
        description="Base URL of a model server that speaks OpenAI's chat API, such as http://127.0.0.1:8000/v1.",
    )
    model_key: SecretStr | None = Field(
        default=None,
        description="The key that is sent to the model server as a bearer token.",
    )
    exchange_url: str | None = Field(
        default=None,
        description="Base URL of the exchange that the trading actions send orders to.",
    )
    flower_port: int = Field(
        default=5555,
        ge=1,
        le=65535,
        description="The port on the loopback interface where Flower listens.",
    )
    flower_auth: SecretStr | None = Field(
        default=None,
        description="Who may open Flower, as user:password; without it one is generated in the home folder.",
    )

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        """Find what is wrong with the URL here, where the variable can still be named."""
        if value is not None:
            check_redis(value.get_secret_value())
        return value

    @field_validator("model_url", "exchange_url")
    @classmethod
    def _is_web(cls, value: str | None) -> str | None:
        if value is None:
            return None
        check_web(value)
        return value.rstrip("/")

    @field_validator("flower_auth")
    @classmethod
    def _is_pair(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all(value.get_secret_value().partition(":")):
            raise ValueError("is not a pair; write user:password")
        return value

    @field_validator("home")
    @classmethod
    def _is_absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

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
        return {PREFIX + name.upper(): _as_text(value) for name, value in self if value is not None}


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `env` (this process's when not given); an empty variable counts as not set.

    Raises:
        ConfigError: a variable's value is not usable; the message names each one and says what to do.
    """
    source = os.environ if env is None else env
    given = {
        name: source[PREFIX + name.upper()]
        for name in Settings.model_fields
        if source.get(PREFIX + name.upper())
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from None
    except RuntimeError as error:  # pathlib: no home folder can be found for this user
        raise ConfigError(
            f"No home folder is known ({error}): set {PREFIX}HOME to a folder you may write."
        ) from None


def unknown_variables(env: Mapping[str, str]) -> tuple[str, ...]:
    """Names in `env` that look like ours and are not: most often a slip of the pen. For `umbel doctor`."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    others = (secrets.PREFIX, _TESTS)
    return tuple(
        sorted(
            name
            for name in env
            if name.startswith(PREFIX) and name not in known and not name.startswith(others)
        )
    )


def _as_text(value: Any) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(value)
        case timedelta():
            return f"{value / timedelta(milliseconds=1):.0f}ms"
        case _:
            return str(value)


def _wording(kind: str, message: str, name: str, given: Any) -> str:
    if kind.startswith("int_"):
        return f"is {given!r:.40}, which is not a whole number{_cure(name, given)}"
    text = message.removeprefix("Value error, ")
    return text if text is not message else f"is not right: {message[0].lower()}{message[1:]}"


def _cure(name: str, given: Any) -> str:
    """What to write instead of a duration such as "30s", where milliseconds are wanted."""
    try:
        return f": write {milliseconds(duration(given))}" if name.endswith("_MS") else ""
    except DeclarationError:
        return ""


def _explain(error: ValidationError) -> str:
    """One line for each variable that is wrong, worded for the person who set it."""
    lines = []
    for problem in error.errors(include_url=False):
        name = "".join(f"{PREFIX}{part}".upper() for part in problem["loc"][:1])
        text = _wording(problem["type"], problem["msg"], name, problem["input"])
        field = Settings.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
        meaning = f" ({field.description})" if field is not None else ""
        lines.append(f"{name} {text}{meaning}".strip())
    return "; ".join(lines)
