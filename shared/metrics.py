"""Prometheus metrics every process has."""

from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "bihuan_requests_total", "Requests answered", ["service", "method", "route", "status"]
)
LATENCY = Histogram(
    "bihuan_request_seconds",
    "Time from the request's first byte to the answer's last",
    ["service", "route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
CLOCK_OFFSET = Gauge("bihuan_clock_offset_seconds", "Business time minus real time")


def count(service: str, method: str, route: str, status: int, *, seconds: float) -> None:
    """Count an answered request."""
    requests, latency = _meters(service, method, route, status)
    requests.inc()
    latency.observe(seconds)


@lru_cache(maxsize=4096)  # finding a meter by its labels costs more than moving it
def _meters(service: str, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(service, method, route, status), LATENCY.labels(service, route)
