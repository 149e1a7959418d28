"""The environment that Label Studio is started with: nothing of the user's but what programs need, nothing sent out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ...base.silence import NOWHERE, SWITCHES
from .accounts import Account

OFFICE: Mapping[str, str] = {
    "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    # An office without internet: nothing is asked for or sent.
    **SWITCHES,
    "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
    "LABEL_STUDIO_SENTRY_DSN": "",
    "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
    "LABEL_STUDIO_FEATURE_FLAGS_OFFLINE": "true",
    "LABEL_STUDIO_CONVERTER_DOWNLOAD_RESOURCES": "false",
    # Some pages have the server fetch tips from its maker's repository, and no setting is for that. Prediction services
    # are asked by plain HTTP, so that they are reached all the same.
    "HTTPS_PROXY": NOWHERE["HTTPS_PROXY"],
    # It would tell its version from the history of whatever repository its environment lies in, and write there.
    "GIT_DIR": os.devnull,
    # What people name is not fetched from this machine or its network; a prediction service there may be asked, and
    # `inside` sees to it that only the owner names one.
    "LABEL_STUDIO_SSRF_PROTECTION_ENABLED": "true",
    "LABEL_STUDIO_ML_BLOCK_LOCAL_IP": "false",
    "DJANGO_SETTINGS_MODULE": "pizhu_settings",
    "PYTHONPATH": str(Path(__file__).parent / "inside"),
}
"""What every Label Studio of pizhu's is set to: sign-up closed, telemetry off, addresses the owner's affair."""

_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT")


def inherited() -> dict[str, str]:
    """What any program needs of this process's environment; Label Studio would read USERNAME, DEBUG and more."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def identity(folder: Path, token: str) -> dict[str, str]:
    """What of its environment tells the server on ``folder`` from any other process: its data, its owner's token."""
    return {"LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"), "LABEL_STUDIO_USER_TOKEN": token}


def variables(folder: Path, owner: Account, database: Mapping[str, str], public_url: str | None) -> dict[str, str]:
    """The whole environment of the server on ``folder``.

    Args:
        folder: the server's.
        owner: whom it makes on its first start.
        database: what :attr:`.database.Database.variables` says.
        public_url: the address that its users type, if it is another than it listens on: forms sent from there are
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
