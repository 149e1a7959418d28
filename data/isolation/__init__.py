"""Strangers' files are read in separate processes, because a hostile file may hang, fill or crash its reader.

- ``pool``: the reading processes of a program, and the requests to them;
- ``process``: one of them, seen from outside;
- ``messages``: what the two sides send each other, plain data that is checked on arrival;
- ``worker``: what such a process runs; ``confinement``: its limits; ``posix``, ``windows``: how each system sets them.

A process is started as a new interpreter, never forked: that works on every system, in programs with threads and in
scripts that do not guard their main part. It loads what reads files and nothing else.
"""
