"""``python -m pizhu.labeling.backend.child WORDS``: ``pizhu WORDS`` that ends when whoever started it ends.

The parent holds the other end of its standard input, which the system closes however the parent dies.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
from contextlib import suppress


def _end_with_parent() -> None:
    with suppress(OSError):
        while os.read(0, 1024):  # not sys.stdin, whose lock would be held when the command ends by itself
            pass
    os._exit(143)  # nothing is lost: files are written beside their place, trainings go on from checkpoints


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(10)  # predictions go first
    sys.argv[0] = "pizhu"
    runpy.run_module(__package__.split(".")[0], run_name="__main__")
