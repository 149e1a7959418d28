"""Starts a private Ray cluster: only this user on this machine can reach it, and it sends no requests elsewhere."""

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
    """A cluster with ``processors`` CPUs until the block ends; ``options`` go to ``ray.init``.

    Its files are in a private folder, not in the one under /tmp that all users share. The folder is removed with the
    cluster, unless the block fails: then it stays, so that Ray's logs can be read.

    Raises:
        ConnectionError, RuntimeError, ValueError: Ray cannot start.
    """
    import ray

    # Paths of sockets have a length limit, which the temporary folder of macOS would nearly use up.
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
    """Within the block, Ray starts clusters that only this user on this machine can reach."""
    from ray._private import ray_constants

    _give_token()
    before = ray_constants.ENABLE_RAY_CLUSTER, {name: os.environ.get(name) for name in NOWHERE}
    # On Linux Ray would otherwise replace 127.0.0.1 by the machine's own address.
    ray_constants.ENABLE_RAY_CLUSTER = False
    # Even with its statistics off, Ray asks cloud providers' addresses whether this is their machine.
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
    """Set a token for the cluster, unless the user has one: Ray would write one into the home folder.

    The token stays set for the life of this process, since Ray's threads may need it after the cluster has ended.
    """
    given = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()
    if not given and not Path.home().joinpath(".ray", "auth_token").exists():
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
