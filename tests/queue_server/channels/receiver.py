"""A receiver of webhooks as a program of its own: `python receiver.py PORT FILE` writes each delivery as a line."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        with FILE.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"headers": headers, "body": body}) + "\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


PORT, FILE = int(sys.argv[1]), Path(sys.argv[2])
ThreadingHTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
