"""What goes through a cluster's API as a stream: commands in containers, connections to their ports.

A frame's first byte is its channel (Kubernetes' remote command protocols v4 and v5): 0 stdin, 1 stdout, 2 stderr, 3 the
status as JSON at the end, 4 the terminal's size; in v5 255 closes the channel that its second byte names.
"""

from __future__ import annotations

import json
import select
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mattermost_load_test.errors import LoadTestError, ServerError, ServerUnreachableError
from mattermost_load_test.ltops.providers.kubernetes.api import Api, refusal

STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
FRAME_S = 30.0
"""How long the rest of a frame may be waited for."""

CLOSES_CHANNELS = "v5.channel.k8s.io"


@dataclass(frozen=True, slots=True)
class Place:
    """A container of a pod."""

    pod: str
    container: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command in a container ended, and what it wrote."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Exec:
    """A command that runs in a container; it ends with the connection. Raises `ServerError` when that cannot be made.

    `refusal` are the container runtime's words where the command could not begin.
    """

    def __init__(
        self, api: Api, place: Place, command: Sequence[str], *, stdin: bool = False, terminal: bool = False
    ) -> None:
        self.exit_code: int | None = None
        self.refusal = ""
        client = _opened(api, place, command, stdin=stdin, terminal=terminal)
        self._socket = client.sock
        self._closes_channels = client.subprotocol == CLOSES_CHANNELS
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether nothing more comes: the command has ended (`exit_code`), or the connection is lost (None)."""
        return self._ended

    def fileno(self) -> int:
        """Return the socket to be waited for."""
        return int(self._socket.sock.fileno())

    def is_readable(self, timeout_s: float) -> bool:
        """Wait until something has come, and say whether it has; what lies decrypted in memory counts."""
        sock = self._socket.sock
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            return True
        return bool(select.select([sock], [], [], timeout_s)[0])

    def receive(self) -> tuple[int, bytes]:
        """Return the next frame's channel and content; empty at the end. What tells of the end is kept here."""
        from websocket import ABNF, WebSocketException

        try:
            opcode, frame = self._socket.recv_data_frame(control_frame=True)
        except (OSError, WebSocketException):
            self._ended = True
            return STDOUT, b""
        if opcode == ABNF.OPCODE_CLOSE:
            self._ended = True
            return STDOUT, b""
        if opcode not in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) or not frame.data:
            return STDOUT, b""
        channel, content = frame.data[0], bytes(frame.data[1:])
        if channel == STATUS:
            self.exit_code, self.refusal = _end(content)
            return STATUS, b""
        return channel, b"" if channel == CLOSE else content

    def send(self, channel: int, content: bytes) -> None:
        """Send a frame; raises `ServerUnreachableError` when the connection is lost."""
        from websocket import WebSocketException

        try:
            self._socket.send_binary(bytes([channel]) + content)
        except (OSError, WebSocketException) as error:
            self._ended = True
            raise ServerUnreachableError(f"the connection to the command was lost: {error}") from error

    def resize(self, columns: int, lines: int) -> None:
        """Tell the size of the terminal."""
        self.send(RESIZE, json.dumps({"Width": columns, "Height": lines}).encode())

    def close_stdin(self) -> None:
        """Tell that the input is at its end; clusters before 1.30 cannot be told."""
        if self._closes_channels:
            self.send(CLOSE, bytes([STDIN]))

    def close(self) -> None:
        """Let go of the connection."""
        self._ended = True
        self._socket.shutdown()


def run(api: Api, place: Place, command: Sequence[str], timeout_s: float = 60.0) -> Outcome:
    """Run a command to its end; raises `ServerError` when the connection is lost before, or nothing comes for long."""
    stream = Exec(api, place, command)
    written: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}
    try:
        while not stream.ended and stream.exit_code is None:
            if not stream.is_readable(timeout_s):
                raise ServerError(f"{command[0]} in {place.pod} told nothing for {timeout_s:g} s")
            channel, content = stream.receive()
            if channel in written:
                written[channel].append(content)
    finally:
        stream.close()
    if stream.exit_code is None:
        raise ServerUnreachableError(f"the connection to {place.pod} was lost")
    return Outcome(stream.exit_code, b"".join(written[STDOUT]), b"".join(written[STDERR]) + stream.refusal.encode())


def connect_to_port(api: Api, pod: str, port: int) -> Any:
    """Return a connection to a pod's port: a socket, and what tells of errors, as `PortForward` of the client.

    Raises `ServerError`.
    """
    from kubernetes.client import ApiException, CoreV1Api
    from kubernetes.stream import portforward

    core = CoreV1Api(api.new_client())
    try:
        return portforward(core.connect_get_namespaced_pod_portforward, pod, api.namespace, ports=str(port))
    except (ApiException, AttributeError) as error:
        raise _handshake_error(error, f"port {port} of {pod}", api.server) from None


def _opened(api: Api, place: Place, command: Sequence[str], *, stdin: bool, terminal: bool) -> Any:
    """Return the client's connection of a command."""
    from kubernetes.client import ApiException, CoreV1Api
    from kubernetes.stream import stream

    core = CoreV1Api(api.new_client())
    try:
        opened = stream(
            core.connect_get_namespaced_pod_exec,
            place.pod,
            api.namespace,
            container=place.container,
            command=list(command),
            stdin=stdin,
            stdout=True,
            stderr=not terminal,
            tty=terminal,
            _preload_content=False,
            binary=True,
        )
    except (ApiException, AttributeError) as error:
        raise _handshake_error(error, f"a command in {place.pod}", api.server) from None
    opened.sock.settimeout(FRAME_S)
    return opened


def _end(status: bytes) -> tuple[int, str]:
    """Return the exit code that a status tells (Kubernetes API, `Status`): where it could not begin, 126 and why."""
    told = json.loads(status)
    if told.get("status") == "Success":
        return 0, ""
    causes = (told.get("details") or {}).get("causes") or ()
    codes = [cause["message"] for cause in causes if cause.get("reason") == "ExitCode"]
    said = str(told.get("message", "")).rpartition("unable to start container process: ")[2]
    return (int(codes[0]), "") if codes else (126, said.removesuffix(": unknown") or "no reason is told")


def _handshake_error(error: Exception, what: str, server: str) -> LoadTestError:
    """Return the error for a stream that was refused: status, headers and answer stand in the client's words.

    The client stumbles over its own error, which has no body (kubernetes 36.0): an `AttributeError` in its place.
    """
    from kubernetes.client import ApiException

    refused = error if isinstance(error, ApiException) else error.__context__
    if not isinstance(refused, ApiException):
        raise error
    words = str(refused.reason)
    status = next((int(word) for word in words.split()[:4] if word.isdigit()), None)
    if status is None:
        return ServerUnreachableError(f"there is no connection to {what} by {server}: {words}")
    said = words.rpartition("-+-+- ")[2].strip()
    said = said.removeprefix("b'").removesuffix("'").replace("\\n", "")
    body = said if said.startswith("{") else json.dumps({"message": f"{what}: {said}"})
    return refusal(status, body, what, server)
