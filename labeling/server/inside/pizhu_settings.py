"""Label Studio's settings with pizhu's changes.

The files in this folder run inside Label Studio, in its environment and not in pizhu's: they import nothing of pizhu,
and PYTHONPATH makes them importable.
"""

# Label Studio's modules read settings while they are imported; Django then uses what is defined here so far.
from core.settings.base import *  # noqa: F403
from label_studio.core.settings.label_studio import *  # noqa: F403
from label_studio.core.settings.label_studio import DATABASES as THEIR_DATABASES
from label_studio.core.settings.label_studio import MIDDLEWARE as THEIRS

MIDDLEWARE = [*THEIRS, "pizhu_addresses.OnlyOwnerSetsAddresses", "pizhu_exports.LeaveNoCopy"]
ROOT_URLCONF = "pizhu_urls"

# SQLite allows one writer at a time. A transaction that reads first and writes later fails at once if another one is
# writing, as imports do while people label; one that begins as a write transaction waits for its turn.
DATABASES = {
    name: {**database, "OPTIONS": {**database.get("OPTIONS", {}), "transaction_mode": "IMMEDIATE", "timeout": 60}}
    if database["ENGINE"] == "django.db.backends.sqlite3"
    else database
    for name, database in THEIR_DATABASES.items()
}
