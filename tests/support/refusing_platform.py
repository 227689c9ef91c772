"""A FlowFuse platform that refuses every token, as a real one does those that it does not know."""
import http.server
import threading
import time


class RefusingPlatform(http.server.ThreadingHTTPServer):
    """Listens until it is stopped. `asked` are the tokens that were shown to it. `date` is what it says of the
    time: so many seconds off, a text, or nothing."""

    def __init__(self, tls=None):
        """`tls`: an ssl.SSLContext of a server."""
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked, self.date, self.status = [], 0, 401
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_port}"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that does not like the certificate."""

    def stop(self):
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.headers.get("Authorization"))
        date = self.server.date
        self.send_response_only(self.server.status)
        if date is not None:
            self.send_header("Date", date if isinstance(date, str) else self.date_time_string(time.time() + date))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass
