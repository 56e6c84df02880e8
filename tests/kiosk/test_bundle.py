"""The bundle: only what the hall meant is used, and the last good one is kept."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kiosk.bundle import MAX_BYTES, BundleStore, read
from kiosk.errors import BadBundle


@pytest.fixture
def web():
    """An HTTP server of one body that the test sets; its address."""
    bodies = {"/b": b""}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in bodies else 404)
            self.end_headers()
            self.wfile.write(bodies.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield bodies, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


async def test_a_fetched_bundle_is_read_and_kept(tmp_path, web, sample_bundle):
    bodies, address = web
    bodies["/b"] = sample_bundle
    sha256 = hashlib.sha256(sample_bundle).hexdigest()
    catalogue = await BundleStore(tmp_path).fetch(f"{address}/b", sha256)
    assert catalogue.hall_name.of("en") == "Shili City Government Service Centre"
    assert catalogue.service("pension-claim").zone.zh == "东区"
    assert await BundleStore(tmp_path).load() == (sha256, catalogue)


@pytest.mark.parametrize(
    "fault",
    [
        ("/b", b"{}", "wrong_sha256"),
        ("/gone", b"", "not_fetched"),
        ("/b", bytes(MAX_BYTES + 1), "too_large"),
    ],
)
async def test_what_is_not_meant_is_not_used_and_the_last_good_one_stays(tmp_path, web, sample_bundle, fault):
    path, body, reason = fault
    bodies, address = web
    bodies["/b"] = sample_bundle
    store = BundleStore(tmp_path)
    sha256 = hashlib.sha256(sample_bundle).hexdigest()
    await store.fetch(f"{address}/b", sha256)
    bodies["/b"] = body
    with pytest.raises(BadBundle) as caught:
        await store.fetch(f"{address}{path}", sha256)
    assert caught.value.reason == reason
    kept = await store.load()
    assert kept is not None
    assert kept[0] == sha256


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/b", "", "http://[::1"])
async def test_only_web_addresses_are_fetched(tmp_path, url):
    with pytest.raises(BadBundle):
        await BundleStore(tmp_path).fetch(url, "0" * 64)


async def test_without_a_kept_bundle_there_is_none(tmp_path):
    assert await BundleStore(tmp_path).load() is None


@pytest.mark.parametrize(
    "change",
    [
        lambda sample: sample.pop("services"),
        lambda sample: sample.update(time_zone="Nowhere/Else"),
        lambda sample: sample.update(time_zone="../../etc/passwd"),
        lambda sample: sample.update(revision="many"),
        lambda sample: sample["services"][0].update(card="maybe"),
    ],
)
def test_a_bundle_that_cannot_be_read_is_named_bad(sample_bundle, change):
    sample = json.loads(sample_bundle)
    change(sample)
    with pytest.raises(BadBundle):
        read(json.dumps(sample).encode())


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_body_that_is_no_bundle_is_named_bad(body):
    with pytest.raises(BadBundle):
        read(body)


def test_fields_of_a_newer_hall_are_no_obstacle(sample_bundle):
    sample = json.loads(sample_bundle) | {"weather": "fine"}
    sample["services"][0]["new"] = 1
    assert read(json.dumps(sample).encode()).revision == sample["revision"]
