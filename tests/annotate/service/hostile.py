"""A service whose readers do what files say: hostile.py SECONDS READ_SECONDS; prints its address when it is ready."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from pizhu.annotate.service.app import create_app
from pizhu.annotate.service.settings import SERVICE_LIMITS, Settings
from pizhu.base import serving as server
from pizhu.data.isolation import process
from pizhu.tests.support import deeds
from pizhu.tests.support.killing import Hashed

if __name__ == "__main__":
    process._WORKER = deeds.MODULE
    seconds, read_seconds = float(sys.argv[1]), int(sys.argv[2])
    model: Any = Hashed()
    limits = replace(SERVICE_LIMITS, read_seconds=read_seconds, cpu_seconds=300)
    listening = server.listen("127.0.0.1", 0)
    app = create_app(model, Settings(limits, seconds))
    server.run(app, listening, seconds, lambda: print(server.address(listening), flush=True))
