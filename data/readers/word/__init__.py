"""Word documents (.docx): text in reading order with what Word draws but does not store: automatic numbers."""

from .document import matches, read

__all__ = ["matches", "read"]
