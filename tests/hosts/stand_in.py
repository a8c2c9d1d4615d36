"""The program in the stand-in's archive: an embedded Mattermost started as a real one is, by its config.json."""

from __future__ import annotations

import base64
import gzip
import http.server
import json
import os
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

LICENCE = "a good one"
"""The id of a licence that it takes; the signature may be any."""


class Answer(http.server.BaseHTTPRequestHandler):
    """Tells metrics and gives profiles, which are no more than their paths, where a licensed server does."""

    server_url = ""

    def do_GET(self) -> None:
        """Answer a request."""
        if self.path == "/metrics":
            told = urllib.request.urlopen(f"{self.server_url}/metrics").read()
        else:
            told = gzip.compress(self.path.encode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *words: object) -> None:
        """Say nothing."""


def is_licensed(settings: dict[str, Any]) -> bool:
    """Say whether there is a licence that it takes; it must be in both places where servers look."""
    file = settings["ServiceSettings"]["LicenseFileLocation"]
    if not file:
        return False
    text = Path(file).read_text().strip()
    assert os.environ["MM_LICENSE"] == text
    return json.loads(base64.b64decode(text)[:-256])["id"] == LICENCE


def main(settings: dict[str, Any]) -> None:
    """Run the server until a signal comes."""
    import psycopg

    from mattermost_load_test.loadtest.cli import cli

    psycopg.connect(settings["SqlSettings"]["DataSource"]).close()
    assert settings["EmailSettings"]["SMTPPort"] == "10025", "what the archive ships is kept"
    host, port = settings["ServiceSettings"]["ListenAddress"].split(":")
    arguments = ["server", "--host", host or "0.0.0.0", "--port", port, "--empty"]
    if is_licensed(settings):
        arguments.append("--licensed")
        Answer.server_url = f"http://127.0.0.1:{port}"
        address, _, metrics_port = settings["MetricsSettings"]["ListenAddress"].partition(":")
        metrics = http.server.ThreadingHTTPServer((address, int(metrics_port)), Answer)
        threading.Thread(target=metrics.serve_forever, daemon=True).start()
    cli(arguments)


if __name__ == "__main__":
    assert sys.argv[1] == "server", sys.argv
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
    main(json.loads(Path(sys.argv[sys.argv.index("--config") + 1]).read_text()))
