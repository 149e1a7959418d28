"""A server that is not Label Studio, or is gone: one sentence, soon."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pizhu.base.errors import LabelingError
from pizhu.labeling.server.server import healthy
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.pull import pull
from pizhu.labeling.studio.push import push


class Other(BaseHTTPRequestHandler):
    """A web server of another kind; on ``/broken`` it hangs up."""

    def do_GET(self) -> None:
        if self.path.startswith("/broken"):
            self.connection.close()
            return
        self.send_response(404)
        self.end_headers()
        self.wfile.write("<html>没有这一页</html>".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_down(tmp_path: Path) -> None:
    access = Access("http://127.0.0.1:9", "a-token")
    with pytest.raises(LabelingError, match="does not answer") as error:
        push(access, [])
    assert "a-token" not in str(error.value)
    with pytest.raises(LabelingError, match="does not answer"):
        pull(access, tmp_path / "a.jsonl")
    assert list(tmp_path.iterdir()) == []
    assert not healthy(access.url)


def test_something_else(other: str) -> None:
    with pytest.raises(LabelingError, match="status 404, not as Label Studio would"):
        push(Access(other, "a-token"), [])
    assert not healthy(other)


def test_hanging_up(other: str) -> None:
    with pytest.raises(LabelingError, match="broke"):
        push(Access(f"{other}/broken", "a-token"), [])
