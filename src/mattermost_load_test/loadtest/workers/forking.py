"""Making a worker: a fork of the parent, so that what the parent holds is there once, whatever the number of workers.

The worker begins in the middle of the parent's call, with the parent's open files, signal handlers and event loop. It
uses none of them: it closes the files, leaves the signals to the parent, makes a loop of its own, and never returns.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

PARENTS_SIGNALS = (signal.SIGINT, signal.SIGTERM)  # a terminal or a service manager sends them to every process
FAILED = 1
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15  # <linux/prctl.h>


def fork_worker(name: str, work: Callable[[socket.socket], None]) -> tuple[int, socket.socket]:
    """Have `work` done by a process of its own, given its end of a socket pair; return its id and the other end.

    It ends when `work` returns, and is killed as soon as this process is gone. Raises OSError when there can be no
    further process.
    """
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        ours.close()
        theirs.close()
        raise
    if pid == 0:
        _become_worker(name, parent, theirs, work)
    theirs.close()
    return pid, ours


def _become_worker(name: str, parent: int, end: socket.socket, work: Callable[[socket.socket], None]) -> NoReturn:
    """Do the work of a worker in the process just forked, and end it."""
    code = FAILED
    try:
        gc.freeze()  # what the parent holds is not searched for garbage, which would copy every page of it
        signal.set_wakeup_fd(-1)
        for number in PARENTS_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        _tie_to(parent, name)
        _keep_open(end.fileno())
        work(end)
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)


def _tie_to(parent: int, name: str) -> None:
    """Have the kernel kill this process when its parent ends, however that comes about (Linux), and name it for ps."""
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
    if os.getppid() != parent:  # it was gone before
        os._exit(FAILED)


def _keep_open(end: int) -> None:
    """Close every inherited file but stderr and this worker's own end; stdin and stdout lead nowhere.

    The objects around those files are the parent's, stay referenced by its calls, and so close nothing later.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nowhere, stream)
    for descriptor in _open_files():
        if descriptor > 2 and descriptor != end:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _open_files() -> list[int]:
    """Return the numbers of all open files, or of all that could be where the system does not tell."""
    for folder in (Path("/proc/self/fd"), Path("/dev/fd")):
        with contextlib.suppress(OSError):
            return [int(entry.name) for entry in folder.iterdir()]
    return list(range(os.sysconf("SC_OPEN_MAX")))
