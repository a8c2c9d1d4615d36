"""Who is connected, and which events reach whom: the embedded server's websocket hub.

Pure of sockets: a `Connection` holds what one client is owed (what waits, the next number, what it was sent lately)
and writes to a `Link`, which `sockets` puts around a real socket. Numbers are those of the servers' public source.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

import orjson

from mattermost_load_test.embedded.events import Broadcast, Event, Events, Row

QUEUE_SLOTS = 256
"""Messages that wait for a slow or absent client; with one more, the server gives the connection up."""

QUEUE_SLOW = 128
"""With this many waiting, an expendable event is dropped: new servers do so before it joins them, old ones when it
is its turn and so many wait behind it."""

RESENT_MAX = 128
"""How many sent events a connection keeps for a client that resumes."""

EXPENDABLE = frozenset(("typing", "status_change", "channel_viewed", "multiple_channels_viewed"))
"""Events that a client can do without when it is slow."""

FORGET_AFTER_MS = 5 * 60 * 1000
"""How long a connection without a socket can be resumed."""


class Directory(Protocol):
    """What the hub asks of the server's tables."""

    def channel_member_ids(self, channel_id: str) -> AbstractSet[str]:
        """Give the ids of the members of a channel, empty for an unknown one."""

    def team_member_ids(self, team_id: str) -> AbstractSet[str]:
        """Give the ids of the present members of a team, empty for an unknown one."""

    def is_system_admin(self, user_id: str) -> bool:
        """Tell whether a user may manage the system."""

    def is_live_session(self, token: str) -> bool:
        """Tell whether a session token is still good."""


class Link(Protocol):
    """A socket that takes messages."""

    def is_ready(self) -> bool:
        """Tell whether the client keeps up: whether a message may be written to the socket at once."""

    def write(self, payload: bytes) -> None:
        """Send a text message."""

    def drain(self) -> None:
        """Send, as the client takes them, all messages that wait (`Connection.next_payload`)."""

    def finish(self) -> None:
        """End the socket with a close frame behind all that waits."""


class Message:
    """An event or a reply in its JSON form, made once for all connections: an event's number goes between two parts."""

    __slots__ = ("expendable", "head", "numbered", "tail")

    def __init__(self, name: str, head: bytes, tail: bytes, *, numbered: bool) -> None:
        self.head = head
        self.tail = tail
        self.numbered = numbered
        self.expendable = name in EXPENDABLE


class Connection:
    """What one websocket client is owed, from its first `hello` until it is forgotten, over all its sockets."""

    __slots__ = (
        "absent_since_ms",
        "again",
        "connection_id",
        "drops_late",
        "link",
        "queue",
        "resent",
        "seq",
        "token",
        "user_id",
    )

    def __init__(self, user_id: str, token: str, connection_id: str, *, drops_late: bool = False) -> None:
        self.drops_late = drops_late
        """Whether expendable events are dropped on leaving the queue, not on joining it."""
        self.user_id = user_id
        self.token = token
        self.connection_id = connection_id
        self.link: Link | None = None
        """The socket, None while the client is away."""
        self.absent_since_ms = 0
        self.seq = 0
        """The number of the next event."""
        self.queue: deque[Message] = deque()
        """What waits for a slow or absent client."""
        self.again = 0
        """How many of those in `queue`, from its left, were sent before and are owed again."""
        self.resent: deque[Message] = deque(maxlen=RESENT_MAX)
        """The last events sent, numbered without a gap up to `seq` - 1."""

    def offer(self, message: Message) -> bool:
        """Send a message, or keep it until the client can take it; False when too many wait already."""
        link = self.link
        if link is not None and not self.queue and link.is_ready():
            link.write(self._numbered(message))
            return True
        waiting = len(self.queue) - self.again
        if waiting >= QUEUE_SLOW and message.expendable and not self.drops_late:
            return True
        if waiting >= QUEUE_SLOTS:
            return False
        self.queue.append(message)
        if link is not None:
            link.drain()
        return True

    def next_payload(self) -> bytes | None:
        """Take what waits longest, to be sent now; None when nothing waits."""
        while self.queue:
            message = self.queue.popleft()
            if self.again:
                self.again -= 1
            elif self.drops_late and message.expendable and len(self.queue) >= QUEUE_SLOW:
                continue
            return self._numbered(message)
        return None

    def _numbered(self, message: Message) -> bytes:
        if not message.numbered:
            return message.head
        payload = b"%b%d%b" % (message.head, self.seq, message.tail)
        self.seq += 1
        self.resent.append(message)
        return payload

    def can_resume_from(self, seq: int) -> bool:
        """Tell whether the client can be sent all events from number `seq` on."""
        return self.seq - len(self.resent) <= seq <= self.seq

    def rewind(self, seq: int) -> None:
        """Owe the client again all events from number `seq` on, before those that wait.

        As on the real servers, a client that asks for number 0 gets nothing again: only what waits, numbered from 0.
        """
        if seq == 0:
            self.seq = 0
            self.resent.clear()
        again = [self.resent.pop() for _ in range(self.seq - seq)]
        self.queue.extendleft(again)
        self.again = len(again)
        self.seq = seq


class Hub:
    """All connections of a server, and the delivery of events to those they are meant for.

    `observe` is told of each published event and to how many connections it went.
    """

    def __init__(
        self,
        directory: Directory,
        events: Events,
        observe: Callable[[Event, int], None] = lambda event, deliveries: None,
    ) -> None:
        self.events = events
        self._directory = directory
        self._observe = observe
        self._of_user: dict[str, dict[str, Connection]] = {}

    def publish(self, *events: Event) -> None:
        """Deliver events, in order, to everybody who is connected and whom they are meant for."""
        for event in events:
            deliveries = 0
            shared = None
            for connection in self._targets(event.broadcast):
                own_fields = [key for key, user_ids in event.personal.items() if connection.user_id in user_ids]
                if own_fields:
                    message = self._personal(event, connection.user_id, own_fields)
                else:
                    message = shared = shared or self._encode(event, event.data)
                deliveries += self._deliver(connection, message)
            self._observe(event, deliveries)

    def reply(self, connection: Connection, answer: Row) -> None:
        """Answer a client's action."""
        self._deliver(connection, Message("response", orjson.dumps(answer) + b"\n", b"", numbered=False))

    def greet(self, connection: Connection, hello: Event, *, at_once: bool = True) -> None:
        """Send one connection its `hello`: before anything that waits, or in its turn."""
        message = self._encode(hello, hello.data, compact=True)
        if not at_once:
            self._deliver(connection, message)
            return
        connection.queue.appendleft(message)
        if connection.link is not None:
            connection.link.drain()

    def connections(self) -> Iterator[Connection]:
        """Go through all connections, those without a socket included."""
        for of_user in self._of_user.values():
            yield from of_user.values()

    @property
    def user_count(self) -> int:
        """How many users have a connection."""
        return len(self._of_user)

    def add(self, connection: Connection) -> None:
        """Let a connection have events from now on."""
        self._of_user.setdefault(connection.user_id, {})[connection.connection_id] = connection

    def remove(self, connection: Connection) -> None:
        """Forget a connection: it gets no events, and cannot be resumed."""
        of_user = self._of_user.get(connection.user_id, {})
        for connection_id in [key for key, known in of_user.items() if known is connection]:
            del of_user[connection_id]
        if not of_user:
            self._of_user.pop(connection.user_id, None)

    def absent(self, user_id: str, connection_id: str) -> Connection | None:
        """Give the connection of that id if its socket is gone, for its client to go on with."""
        connection = self._of_user.get(user_id, {}).get(connection_id)
        return connection if connection is not None and connection.link is None else None

    def new_connection(self, user_id: str, token: str, connection_id: str) -> Connection:
        """Make a connection that has events from now on."""
        connection = Connection(user_id, token, connection_id, drops_late=not self.events.modern)
        self.add(connection)
        return connection

    def start_over(self, connection: Connection, connection_id: str) -> None:
        """Let a connection begin anew under another id, from number 0, keeping what waits."""
        if self.events.modern:
            self.remove(connection)
        connection.connection_id = connection_id
        connection.seq = 0
        connection.resent.clear()
        self.add(connection)

    def has_socket(self, user_id: str) -> bool:
        """Tell whether a user has a socket open."""
        return any(connection.link is not None for connection in self._of_user.get(user_id, {}).values())

    def forget_absent(self, now_ms: int) -> None:
        """Remove connections whose client has been away too long to be waited for."""
        for user_id, of_user in list(self._of_user.items()):
            for connection_id, connection in list(of_user.items()):
                is_absent = connection.link is None or connection_id != connection.connection_id
                if is_absent and now_ms - connection.absent_since_ms > FORGET_AFTER_MS:
                    del of_user[connection_id]
            if not of_user:
                del self._of_user[user_id]

    def _deliver(self, connection: Connection, message: Message) -> bool:
        if connection.offer(message):
            return True
        self.remove(connection)
        if connection.link is not None:
            connection.link.finish()
        return False

    def _targets(self, to: Broadcast) -> list[Connection]:
        targets = [
            connection
            for user_id in self._user_ids(to)
            if user_id not in to.omit_users and user_id not in to.unheard_by
            for connection in self._of_user.get(user_id, {}).values()
            if to.connection_id in ("", connection.connection_id)
            and connection.connection_id != to.omit_connection_id
            and self._directory.is_live_session(connection.token)
        ]
        if to.for_users_only or to.for_admins_only:
            return [c for c in targets if self._directory.is_system_admin(c.user_id) is to.for_admins_only]
        return targets

    def _user_ids(self, to: Broadcast) -> Collection[str]:
        if to.user_id:
            return (to.user_id,)
        if to.channel_id:
            return self._of_user.keys() & self._directory.channel_member_ids(to.channel_id)
        if to.team_id:
            return self._of_user.keys() & self._directory.team_member_ids(to.team_id)
        return self._of_user.keys()

    def _personal(self, event: Event, user_id: str, keys: Iterable[str]) -> Message:
        own = orjson.dumps([user_id]).decode()
        return self._encode(event, dict(sorted({**event.data, **dict.fromkeys(keys, own)}.items())), compact=True)

    def _encode(self, event: Event, data: Row, *, compact: bool = False) -> Message:
        parts = (orjson.dumps(event.name), orjson.dumps(data), orjson.dumps(self._broadcast(event.broadcast)))
        if compact or not self.events.modern:
            return Message(event.name, b'{"event":%b,"data":%b,"broadcast":%b,"seq":' % parts, b"}\n", numbered=True)
        return Message(event.name, b'{"event": %b, "data": %b, "broadcast": %b, "seq": ' % parts, b"}", numbered=True)

    def _broadcast(self, to: Broadcast) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "omit_users": dict.fromkeys(sorted(to.omit_users), True) or None,
            "user_id": to.user_id,
            "channel_id": to.channel_id,
            "team_id": to.team_id,
        }
        if self.events.modern:
            shown |= {"connection_id": to.connection_id, "omit_connection_id": to.omit_connection_id}
            if to.for_users_only:
                shown["contains_sanitized_data"] = True
            if to.for_admins_only:
                shown["contains_sensitive_data"] = True
        return shown
