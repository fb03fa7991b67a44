"""The repository itself: complete at the top, locked without hosts, and its parts agree with each other."""

import os
import re
import subprocess
import tomllib
from datetime import timedelta
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic_core import PydanticUndefined

import umbel
from orchestrator.services import secrets
from orchestrator.settings import PREFIX, Settings, unknown_variables
from orchestrator.settings_reading import meaning

ROOT = Path(__file__).parents[1]
PACKAGES = ["actions", "orchestrator", "workers", "umbel"]
LOCKS = ["build", "dev", "embedded", "runtime"]

# Written in pieces, so that this file does not hold what it looks for.
HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs"),
        ("registry", "yarnpkg"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("conda", "anaconda"),
        ("crates", "io"),
        ("proxy", "golang"),
    ]
]
MACHINE_PATHS = re.compile(
    "|".join(
        rf"(?<![\w.~{{}}/]){re.escape('/')}{top}/"
        for top in ("home/(?!umbel)", "root", "tmp", "work", "Users", "mnt")
    )
)


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or would be tracked."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return tuple(path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file())


@cache
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    "name",
    [
        ".ci/run",
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Dockerfile",
        "LICENSE",
        "Makefile",
        "README.md",
        "docker-compose.yml",
        "pyproject.toml",
    ],
)
def test_the_top_is_complete(name):
    assert (ROOT / name).is_file()


def test_ci_runs_what_people_run():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert {"make test", "make check"} <= set((ROOT / ".ci" / "run").read_text().splitlines())


@pytest.mark.parametrize("what", ["host", "path"])
def test_no_registry_and_no_path_of_a_machine_stands_anywhere(what):
    wrong = re.compile("|".join(map(re.escape, HOSTS)), re.IGNORECASE) if what == "host" else MACHINE_PATHS
    found = []
    for path in files():
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if match := wrong.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert not found


# Packages, names and versions.


def test_every_list_of_our_packages_is_the_same():
    tools = project()["tool"]
    assert tools["hatch"]["build"]["targets"]["wheel"]["packages"] == PACKAGES
    assert tools["importlinter"]["root_packages"] == PACKAGES
    assert tools["mypy"]["packages"] == PACKAGES
    assert tools["ruff"]["lint"]["isort"]["known-first-party"] == PACKAGES
    for package in PACKAGES:
        assert (ROOT / package / "py.typed").is_file()
        assert (import_module(package).__doc__ or "").strip()


def test_the_exported_names_are_complete_and_sorted():
    assert umbel.__all__ == sorted(umbel.__all__)
    assert set(umbel.__all__) == set(umbel._HOME_OF)
    for name in umbel.__all__:
        assert getattr(umbel, name) is getattr(import_module(umbel._HOME_OF[name]), name)
    assert set(umbel.__all__) <= set(dir(umbel))


def test_a_name_that_is_not_exported_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Celery'"):
        _ = umbel.Celery


def test_the_version_stands_in_two_places_and_is_the_same():
    assert project()["project"]["version"] == umbel.__version__


# Locks.


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_its_hashes_and_no_address(lock):
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    assert "://" not in text
    assert "--index" not in text
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert entries
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


def test_compiled_packages_are_locked_for_every_platform():
    text = (ROOT / "requirements" / "dev.txt").read_text()
    for package in ("pydantic-core", "hiredis", "tornado"):
        [entry] = re.findall(rf"^{package}==(?:.*\\\n)+.*", text, re.MULTILINE)
        assert entry.count("--hash") > 20, f"{package} is locked for some platforms only"


@pytest.mark.parametrize("lock", ["build", "runtime", "embedded"])
def test_the_locks_agree(lock):
    dev = pins("dev")
    assert all(dev.get(name, version) == version for name, version in pins(lock).items())
    if lock != "embedded":
        assert pins(lock).keys() <= dev.keys()


def test_everything_declared_is_locked():
    def names(requirements):
        return {re.split(r"[\[<>=~! ;]", r)[0] for r in requirements if isinstance(r, str)}

    assert names(project()["project"]["dependencies"]) <= pins("runtime").keys()
    assert names(project()["project"]["optional-dependencies"]["embedded"]) <= pins("embedded").keys()
    assert names(project()["dependency-groups"]["dev"]) <= pins("dev").keys()
    assert names(project()["dependency-groups"]["build"]) <= pins("build").keys()


# Settings.


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "depends on the machine"
    if value is None or value in {(), ""}:
        return "not set"
    if isinstance(value, timedelta):
        days, rest = divmod(value, timedelta(days=1))
        return f"`{rest.seconds}s`" if rest else f"`{days}d`"
    return f"`{value}`"


def test_every_setting_is_documented():
    rows = (ROOT / "docs" / "settings.md").read_text().splitlines()
    expected = [
        f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {meaning(field)} |"
        for name, field in Settings.model_fields.items()
    ]
    assert [row for row in rows if row.startswith(f"| `{PREFIX}")] == expected


@pytest.mark.parametrize("variable", [f"{secrets.PREFIX}<NAME>", "UMBEL_TEST_REDIS_URL"])
def test_a_variable_that_is_no_setting_is_documented_beside_them(variable):
    assert f"- `{variable}`: " in (ROOT / "docs" / "settings.md").read_text()
    assert not unknown_variables({variable: "x"})


# Containers.


@cache
def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_compose_file_is_valid_against_the_specification():
    schema = yaml.safe_load((ROOT / "tests" / "data" / "compose-spec.json").read_text())
    Draft7Validator.check_schema(schema)
    errors = [
        f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(compose())
    ]
    assert not errors


def test_the_schema_bites():
    schema = yaml.safe_load((ROOT / "tests" / "data" / "compose-spec.json").read_text())
    assert not Draft7Validator(schema).is_valid({**compose(), "services": {"redis": {"imagine": "valkey"}}})


def test_the_services_run_the_same_commands_as_by_hand():
    services = compose()["services"]
    assert set(services) == {"redis", "worker", "turns-worker", "api", "flower"}
    for name, start in {
        "worker": "celery -A workers.main worker -Q ${UMBEL_QUEUES:-actions,trading} --",
        "turns-worker": "celery -A workers.main worker -Q turns",
        "api": "umbel api",
        "flower": "celery -A workers.main flower",
    }.items():
        assert " ".join(services[name]["command"]).startswith(start)


def test_the_server_of_the_compose_file_keeps_everything():
    config = compose()["configs"]["valkey"]["content"].splitlines()
    assert {"appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"} <= set(config)
    assert any(line.startswith("requirepass ") for line in config)
    assert "redis" in compose()["volumes"]


def test_flower_listens_on_the_loopback_interface_and_asks_for_a_password():
    flower = compose()["services"]["flower"]
    assert all(port.startswith("127.0.0.1:") for port in flower["ports"])
    assert ":?" in flower["environment"]["FLOWER_BASIC_AUTH"]


def test_the_api_listens_on_the_loopback_interface_and_asks_for_keys():
    api = compose()["services"]["api"]
    assert all(port.startswith("127.0.0.1:") for port in api["ports"])
    assert "--insecure" not in api["command"]
    assert "/livez" in " ".join(api["healthcheck"]["test"])


def test_no_secret_stands_in_the_compose_file():
    text = (ROOT / "docker-compose.yml").read_text()
    assert not re.findall(r"^\s+(?:\w*PASSWORD|\w*AUTH|requirepass):? (?!\$\{)\S+", text, re.MULTILINE)


def test_the_image_is_locked_and_not_root():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert sum(line.startswith("FROM ") for line in lines) == 2
    installs = [line for line in lines if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    assert "USER umbel" in lines
    assert "STOPSIGNAL SIGTERM" in lines
    assert not any(line.startswith("HEALTHCHECK") for line in lines)
