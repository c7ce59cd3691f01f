"""Whether a service gives a page: asked of real sockets."""

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


@pytest.fixture
def page(load_file):
    return load_file("_modules/page.py")


@contextlib.contextmanager
def serving(status=200, context=None):
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def listening(say=None):
    """A port that takes connections, and says that, or nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        if say is not None:
            threading.Thread(target=_say, args=(server, say), daemon=True).start()
        yield server.getsockname()[1]


def _say(server, text):
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(text)


@pytest.mark.parametrize(
    ("status", "answers"),
    [(200, True), (302, True), (401, True), (404, True), (500, False), (503, False)],
)
def test_what_a_server_says(page, status, answers):
    with serving(status) as port:
        assert page.answers(port, seconds=5) is answers


def test_a_process_that_hangs_has_a_port_all_the_same(page):
    with listening() as port:
        assert page.answers(port, seconds=0.2) is False


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 banana\r\n\r\n"])
def test_what_is_no_page(page, said):
    with listening(said) as port:
        assert page.answers(port, seconds=1) is False


def test_nobody_listens(page):
    with listening() as port:
        pass
    assert page.answers(port, seconds=1) is False


def test_a_server_that_wants_encryption(page, tmp_path):
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key,
         "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(context=context) as port:
        assert page.answers(port, seconds=5) is True


def test_a_page_that_comes_byte_by_byte_is_none(page):
    """Each byte is in time, and all of them are not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_drip, args=(server,), daemon=True).start()
        assert page.answers(server.getsockname()[1], seconds=0.5) is False


def _drip(server):
    with contextlib.suppress(OSError):
        connection, _ = server.accept()
        with connection:
            for byte in b"HTTP/1.1 200 OK\r\n" * 20:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
            connection.sendall(b"\r\n")
