"""Word documents (.docx): text in reading order with what Word draws but does not store: automatic numbers."""

from .document import Traced, matches, read, trace
from .places import Place, Places

__all__ = ["Place", "Places", "Traced", "matches", "read", "trace"]
