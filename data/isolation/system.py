"""The part that differs from system to system, under one name."""

import sys

if sys.platform == "win32":
    from . import windows as system
else:
    from . import posix as system

__all__ = ["system"]
