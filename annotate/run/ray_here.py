"""A Ray cluster of this process's own, which keeps to this machine and to this user and asks nobody for anything."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...base.silence import NOWHERE


@contextmanager
def ray_here(processors: int, **options: Any) -> Iterator[None]:
    """A cluster of ``processors``, ended with the block; ``options`` are of ``ray.init``.

    Its files lie in a private folder, not in the one under /tmp that all users share. The folder goes with the cluster,
    unless the block fails: then Ray's logs are left to be read.

    Raises:
        ConnectionError, RuntimeError, ValueError: Ray cannot begin.
    """
    import ray

    # The names of sockets have a limit, which the temporary folder of macOS would nearly use up.
    place = os.environ.get("RAY_TMPDIR") or ("/tmp" if sys.platform == "darwin" else None)
    folder = tempfile.mkdtemp(prefix="pizhu-ray-", dir=place)
    failed = False
    try:
        with _apart():
            ray.init(
                address="local",
                num_cpus=processors,
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                _temp_dir=folder,
                **options,
            )
        try:
            yield
        finally:
            ray.shutdown()
    except Exception:
        failed = True
        raise
    finally:
        if not failed:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _apart() -> Iterator[None]:
    """Within it, Ray begins a cluster that only this machine and this user reach."""
    from ray._private import ray_constants

    _give_token()
    before = ray_constants.ENABLE_RAY_CLUSTER, {name: os.environ.get(name) for name in NOWHERE}
    # On Linux Ray puts the machine's own address in the place of 127.0.0.1, whatever it is told.
    ray_constants.ENABLE_RAY_CLUSTER = False
    # With its statistics switched off it still asks the cloud providers' addresses whose machine this is.
    os.environ.update(NOWHERE)
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER, values = before
        for name, value in values.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _give_token() -> None:
    """What opens the cluster, where the user has set nothing up: Ray would write one into the home folder.

    It stays for the life of this process, since Ray's threads may ask for it after the cluster has ended.
    """
    given = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()
    if not given and not Path.home().joinpath(".ray", "auth_token").exists():
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
