"""Reading a server's websocket frames (RFC 6455, section 5) with as little work as there is: bytes in, messages out.

Why this is ours and no library's: events are most of what an agent receives, nearly all of them one whole text frame.
Read like that they cost half the CPU, and a connection a fraction of the memory, of any library that was measured
(docs/performance.md). Nothing is kept between two reads but the beginning of a frame that has not come whole.
"""

from __future__ import annotations

from collections.abc import Callable

from websockets.frames import CloseCode, Opcode

_FIN = 0x80
_RESERVED = 0x70  # bits of extensions, which are never asked for
_OPCODE = 0x0F
_WHOLE_TEXT = _FIN | Opcode.TEXT
_LENGTH_OF_16_BITS, _LENGTH_OF_64_BITS = 126, 127
_LONGEST_CONTROL_BYTES = 125


class FrameError(Exception):
    """What came breaks the protocol or is too large; `code` is what to close the connection with."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code)
        self.code = code


class FrameReader:
    """Calls `take` with each message and `control` with opcode and payload of each close, ping and pong.

    Messages of more than `largest_bytes` are an error. After a close frame nothing is read any more.
    """

    __slots__ = ("_closed", "_control", "_largest_bytes", "_parts", "_rest", "_take", "_wanted")

    def __init__(
        self, take: Callable[[bytes], object], control: Callable[[Opcode, bytes], object], largest_bytes: int
    ) -> None:
        self._take = take
        self._control = control
        self._largest_bytes = largest_bytes
        self._parts: list[bytes] | None = None  # of a message in several frames
        self._rest: bytearray | None = None  # the beginning of a frame, which is `_wanted` bytes long or more
        self._wanted = 0
        self._closed = False

    def feed(self, data: bytes) -> None:
        """Read on; raises `FrameError`, and whatever `take` and `control` raise."""
        if self._rest is not None:
            self._rest += data
            if len(self._rest) < self._wanted:
                return
            data, self._rest = bytes(self._rest), None
        begin, end = 0, len(data)
        while begin < end and not self._closed:
            payload = begin + 2
            if payload > end:
                break
            length = data[begin + 1]
            if length >= _LENGTH_OF_16_BITS:
                payload += 2 if length == _LENGTH_OF_16_BITS else 8
                if payload > end:
                    break
                length = self._checked(length, int.from_bytes(data[begin + 2 : payload], "big"))
            after = payload + length
            if after > end:
                self._keep(data, begin, after - begin)
                return
            if data[begin] == _WHOLE_TEXT and self._parts is None:
                self._take(data[payload:after])
            else:
                self._unusual(data[begin], data[payload:after])
            begin = after
        if begin < end:
            self._keep(data, begin, 0)

    def _keep(self, data: bytes, begin: int, wanted: int) -> None:
        """Keep the beginning of a frame until there are at least `wanted` bytes of it; 0 for any more of them."""
        self._rest = bytearray(data[begin:])
        self._wanted = wanted

    def _checked(self, mark: int, length: int) -> int:
        """Return a frame's extended length if it is allowed."""
        if mark > _LENGTH_OF_64_BITS:  # masked, which only a client's frames are
            raise FrameError(CloseCode.PROTOCOL_ERROR)
        if length > self._largest_bytes:
            raise FrameError(CloseCode.MESSAGE_TOO_BIG)
        return length

    def _unusual(self, first: int, payload: bytes) -> None:
        """Take what is no whole text message: a part of one, a binary one, a control frame."""
        opcode = first & _OPCODE
        if first & _RESERVED:
            raise FrameError(CloseCode.PROTOCOL_ERROR)
        if opcode in (Opcode.CLOSE, Opcode.PING, Opcode.PONG):
            if not first & _FIN or len(payload) > _LONGEST_CONTROL_BYTES:
                raise FrameError(CloseCode.PROTOCOL_ERROR)
            self._closed = opcode == Opcode.CLOSE
            self._control(Opcode(opcode), payload)
        elif opcode in (Opcode.TEXT, Opcode.BINARY) and self._parts is None:
            self._part([], payload, bool(first & _FIN))
        elif opcode == Opcode.CONT and self._parts is not None:
            self._part(self._parts, payload, bool(first & _FIN))
        else:
            raise FrameError(CloseCode.PROTOCOL_ERROR)

    def _part(self, parts: list[bytes], payload: bytes, last: bool) -> None:
        """Put a part of a message to those before it, and hand the message over if it is whole."""
        parts.append(payload)
        if sum(map(len, parts)) > self._largest_bytes:
            raise FrameError(CloseCode.MESSAGE_TOO_BIG)
        self._parts = None if last else parts
        if last:
            self._take(b"".join(parts))
