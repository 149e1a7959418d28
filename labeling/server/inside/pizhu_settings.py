"""Label Studio's settings with pizhu's on top.

The files of this folder run inside Label Studio, in its environment and not in pizhu's: they know nothing of pizhu and
are found by PYTHONPATH.
"""

# Theirs ask for settings while they are loaded, and Django then looks at what stands here so far.
from core.settings.base import *  # noqa: F403
from label_studio.core.settings.label_studio import *  # noqa: F403
from label_studio.core.settings.label_studio import DATABASES as THEIR_DATABASES
from label_studio.core.settings.label_studio import MIDDLEWARE as THEIRS

MIDDLEWARE = [*THEIRS, "pizhu_addresses.ByTheOwnerAlone", "pizhu_exports.LeaveNoCopy"]
ROOT_URLCONF = "pizhu_urls"

# SQLite lets one write at a time. A transaction that reads first and then finds another writing fails at once, as
# imports do while people label; one that says at its beginning that it will write waits for its turn.
DATABASES = {
    name: {**database, "OPTIONS": {**database.get("OPTIONS", {}), "transaction_mode": "IMMEDIATE", "timeout": 60}}
    if database["ENGINE"] == "django.db.backends.sqlite3"
    else database
    for name, database in THEIR_DATABASES.items()
}
