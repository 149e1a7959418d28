"""``python -m pizhu.labeling.backend.child WORDS``: runs ``pizhu WORDS`` and exits when its parent process ends.

The parent holds the other end of its standard input, which the system closes, however the parent dies.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
from contextlib import suppress


def _end_with_parent() -> None:
    with suppress(OSError):
        while os.read(0, 1024):  # sys.stdin would hold a lock when the command ends by itself
            pass
    os._exit(143)  # nothing is lost: files are written to temporary names, trainings continue from checkpoints


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(10)  # predictions have priority
    sys.argv[0] = "pizhu"
    runpy.run_module(__package__.split(".")[0], run_name="__main__")
