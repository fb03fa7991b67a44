"""What the tests share: one real Valkey for the session, fresh settings on it for each test.

Without a server the tests that need one are skipped at home and fail in CI (where `CI` is set).
UMBEL_TEST_REDIS_URL points at a server of your own; each test stays inside a namespace of its own there.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

if TYPE_CHECKING:
    from orchestrator.settings import Settings
    from tracks import Tracks

# No deadline: the machines that run this are shared. Derandomised: a red test in CI is red at home too.
hypothesis_settings.register_profile(
    "umbel",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.register_profile(
    "thorough", parent=hypothesis_settings.get_profile("umbel"), max_examples=2_000
)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "umbel"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Tracks | None:
    """Of several processes each runs what disturbs the others least (`tracks`), unless another way is asked for."""
    if config.getoption("dist") != "load":
        return None
    from tracks import Tracks

    return Tracks(config, log)


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> Iterator[None]:
    """A developer's own UMBEL_ variables do not reach the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("UMBEL_") and not name.startswith("UMBEL_TEST_"):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_is_heard() -> None:
    """A shell that runs the tests in its background ignores Ctrl-C, and every process that they start would too."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running server: the embedded one in a folder of its own, or UMBEL_TEST_REDIS_URL."""
    if url := os.environ.get("UMBEL_TEST_REDIS_URL"):
        yield url
        return
    from actions.errors import OperatorError
    from umbel.supervisor import EmbeddedRedis

    server = EmbeddedRedis(tmp_path_factory.mktemp("valkey"))
    try:
        server.start()
    except OperatorError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no server for the tests: {error}")
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def settings(valkey: str, tmp_path: Path) -> Settings:
    """Settings on the session's server, in a namespace that no other test uses."""
    from orchestrator.settings import Settings

    return Settings.model_validate(
        {
            "redis_url": valkey,
            "home": tmp_path / "home",
            "namespace": f"t{secrets.token_hex(6)}",
            "concurrency": 2,
        }
    )
