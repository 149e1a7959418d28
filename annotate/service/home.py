"""The page to drop reports on."""

from __future__ import annotations

import json

from ...data.labels import LabelSet
from ...data.read import SUFFIXES
from ..writers.template import assemble, digest, script, sheet
from .answers import SANDBOX
from .settings import Settings


def home(labels: LabelSet, settings: Settings) -> tuple[str, str]:
    """The page, and the content security policy to send with it.

    The page shows the pages of reports, which inherit its policy; so the policy also lists their style and script.
    """
    facts = {
        "labels": {**{label.name: label.title for label in labels}, "none": "无"},
        "mb": settings.limits.file_mb,
        "max_requests": settings.max_requests,
    }
    style = sheet("home", labels)
    text = assemble(
        "home",
        style,
        facts=json.dumps(facts, ensure_ascii=False),
        endings=",".join(SUFFIXES),
        mb=settings.limits.file_mb,
        sandbox=SANDBOX,
    )
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src {digest(style)} {digest(sheet('page', labels))}",
            f"script-src {digest(script('home'))} {digest(script('page'))}",
            "connect-src 'self'; img-src 'self'; frame-src blob:",
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        )
    )
    return "".join(text), policy
