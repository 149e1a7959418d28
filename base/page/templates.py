"""Pages from Jinja2 templates, which escape all text.

A template is a file of the package, next to the module that uses it; its name is its path from the package's root
(``annotate/web/page.html.j2``). Text from reports is only ever passed as a value: no template is made from text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def render(name: str, **values: Any) -> Markup:
    """Render the template ``name`` with ``values`` to markup, which other templates insert as it is.

    Raises:
        jinja2.UndefinedError: the template needs a value that is not given.
    """
    from markupsafe import Markup

    return Markup(_environment().get_template(name).render(values))


def stream(name: str, **values: Any) -> Iterator[str]:
    """:func:`render` in pieces, each made when it is asked for."""
    return _environment().get_template(name).generate(values)


def macro(name: str, of: str) -> Callable[..., Markup]:
    """The macro ``of`` of the template ``name``, as a function."""
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
