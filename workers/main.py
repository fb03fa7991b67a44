"""`celery -A workers.main worker -Q actions` finds its app here; the one module that works at import.

Settings come from the environment (`UMBEL_…`). What is wrong with them is said in one line, without a traceback.
"""

from __future__ import annotations

import os
import sys

from workers import shadow

if (hiding := shadow.complaint()) is not None:
    sys.stderr.write(f"umbel: {hiding}\n")
    sys.exit(78)

from actions.errors import UmbelError
from orchestrator.settings import load_settings
from workers.app import create_app

try:
    _settings = load_settings()
    app = create_app(_settings)
    # `celery … flower` takes its options from here too: leaving one out does not open it to the network.
    os.environ.setdefault("FLOWER_ADDRESS", "127.0.0.1")
    if _settings.flower_auth is not None:
        os.environ.setdefault("FLOWER_BASIC_AUTH", _settings.flower_auth.get_secret_value())
except UmbelError as error:
    sys.stderr.write(f"umbel: {error}\n")
    sys.exit(error.exit_code)
