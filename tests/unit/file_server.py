"""An HTTP server of files on this machine, for tests of what is fetched."""

import http.server
import threading


class Server:
    """An HTTP server on this machine that knows ranges, counts, and can be made to fail."""

    def __init__(self):
        self.files, self.requests, self.cuts, self.errors = {}, [], [], []
        self.tag = '"1"'
        handler = type("Handler", (_Handler,), {"state": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        state, start = self.state, 0
        state.requests.append(self.headers.get("Range"))
        if state.errors:
            return self.send_error(state.errors.pop(0))
        data = state.files.get(self.path)
        if data is None:
            return self.send_error(404)
        if self.headers.get("Range") and self.headers.get("If-Range") == state.tag:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if start >= len(data):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if state.tag:
            self.send_header("ETag", state.tag)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = start + state.cuts.pop(0) if state.cuts else len(data)
        self.wfile.write(data[start:end])
        self.close_connection = True
        return None

    def log_message(self, *_):
        pass
