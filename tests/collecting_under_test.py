"""What keeps the garbage collector from stopping a loop that something is timed on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def spared() -> Iterator[None]:
    """Leave what is there now out of collections during the block.

    A process of the tests holds so many objects that going through all of them stops its loop for half a second, and
    for two on a busy machine.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
