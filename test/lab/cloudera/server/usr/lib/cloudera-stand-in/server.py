"""Stands for Cloudera Manager Server: a process that, if it may, answers on port 7180 a while later."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import claim
import heart

PORT = 7180


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        text = f"Cloudera Manager on {socket.gethostname()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # as a Java server has some 100; Python's default is 5


def answer():
    claim.begin()
    server = Server(("", PORT), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()


heart.live("cloudera-scm-server", answer)
claim.end()
