"""What a metrics page tells of the machine and of the runtime.

These are figures of a node exporter, and Go's as far as Python has their like, read from Linux' ``/proc`` when somebody
asks; on other systems they are left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.registry import Collector

CPU_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
"""The first columns of a processor's line in ``/proc/stat``, as the node exporter names them."""


QUANTILES = (0, 0.25, 0.5, 0.75, 1)
"""The quantiles that Go gives of its pauses."""

PAUSES_KEPT = 256
"""Over how many pauses the quantiles are taken, as in Go."""


class GarbagePauses:
    """How long this process's garbage collections took; counts while it stands in `gc.callbacks`."""

    def __init__(self) -> None:
        self.count = 0
        self.sum_s = 0.0
        self._recent_s: deque[float] = deque(maxlen=PAUSES_KEPT)
        self._began = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Take note of the beginning or the end of a collection."""
        if phase == "start":
            self._began = time.perf_counter()
            return
        pause_s = time.perf_counter() - self._began
        self.count += 1
        self.sum_s += pause_s
        self._recent_s.append(pause_s)

    def quantile_s(self, share: float) -> float:
        """Give the pause that this share of the latest ones does not exceed, 0 before the first."""
        ordered = sorted(self._recent_s)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


class MachineCollector(Collector):
    """Gives the metrics of the machine; `proc` is where its figures are read."""

    def __init__(self, pauses: GarbagePauses, proc: Path = Path("/proc")) -> None:
        self._pauses = pauses
        self._proc = proc

    def collect(self) -> Iterator[Metric]:
        """Give all metrics as they stand."""
        for metrics in (self._garbage, self._cpu, self._memory, self._network, self._tcp, self._runtime):
            with contextlib.suppress(OSError):
                yield from metrics()

    def _garbage(self) -> Iterator[Metric]:
        name = "go_gc_duration_seconds"
        metric = Metric(name, "garbage collection pauses", "summary")
        for share in QUANTILES:
            metric.add_sample(name, {"quantile": f"{share:g}"}, self._pauses.quantile_s(share))
        metric.add_sample(f"{name}_sum", {}, self._pauses.sum_s)
        metric.add_sample(f"{name}_count", {}, self._pauses.count)
        yield metric

    def _cpu(self) -> Iterator[Metric]:
        metric = Metric("node_cpu_seconds", "CPU time of a host", "counter")
        for line in (self._proc / "stat").read_text().splitlines():
            name, *columns = line.split()
            if name.startswith("cpu") and name != "cpu":
                for mode, ticks in zip(CPU_MODES, columns, strict=False):
                    labels = {"cpu": name.removeprefix("cpu"), "mode": mode}
                    metric.add_sample("node_cpu_seconds_total", labels, int(ticks) / os.sysconf("SC_CLK_TCK"))
        yield metric

    def _memory(self) -> Iterator[Metric]:
        for line in (self._proc / "meminfo").read_text().splitlines():
            name, _, amount = line.partition(":")
            if name in ("MemAvailable", "MemTotal"):
                yield _gauge(f"node_memory_{name}_bytes", "memory of a host", int(amount.split()[0]) * 1024)

    def _network(self) -> Iterator[Metric]:
        received = Metric("node_network_receive_bytes", "bytes in", "counter")
        sent = Metric("node_network_transmit_bytes", "bytes out", "counter")
        for line in (self._proc / "net/dev").read_text().splitlines()[2:]:
            device, _, columns = line.partition(":")
            labels, figures = {"device": device.strip()}, columns.split()
            received.add_sample("node_network_receive_bytes_total", labels, int(figures[0]))
            sent.add_sample("node_network_transmit_bytes_total", labels, int(figures[8]))
        yield from (received, sent)

    def _tcp(self) -> Iterator[Metric]:
        lines = (self._proc / "net/snmp").read_text().splitlines()
        names, figures = (line.split() for line in lines if line.startswith("Tcp:"))
        tcp = dict(zip(names, figures, strict=True))
        yield _gauge("node_netstat_Tcp_RetransSegs", "TCP segments retransmitted", int(tcp["RetransSegs"]))
        yield _gauge("node_netstat_Tcp_OutSegs", "TCP segments sent", int(tcp["OutSegs"]))

    def _runtime(self) -> Iterator[Metric]:
        yield _gauge("go_goroutines", "tasks of the server", len(asyncio.all_tasks()))
        _, resident, shared, *_ = (self._proc / "self/statm").read_text().split()
        heap = (int(resident) - int(shared)) * resource.getpagesize()
        yield _gauge("go_memstats_heap_inuse_bytes", "memory of the server that it shares with no other", heap)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    metric = Metric(name, meaning, "gauge")
    metric.add_sample(name, {}, value)
    return metric
