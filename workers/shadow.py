"""Finds a user's own file that hides one of our packages: a search path in, what is hidden by what out.

Celery and `python -m` put the working folder first on the path, and `actions.py` is what anybody would call
their own actions. Only the standard library is used: this still runs when the packages below are hidden.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path

PACKAGES = ("actions", "orchestrator", "workers", "umbel")


def hidden() -> dict[str, Path]:
    """Our packages that something else hides, each with the file that would be imported in its place."""
    house = Path(__file__).resolve().parent.parent
    found = {name: _origin(name) for name in PACKAGES}
    return {name: path for name, path in found.items() if path and path != house / name / "__init__.py"}


def complaint() -> str | None:
    """What to tell the operator, on one line; None when all is well."""
    found = hidden()
    if not found:
        return None
    what = "; ".join(f"{path} hides Umbel's package `{name}`" for name, path in found.items())
    return f"{what}: rename it (to my_{next(iter(found))}, for instance) or start in another folder."


def _origin(name: str) -> Path | None:
    """The file that `import name` loads: what is loaded already, or what stands first on the path."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        spec = PathFinder.find_spec(name)
        file = spec.origin if spec is not None else None
    return Path(file).resolve() if file else None
