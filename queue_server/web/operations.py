"""What machines ask of the web part: health, metrics, and the bundle that terminals load."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, HTTPException
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import JSONResponse, Response

from queue_server.web.parts import WebParts

_LEDGER = frozenset({"ledger_full", "ledger_unavailable", "ledger_broken"})
_LINK = frozenset({"broker_lost"})


class HallCollector(Collector):
    """Gauges of a hall, read from its newest projection when a scraper asks."""

    def __init__(self, web: WebParts) -> None:
        self._web = web

    def collect(self) -> Iterable[Metric]:
        projection = self._web.port.projection()
        labels = {"hall": projection.hall}
        waiting = GaugeMetricFamily("estation_waiting", "People waiting", labels=["hall", "queue"])
        for queue in projection.queues:
            waiting.add_metric([projection.hall, queue.queue], queue.waiting_count)
        yield waiting
        wait = GaugeMetricFamily("estation_wait_high_minutes", "Upper end of the wait range", labels=["hall", "queue"])
        for queue in projection.queues:
            if queue.wait is not None:
                wait.add_metric([projection.hall, queue.queue], queue.wait.high)
        yield wait
        alerts = GaugeMetricFamily("estation_alerts", "Open alerts", labels=["hall", "severity"])
        for severity in ("info", "warning", "critical"):
            alerts.add_metric([projection.hall, severity], sum(a.severity == severity for a in projection.alerts))
        yield alerts
        for name, text, value in (
            (
                "estation_counters_open",
                "Counters held by a clerk",
                sum(c.session is not None for c in projection.counters),
            ),
            ("estation_help_requests", "Open requests for help", len(projection.helps)),
            ("estation_leading", "1 while this server leads the hall", int(projection.leading)),
            ("estation_displays", "Displays that are connected", self._web.displays.connected),
        ):
            gauge = GaugeMetricFamily(name, text, labels=list(labels))
            gauge.add_metric(list(labels.values()), value)
            yield gauge


def health(web: WebParts) -> tuple[bool, dict[str, Any]]:
    """Whether this server serves its hall, and what each part says."""
    projection = web.port.projection()
    raised = {alert.code for alert in web.alerts.open()}
    parts = {"ledger": raised.isdisjoint(_LEDGER), "link": raised.isdisjoint(_LINK), "leading": projection.leading}
    body: dict[str, Any] = {name: "ok" if good else "fault" for name, good in parts.items()}
    body |= {
        "status": "ok" if all(parts.values()) else "degraded",
        "hall": projection.hall,
        "epoch": projection.epoch,
        "configuration_revision": projection.configuration_revision,
        "version": web.version,
    }
    return parts["ledger"] and parts["leading"], body


def operation_routes(web: WebParts, shared: CollectorRegistry | None) -> APIRouter:
    """`/health`, `/metrics`, `/bundles/{sha256}.json`; `shared` holds the other metrics of this program."""
    router = APIRouter(include_in_schema=False)
    registry = CollectorRegistry()
    registry.register(HallCollector(web))

    @router.get("/health")
    async def health_route() -> Response:
        serves, body = health(web)
        return JSONResponse(body, status_code=200 if serves else 503, headers={"Cache-Control": "no-store"})

    @router.get("/metrics")
    async def metrics() -> Response:
        text = generate_latest(registry) + (generate_latest(shared) if shared is not None else b"")
        return Response(text, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

    @router.get("/bundles/{sha256}.json")
    async def bundle(sha256: str) -> Response:
        found = web.port.bundle()
        if found is None or found.sha256 != sha256:
            raise HTTPException(404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{sha256}"'}
        return Response(found.body, media_type="application/json", headers=headers)

    return router
