"""`celery -A workers.main worker -Q actions` finds its app here; the one module that works at import.

Settings come from the environment (`UMBEL_…`). What is wrong with them is said in one line, without a traceback.
"""

from __future__ import annotations

import sys

from workers import shadow

if (hiding := shadow.complaint()) is not None:
    sys.stderr.write(f"umbel: {hiding}\n")
    sys.exit(78)

from actions.errors import UmbelError
from orchestrator.settings import load_settings
from workers.app import create_app

try:
    app = create_app(load_settings())
except UmbelError as error:
    sys.stderr.write(f"umbel: {error}\n")
    sys.exit(error.exit_code)
