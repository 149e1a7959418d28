"""The environment that Label Studio starts with: only what programs need of the user's; no calls to the internet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ...base.silence import NOWHERE, SWITCHES
from .accounts import Account

OFFICE: Mapping[str, str] = {
    "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    # For an office without internet: Label Studio fetches and sends nothing.
    **SWITCHES,
    "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
    "LABEL_STUDIO_SENTRY_DSN": "",
    "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
    "LABEL_STUDIO_FEATURE_FLAGS_OFFLINE": "true",
    "LABEL_STUDIO_CONVERTER_DOWNLOAD_RESOURCES": "false",
    # Some pages make the server fetch tips from its maker's repository, and no setting turns that off. Prediction
    # services use plain HTTP, so this does not affect them.
    "HTTPS_PROXY": NOWHERE["HTTPS_PROXY"],
    # Otherwise it would derive its version from any git repository that its environment is in, and write there.
    "GIT_DIR": os.devnull,
    # Imports from URLs must not reach this machine or its network; requests to prediction services may, and `inside`
    # ensures that only the owner sets those.
    "LABEL_STUDIO_SSRF_PROTECTION_ENABLED": "true",
    "LABEL_STUDIO_ML_BLOCK_LOCAL_IP": "false",
    "DJANGO_SETTINGS_MODULE": "pizhu_settings",
    "PYTHONPATH": str(Path(__file__).parent / "inside"),
}
"""Settings of every Label Studio that pizhu starts: sign-up closed, telemetry off, addresses set by the owner only."""

_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT")


def inherited() -> dict[str, str]:
    """The variables that any program needs; Label Studio would also read USERNAME, DEBUG and others."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def identity(folder: Path, token: str) -> dict[str, str]:
    """The variables that identify the process of the server in ``folder``: its data folder and its owner's token."""
    return {"LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"), "LABEL_STUDIO_USER_TOKEN": token}


def variables(folder: Path, owner: Account, database: Mapping[str, str], public_url: str | None) -> dict[str, str]:
    """The whole environment of the server in ``folder``.

    Args:
        folder: the server's folder.
        owner: the account that it creates on its first start.
        database: :attr:`.database.Database.variables`.
        public_url: the address that its users type, if it differs from the one it listens on: forms from there are
            trusted. Label Studio's own HOST stays unset, since pages then work at every address that leads to it.
    """
    trusted = {"LABEL_STUDIO_CSRF_TRUSTED_ORIGINS": public_url} if public_url else {}
    return {
        **inherited(),
        **OFFICE,
        **database,
        **trusted,
        "HOME": str(folder),
        "USERPROFILE": str(folder),
        "PYTHONUTF8": "1",
        **identity(folder, owner.token),
        "LABEL_STUDIO_USERNAME": owner.email,
        "LABEL_STUDIO_PASSWORD": owner.password,
    }
