"""Files of strangers are read in processes of their own, which a hostile file may hang, fill or crash.

- ``pool``: the processes that one program keeps, and what is asked of them;
- ``process``: one of them, seen from outside;
- ``messages``: what passes between the two, plain data that is checked on arrival;
- ``worker``: what such a process runs; ``confinement``: what it may use; ``posix``, ``windows``: how that is told.

A process is started as a new interpreter, never forked: that works on every system, in programs with threads and in
scripts that do not guard their main part. It loads what reads files and nothing else.
"""
