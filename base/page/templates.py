"""Pages from Jinja2's templates, which escape whatever text they are given.

A template is a file of the package, beside the modules that own it; its name is its path from the package's root
(``annotate/web/page.html.j2``). What a report says is only ever a value in one: no template is made from text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def render(name: str, **values: Any) -> Markup:
    """The template ``name`` with ``values``: markup, which other templates take as it is.

    Raises:
        jinja2.UndefinedError: the template asks for a value that is not given.
    """
    from markupsafe import Markup

    return Markup(_environment().get_template(name).render(values))


def stream(name: str, **values: Any) -> Iterator[str]:
    """The same in pieces, made while they are asked for."""
    return _environment().get_template(name).generate(values)


def macro(name: str, of: str) -> Callable[..., Markup]:
    """The macro ``of`` of the template ``name``, to be called as a function."""
    found: Callable[..., Markup] = getattr(_environment().get_template(name).module, of)
    return found


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # heavy, and most commands write no page

    made = Environment(
        loader=PackageLoader(__name__.partition(".")[0], ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters["formatted"] = format
    return made
