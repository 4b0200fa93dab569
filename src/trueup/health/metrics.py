"""The figures of health as Prometheus reads them, by OpenTelemetry's names where it has some."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from trueup.db.statistics import Statistics
from trueup.health.model import Answer, Status

POOL = "pool"
"""The figures that have names of their own below."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Figures(Collector):
    """Collects what the checks have found last, and the state of this process's pool; asks no server."""

    def __init__(self, answers: Callable[[], Mapping[str, Answer]], pool: Callable[[], Statistics]) -> None:
        self.answers = answers
        self.pool = pool

    def collect(self) -> Iterable[Metric]:
        """Yield each metric with its samples."""
        yield from of_checks(self.answers())
        yield from of_pool(self.pool())


def exposition(answers: Callable[[], Mapping[str, Answer]], pool: Callable[[], Statistics]) -> Callable[[], bytes]:
    """Return the function that writes all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Figures(answers, pool))
    return lambda: generate_latest(registry)


def of_checks(answers: Mapping[str, Answer]) -> Iterable[Metric]:
    """Yield how each check is, how old that is, and the numbers it found."""
    status = GaugeMetricFamily("trueup_health_status", "1 for the status that a check has", labels=["check", "status"])
    age = GaugeMetricFamily("trueup_health_age_seconds", "How long ago a check has answered", labels=["check"])
    figure = GaugeMetricFamily("trueup_health_figure", "A number that a check found", labels=["check", "figure"])
    for name, answer in answers.items():
        for each in Status:
            status.add_metric([name, each.value], float(each is answer.status))
        age.add_metric([name], answer.age_s)
        for key, value in numbers({key: value for key, value in answer.figures.items() if key != POOL}):
            figure.add_metric([name, key], value)
    yield from (status, age, figure)


def numbers(figures: object, prefix: str = "") -> Iterable[tuple[str, float]]:
    """Yield every number in nested figures by its dotted name; a truth is 0 or 1."""
    if isinstance(figures, Mapping):
        for name, value in figures.items():
            yield from numbers(value, f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(figures, int | float):
        yield prefix, float(figures)


def of_pool(pool: Statistics) -> Iterable[Metric]:
    """Yield the pool's figures by the names of OpenTelemetry's conventions for database clients.

    Source: OpenTelemetry semantic conventions, "Database client metrics".
    """
    count = GaugeMetricFamily("db_client_connection_count", "Open connections by their state", labels=["state"])
    count.add_metric(["used"], pool.in_use)
    count.add_metric(["idle"], pool.idle)
    yield count
    yield GaugeMetricFamily("db_client_connection_max", "The most connections that may be open", pool.max_size)
    yield GaugeMetricFamily(
        "db_client_connection_pending_requests", "Callers that wait for a connection now", pool.waiting
    )
    yield CounterMetricFamily(
        "db_client_connection_timeouts", "Callers that waited for a connection in vain", pool.timeouts
    )
    yield SummaryMetricFamily(
        "db_client_connection_wait_time_seconds",
        "Time that callers waited for a connection",
        count_value=pool.waits,
        sum_value=pool.waiting_s,
    )
    yield SummaryMetricFamily(
        "db_client_connection_use_time_seconds",
        "Time that callers had a connection",
        count_value=pool.checkouts,
        sum_value=pool.held_s,
    )
