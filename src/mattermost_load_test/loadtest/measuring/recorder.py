"""The one funnel of every measurement: a transport around another that makes a timing sample of each request.

A request's duration runs from the call to the last byte of the body, connecting included; decoding happens afterwards
and is not in it. Actions and clients know nothing of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mattermost_load_test.errors import ServerError
from mattermost_load_test.mattermost.transport import Request, Response, Transport
from mattermost_load_test.timings.records import Sample

SampleSink = Callable[[Sample], object]


def steady_epoch_ms() -> Callable[[], float]:
    """Return a clock in milliseconds since 1970 that goes on evenly, whatever is done to the machine's time."""
    offset_ms = time.time() * 1000.0 - time.perf_counter() * 1000.0
    return lambda: time.perf_counter() * 1000.0 + offset_ms


class RecordingTransport:
    """Sends requests through `inner` and gives `sink` a sample of each one that was answered or failed.

    `sink` may be changed at any time, which is how the login phase is told from the run: a request belongs to the phase
    that it was begun in. A request that is cancelled is no sample: neither the server nor the agent failed.
    """

    def __init__(self, inner: Transport, clock_ms: Callable[[], float], sink: SampleSink) -> None:
        self.sink = sink
        self._inner = inner
        self._clock_ms = clock_ms

    async def send(self, request: Request) -> Response:
        """Send `request` and return its answer, whatever its status; raises what the inner transport raises."""
        sink = self.sink
        started_ms = self._clock_ms()
        try:
            response = await self._inner.send(request)
        except ServerError as failure:
            sink(Sample(request.route, started_ms, self._clock_ms() - started_ms, failure.kind))
            raise
        error = None if 200 <= response.status < 300 else str(response.status)
        sink(Sample(request.route, started_ms, self._clock_ms() - started_ms, error))
        return response
