"""Finds a user's own file that hides one of our packages: a search path in, what is hidden by what out.

Celery and `python -m` put the working folder first on the path, and `actions.py` is what anybody would call
their own actions. Only the standard library is used: this still runs when the packages below are hidden.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path

PACKAGES = ("actions", "orchestrator", "workers", "umbel")


def hidden(folder: Path | None = None) -> dict[str, Path]:
    """Our packages that something else hides, each with the file that would be imported in its place.

    Hidden by files of `folder`, in which Celery will be started; without it, by what this process itself finds.
    """
    house = Path(__file__).resolve().parent.parent
    found = {name: _origin(name) if folder is None else _first_in([str(folder)], name) for name in PACKAGES}
    return {name: path for name, path in found.items() if path and path != house / name / "__init__.py"}


def complaint(folder: Path | None = None) -> str | None:
    """What to tell the operator of what is `hidden`, on one line; None when all is well."""
    found = hidden(folder)
    if not found:
        return None
    what = "; ".join(f"{path} hides Umbel's package `{name}`" for name, path in found.items())
    return f"{what}: rename it (to my_{next(iter(found))}, for instance) or start in another folder."


def _origin(name: str) -> Path | None:
    """The file that `import name` loads: what is loaded already, or what stands first on the path."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return Path(file).resolve() if file else _first_in(None, name)


def _first_in(folders: list[str] | None, name: str) -> Path | None:
    """The package's file in the first of these folders that has it; of the search path, if None."""
    spec = PathFinder.find_spec(name, folders)
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None
