"""Prometheus metrics every process has."""

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
