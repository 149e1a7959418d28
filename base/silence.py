"""Turns off the usage reports of dependencies, before any of them can be imported.

ONNX Runtime's official builds since 1.29 record what they run (paths, processor, names of models and graphs), keep an
identifier and a database in the user's cache folder and look up their vendor's host. Python's sockets do not show it,
and on machines that look like continuous integration it is off. Ray counts its users, Hugging Face's hub library counts
its calls. All of them read the environment when they are first imported, so the switches are set there, and child
processes inherit them.

``SWITCHES`` are set whatever the environment holds: pizhu promises that nothing is sent, and a variable left over from
another program must not break that promise. ``DEFAULTS`` give way to the user: no part of pizhu needs a hub except an
encoder that is named by its hub id. To download one, or to share a process with programs that download, set
``HF_HUB_OFFLINE=0``.

A program that imports ONNX Runtime before pizhu is past the point where the environment is read;
:func:`hush_onnxruntime` silences it from then on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

SWITCHES: Mapping[str, str] = {
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # covers transformers and datasets, which ask the hub's library
    "DO_NOT_TRACK": "1",  # a convention of many programs: for reports that later versions may add
}
"""Variables that turn the reports off; Label Studio's own variables are in ``labeling.server.variables``."""

DEFAULTS: Mapping[str, str] = {"HF_HUB_OFFLINE": "1"}
"""Variables that prevent network access, unless the user has set them."""

NOWHERE: Mapping[str, str] = {
    **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"),
    **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
}
"""For child processes that would contact addresses elsewhere in any case: a proxy that does not exist."""


def silence() -> None:
    """Set the switches for this process and its children."""
    os.environ.update(SWITCHES)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


def hush_onnxruntime() -> None:
    """Stop ONNX Runtime's recording from now on: for programs that imported it before :func:`silence`, and for builds
    that write to Windows' event tracing, which read no variable.

    What it recorded before may still be sent (measured with 1.32 on Linux: it looks up the host). A program can prevent
    that by setting ``ORT_DISABLE_TELEMETRY=1`` itself.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
