"""The workers of an agent as their parent sees them: begun, heard, stopped, and missed when one dies."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from mattermost_load_test.errors import OperationError
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.failures import FailureLog
from mattermost_load_test.loadtest.logins.token_cache import UserSession
from mattermost_load_test.loadtest.measuring.measures import Measures, merged
from mattermost_load_test.loadtest.workers.forking import fork_worker
from mattermost_load_test.loadtest.workers.link import Link, open_link
from mattermost_load_test.loadtest.workers.messages import (
    Begin,
    DataLine,
    Failed,
    Measured,
    Message,
    Ready,
    Said,
    SessionRenewed,
    Stop,
)
from mattermost_load_test.loadtest.workers.worker import Share, work
from mattermost_load_test.logs import Log
from mattermost_load_test.timings.health import WorkerHealth

MAX_RESTARTS = 3  # of the entities of one worker: what kills it again and again is not mended by another
END_MARGIN_S = 30.0  # beyond the time that actions under way may take, until a worker that does not end is killed


@dataclass(slots=True)
class Member:
    """One worker process, from its fork to its end.

    `ready` is set when its entities can begin, and also when it ends before; `finished` once all that it did is known,
    `failure` says why it did not come to that.
    """

    share: Share
    pid: int
    link: Link
    restarts: int
    begun_s: float
    measures: Measures = field(default_factory=Measures)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    finished: bool = False
    failure: str = ""

    @property
    def last_word(self) -> bool:
        """Whether the worker has nothing more to say."""
        return self.finished or bool(self.failure)


class Crew:
    """All workers of an agent, as tasks of `tasks`.

    `restart` says whether the entities of a worker that died get another one, `renewed` is told of new sessions,
    `all_dead` that there is no worker left. `deaths` tells in a sentence each worker that died, and what it took along.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        log: Log,
        *,
        restart: bool,
        renewed: Callable[[int, UserSession], object],
        all_dead: Callable[[OperationError], object],
    ) -> None:
        self.deaths: list[str] = []
        self._tasks = tasks
        self._log = log
        self._failures = FailureLog(log, LoopClock())
        self._restart = restart
        self._renewed = renewed
        self._all_dead = all_dead
        self._members: list[Member] = []
        self._past: dict[int, list[Measures]] = {}  # by number, of workers that have ended
        self._entities: dict[int, int] = {}  # how many each number plays
        self._following: set[asyncio.Task[None]] = set()
        self._begin: Begin | None = None
        self._stopping = False

    async def start(self, shares: Sequence[Share]) -> None:
        """Fork a worker for each share; raises `OperationError` when there can be no further process."""
        gc.collect()
        self._entities = {share.number: len(share.roles) for share in shares}
        gc.freeze()  # what is there now is searched for garbage no more, which would copy every page of it
        for share in shares:
            await self._add(share, restarts=0)

    async def ready(self) -> None:
        """Return once all workers are ready to begin, or have ended."""
        for member in tuple(self._members):
            await member.ready.wait()

    async def _add(self, share: Share, restarts: int) -> None:
        """Fork a worker."""
        try:
            pid, end = fork_worker(f"loadtest-{share.number}", partial(work, share))
        except OSError as error:
            raise OperationError(f"worker {share.number} cannot be started: {error.strerror}") from error
        member = Member(share, pid, await open_link(end), restarts, time.monotonic())
        self._members.append(member)
        task = self._tasks.create_task(self._follow(member))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    def begin(self, length_s: float) -> None:
        """Let all entities act for so many seconds from now on."""
        self._begin = Begin(time.monotonic() + length_s)
        for member in self._members:
            member.link.send(self._begin)

    def stop(self, drain_s: float) -> None:
        """Stop all entities; what they have under way may take `drain_s` seconds, or less if that was said before."""
        self._stopping = True
        for member in self._members:
            member.link.send(Stop(drain_s))

    async def ended(self, drain_s: float) -> None:
        """Return once all workers have ended after `stop`; those that do not end by themselves are killed."""
        allowed_s = drain_s + END_MARGIN_S
        if self._following:
            await asyncio.wait(self._following, timeout=allowed_s)
        for member in self._members:
            _kill(member.pid)
            member.failure = f"did not end within {allowed_s:g} s and was killed"
        if self._following:
            await asyncio.wait(self._following)

    def measures(self) -> Measures:
        """Return what all workers together have done."""
        return merged(self.by_worker().values(), time.monotonic())

    def health(self) -> list[WorkerHealth]:
        """Return how each worker kept up, those before it with the same entities included."""
        return [measures.health(number, self._entities[number]) for number, measures in self.by_worker().items()]

    def by_worker(self) -> dict[int, Measures]:
        """Return what was done under each worker's number."""
        now_s = time.monotonic()
        parts: dict[int, list[Measures]] = {number: list(past) for number, past in sorted(self._past.items())}
        for member in self._members:
            parts.setdefault(member.share.number, []).append(member.measures)
        return {number: merged(own, now_s) for number, own in sorted(parts.items())}

    async def _follow(self, member: Member) -> None:
        """Hear a worker until it ends, and see to what it leaves behind."""
        try:
            while not member.last_word and (message := await member.link.receive()) is not None:
                self._hear(member, message)
        except BaseException:
            _kill(member.pid)
            raise
        finally:
            member.link.drop()
            _, status = await asyncio.to_thread(os.waitpid, member.pid, 0)
            self._members.remove(member)
            member.measures.halt(time.monotonic())
            self._past.setdefault(member.share.number, []).append(member.measures)
            member.ready.set()
        if not member.finished:
            await self._bury(member, status)

    def _hear(self, member: Member, message: Message) -> None:
        """Do what a message of a worker asks for."""
        match message:
            case DataLine(line):
                self._log.write_line(line)
            case Said(line):
                if not self._failures.pass_on(line):
                    self._log.pass_on(line)
            case Measured(measures, final):
                member.measures, member.finished = measures, final
            case SessionRenewed(user, session):
                self._renewed(user, session)
            case Failed(reason):
                member.failure = f"failed ({reason})"
            case Ready():
                member.ready.set()
                if self._begin is not None and not self._stopping:
                    member.link.send(self._begin)

    async def _bury(self, member: Member, status: int) -> None:
        """Tell that a worker died and what it took with it; give its entities another one where that is wanted."""
        again = self._restart and not self._stopping and member.restarts < MAX_RESTARTS
        entities = len(member.share.roles)
        lived_s = time.monotonic() - member.begun_s
        self.deaths.append(
            f"worker {member.share.number} (process {member.pid}) {_cause(member, status)} after {lived_s:,.1f} s: "
            f"its {entities:,} entities were cut off in what they did, and samples of its last five seconds are lost; "
            + ("its entities began anew" if again else "its entities did nothing from then on")
        )
        self._log.error(
            "A worker died",
            worker=member.share.number,
            pid=member.pid,
            cause=_cause(member, status),
            entities=entities,
            restarted=again,
        )
        if again:
            await self._add(member.share, member.restarts + 1)
        elif not self._members and not self._stopping:
            self._all_dead(OperationError(f"no worker is left; {self.deaths[-1]}"))


def _kill(pid: int) -> None:
    """End a process at once, if it has not ended just now."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _cause(member: Member, status: int) -> str:
    """Return how a worker ended."""
    if member.failure:
        return member.failure
    if os.WIFSIGNALED(status):
        return f"was killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with exit code {os.waitstatus_to_exitcode(status)}"
