"""Dependencies that would tell their makers how they are used are told not to, before one of them can be imported.

ONNX Runtime's official builds since 1.29 record what they run (paths, processor, names of models and graphs), keep an
identifier and a database in the user's cache folder and look up their maker's host. Nothing in Python's sockets shows
it, and on machines that look like continuous integration it is off. Ray counts its users, Hugging Face's hub its
calls. All of them read the environment when they are first imported, so that is where it is said, and child processes
inherit it.

``SWITCHES`` are set whatever the environment holds: that nothing is sent is a promise of pizhu's, and a variable left
over from another program is no reason to break it. ``DEFAULTS`` give way to the user: no part of pizhu needs a hub
but an encoder that is named by its hub id, and whoever wants one downloaded, or shares a process between pizhu and
programs that download, says so with ``HF_HUB_OFFLINE=0``.

A program that imports ONNX Runtime before pizhu is past the point where the environment is read;
:func:`hush_onnxruntime` silences it from then on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

SWITCHES: Mapping[str, str] = {
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # of transformers and datasets too, which ask the hub's library
    "DO_NOT_TRACK": "1",  # what many programs have agreed on: for those that come to talk with a later version
}
"""What switches the dependencies' reports off; Label Studio's own variables are in ``labeling.server.variables``."""

DEFAULTS: Mapping[str, str] = {"HF_HUB_OFFLINE": "1"}
"""What keeps from the network, unless the user has set it otherwise."""

NOWHERE: Mapping[str, str] = {
    **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"),
    **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
}
"""For child processes that would ask addresses elsewhere, whatever they are set to: a proxy that nobody serves."""


def silence() -> None:
    """Set the switches for this process and its children."""
    os.environ.update(SWITCHES)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


def hush_onnxruntime() -> None:
    """Have ONNX Runtime record nothing from now on: for programs that imported it before :func:`silence`, and for
    builds that write to Windows' event tracing, which read no variable.

    What such a program has recorded by then may still be sent (measured with 1.32 on Linux: it is looked up where to);
    it can set ``ORT_DISABLE_TELEMETRY=1`` itself.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
