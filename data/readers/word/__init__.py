"""Word documents (.docx): text in reading order, with the automatic numbers, which Word draws but does not store."""

from .document import Traced, matches, read, trace
from .places import Place, Places

__all__ = ["Place", "Places", "Traced", "matches", "read", "trace"]
