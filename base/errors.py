"""Every error that pizhu raises on purpose, in one family.

A message is one sentence that a person can act on: it names the thing, what is wrong with it and what to do. The
command line prints it without a traceback and exits with status 2.
"""


class PizhuError(Exception):
    """The root of the family; catch this to catch them all."""


class ReadError(PizhuError):
    """A report cannot be read: unknown encoding, not text, empty, over a limit."""


class DataError(PizhuError):
    """Labelled data are wrong: a bad line, an unknown label, the same sentence on two sides of a split."""


class ConfigError(PizhuError):
    """A setting, recipe or label set is wrong: an unknown key, a wrong type, an impossible value."""


class ModelError(PizhuError):
    """A model or encoder cannot be loaded: missing, incomplete, changed, or made for other labels."""


class LabelingError(PizhuError):
    """Label Studio cannot be reached or refuses, or a project there is not as pizhu made it."""


class MissingExtraError(PizhuError):
    """A part needs an optional dependency that is not installed.

    Attributes:
        what: the part, as the subject of the message.
        extra: the extra of pizhu that brings the packages.
    """

    def __init__(self, what: str, extra: str) -> None:
        self.what, self.extra = what, extra
        super().__init__(f"{what} needs packages that are not installed; run: pip install 'pizhu[{extra}]'")


class RenamedWarning(FutureWarning):
    """A file or setting uses a name that was replaced; it still works, and the message says what to write."""
