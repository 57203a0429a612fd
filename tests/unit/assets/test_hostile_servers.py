"""Servers that send too much, too slowly, never, or something else than they say."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from email.message import Message

import pytest

from nnrd import UserError
from nnrd.assets import downloads, fetch, network, transfer
from nnrd.assets.cache import Cache
from nnrd.assets.network import Limits, Pace, TooSlowError
from nnrd.assets.rows import AssetFile

BODY = bytes(range(256)) * 800  # 204,800 bytes
LENGTH = len(BODY)
# A busy machine may stop a test for seconds; who waits for slowness gets SLOW, the others do not.
LIMITS = Limits(attempts=2, wait=0.01)
SLOW = Limits(silence=0.4, window=0.3, rate=5000, attempts=2, wait=0.01)
QUICK = 10.0  # seconds within which each of these ends
OLD = "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nDate: Mon, 01 Jan 2024 00:02:00 GMT\r\n"
NEW = OLD.replace("00:02:00", "00:00:30")


class Server:
    """Answers the n-th request with the n-th script, the last again and again.

    A script is a function of (send, request's headers), run in a thread of its own; what it
    could not send, since nobody listens any more, ends it.
    """

    def __init__(self, *scripts):
        self.scripts, self.requests, self.sent = scripts, [], 0
        self.wrap = lambda connection: connection
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/a.bin"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        def send(data):
            connection.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
            self.sent += len(data)

        with connection:
            try:
                connection = self.wrap(connection)
                asked = connection.recv(65536).decode()
                self.requests.append(asked)
                self.scripts[min(len(self.requests), len(self.scripts)) - 1](send, asked)
            except OSError:
                return


@pytest.fixture
def serve(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    servers = []

    def start(*scripts):
        servers.append(Server(*scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.socket.close()


def answer(head="", body=BODY, status="200 OK", length=LENGTH):
    """A script that sends an answer at once."""
    sized = f"Content-Length: {length}\r\n" if length is not None else ""
    return lambda send, _: send(f"HTTP/1.1 {status}\r\n{sized}{head}\r\n".encode() + body)


def endless(head="HTTP/1.1 200 OK\r\n\r\n", chunk=bytes(65536), pause=0.0):
    def script(send, _):
        send(head)
        while True:
            send(chunk)
            time.sleep(pause)

    return script


def silent(send, _):
    time.sleep(30)


def then_silent(head, body):
    def script(send, _):
        answer(head, body)(send, _)
        time.sleep(30)

    return script


def drop_by_drop(text):
    """A script that sends a byte at a time."""

    def script(send, _):
        for sign in text:
            send(sign)
            time.sleep(0.05)
        time.sleep(30)

    return script


def chunk_lines(send, _):
    send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        send("0")
        time.sleep(0.05)


# what the server does → what the message says
REFUSED = {
    "more than the sheet says": (endless(), "the server sends .* bytes or more; 204800 are exp"),
    "3 GiB announced": (answer(length=3 << 30), f"sends {3 << 30} bytes or more; 204800"),
    "a length in words": (answer(length="abc"), r"Content-Length is 'abc', not a number"),
    "a negative length": (answer(length=-5), r"Content-Length is '-5', not a number"),
    "two lengths": (answer(length="12, 12"), r"Content-Length is '12, 12', not a number"),
    "a length of 4000 digits": (answer(length="9" * 4000), "Content-Length is '9999"),
    "a byte at a time": (endless(chunk=b"x", pause=0.05), r"too slow: \d+ bytes in"),
    "a header byte at a time": (drop_by_drop("HTTP/1.1 200 OK\r\n" * 99), "too slow: 0 bytes"),
    "a byte of a chunk's size at a time": (chunk_lines, "too slow: 0 bytes"),
    "an endless header": (endless("HTTP/1.1 200 OK\r\nX: ", b"x" * 65536), "got more than 65536"),
    "endless headers": (endless("HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "got more than 100 headers"),
    "no HTTP": (answer(status="nonsense"), "nonsense"),
    "not even a line": (lambda send, _: None, "Remote end closed"),
    "no content": (answer(status="204 No Content", length=None, body=b""), "HTTP 204"),
    "a part unasked": (answer("Content-Range: bytes 5-9/10\r\n", status="206 X"), "another part"),
    "signs for the terminal": (answer(status="404 \x1b[31mred"), r"HTTP 404  \[31mred"),
    "an essay for a reason": (answer(status=f"404 {'x' * 5000}"), "HTTP 404 x{100}"),
    "cut short": (answer(body=BODY[:1000]), r"ended after 1000 of 204800 bytes \(2 attempts\)$"),
    "a broken chunk": (
        answer("Transfer-Encoding: chunked\r\n", b"zz\r\nabc", length=None),
        r"\(2 attempts\)$",
    ),
}
LOCATIONS = {
    "http elsewhere": ("http://example.org/x", "only https is downloaded"),
    "ftp": ("ftp://example.org/x", "only https is downloaded"),
    "a file": ("file:///etc/passwd", "only https is downloaded"),
    "no address": ("https://[::1/x", "Invalid IPv6 URL"),
    "signs": ("https://example.org/\x01x", "a space, or a sign"),
    "itself": ("/a.bin", "redirected more than 10 times"),
}
REFUSED |= {
    f"redirected to {name}": (answer(f"Location: {where}\r\n", status="302 Found"), message)
    for name, (where, message) in LOCATIONS.items()
}


def download(server, tmp_path, limits=LIMITS):
    return downloads.https(server.url, tmp_path / "parts", len(BODY), limits)


@pytest.mark.fault("hostile server")
@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_server_ends_in_one_line_and_leaves_nothing(tmp_path, serve, name):
    script, message = REFUSED[name]
    server, start = serve(script), time.monotonic()
    with pytest.raises(UserError, match=message) as error:
        download(server, tmp_path, SLOW if "too slow" in message else LIMITS)
    assert time.monotonic() - start < QUICK
    said = str(error.value)
    assert said.isprintable() and len(said) < 600 and "kept" not in said
    assert not list((tmp_path / "parts").iterdir())


@pytest.mark.parametrize("name", ["a length in words", "3 GiB announced", "a byte at a time"])
def test_what_another_attempt_cannot_mend_is_tried_once(tmp_path, serve, name):
    server = serve(REFUSED[name][0])
    with pytest.raises(UserError):
        download(server, tmp_path, SLOW)
    assert len(server.requests) == 1


def test_no_more_is_read_than_what_fits_into_buffers(tmp_path, serve):
    server = serve(endless())
    with pytest.raises(UserError):
        download(server, tmp_path)
    time.sleep(0.2)
    assert server.sent < 32 << 20


@pytest.mark.fault("a server that falls silent")
@pytest.mark.parametrize("script", [silent, then_silent(OLD, b"")])
def test_a_server_that_falls_silent_is_left(tmp_path, serve, script):
    server, start = serve(script), time.monotonic()
    with pytest.raises(UserError, match=r"too slow|timed out"):
        download(server, tmp_path, SLOW)
    assert time.monotonic() - start < QUICK


# What is kept of a broken transfer, and gone on with


KEPT = {
    "a strong tag": ('ETag: "1"\r\n', True),
    "a weak tag": ('ETag: W/"1"\r\n', False),
    "a tag without quotes": ("ETag: 1\r\n", False),
    "nothing": ("", False),
    "an old date": (OLD, True),
    "a date of this minute": (NEW, False),
    "a date alone": (OLD.partition("\n")[0] + "\n", False),
    "a date that is none": (OLD.replace("Mon, 01", "Someday"), False),
    "a weak tag and an old date": ('ETag: W/"1"\r\n' + OLD, True),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_part_is_kept_where_the_server_can_tell_its_file(tmp_path, serve, name):
    head, kept = KEPT[name]
    rest = f"Content-Range: bytes 1000-{len(BODY) - 1}/{LENGTH}\r\n{head}"
    one = Limits(attempts=1)
    going_on = answer(rest, BODY[1000:], "206 Partial", len(BODY) - 1000)
    second = going_on if kept else answer(head)
    server = serve(answer(head, BODY[:1000]), second)
    with pytest.raises(UserError) as error:
        download(server, tmp_path, one)
    assert ("its first 1000 bytes are kept" in str(error.value)) == kept
    assert bool(list((tmp_path / "parts").iterdir())) == kept
    assert download(server, tmp_path, one).read_bytes() == BODY
    assert ("Range: bytes=1000-" in server.requests[1]) == kept


GOING_ON = {
    "another place": ("Content-Range: bytes 2000-9/10\r\n", 'ETag: "1"\r\n'),
    "another file": (f"Content-Range: bytes 1000-9/{LENGTH}\r\n", 'ETag: "2"\r\n'),
    "no place": ("", 'ETag: "1"\r\n'),
}


@pytest.mark.fault("a server that lies about the rest")
@pytest.mark.parametrize("name", GOING_ON)
def test_an_answer_that_does_not_go_on_is_dropped(tmp_path, serve, name):
    tag = 'ETag: "1"\r\n'
    wrong = answer("".join(GOING_ON[name]), BODY[2000:], "206 Partial", len(BODY) - 2000)
    server = serve(answer(tag, BODY[:1000]), wrong, answer(tag))
    with pytest.raises(UserError, match="kept"):
        download(server, tmp_path, Limits(attempts=1))
    assert download(server, tmp_path).read_bytes() == BODY
    assert "Range" not in server.requests[2]


@pytest.mark.fault("a transfer that stalls")
def test_a_stalled_transfer_is_taken_up_again(tmp_path, serve):
    rest = f'ETag: "1"\r\nContent-Range: bytes 9000-{len(BODY) - 1}/{LENGTH}\r\n'
    going_on = answer(rest, BODY[9000:], "206 Partial", len(BODY) - 9000)
    server = serve(then_silent('ETag: "1"\r\n', BODY[:9000]), going_on)
    limits = Limits(silence=0.2, window=5, wait=0.01)
    assert download(server, tmp_path, limits).read_bytes() == BODY


# Redirections, the clock, the network


def test_a_redirection_is_followed_and_its_own_body_not_read(tmp_path, serve):
    away = endless("HTTP/1.1 302 Found\r\nLocation: /b.bin\r\n\r\n")
    server = serve(away, answer())
    assert download(server, tmp_path).read_bytes() == BODY
    assert "GET /b.bin" in server.requests[1]


@pytest.mark.parametrize(
    ("url", "location", "goes"),
    [
        ("https://a.org/x", "https://b.org/y", True),
        ("https://a.org/x", "y", True),
        ("https://a.org/x", "http://b.org/y", False),
        ("https://a.org/x", "http://127.0.0.1/y", False),
        ("http://127.0.0.1/x", "https://b.org/y", True),
        ("http://127.0.0.1/x", "http://b.org/y", False),
    ],
)
def test_https_stays_https(url, location, goes):
    headers = Message()
    headers["Location"] = location
    if goes:
        assert transfer.next_address(url, headers).startswith("https://")
        return
    with pytest.raises(UserError, match="redirected"):
        transfer.next_address(url, headers)


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A key and its certificate for this machine, which is believed."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine")
    key, found = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-days", "2"]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", found]
    subprocess.run(command, check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(found))
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return found, key


def secure(server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.wrap = lambda connection: context.wrap_socket(connection, server_side=True)
    server.url = server.url.replace("http:", "https:")
    return server


def test_a_download_over_tls(tmp_path, serve, certificate):
    assert download(secure(serve(answer()), certificate), tmp_path).read_bytes() == BODY


@pytest.mark.fault("redirected from https to http")
def test_a_redirection_from_https_to_http_is_refused(tmp_path, serve, certificate):
    plain = serve(answer())
    away = secure(serve(answer(f"Location: {plain.url}\r\n", status="302 Found")), certificate)
    with pytest.raises(UserError, match="redirected from https to http://127"):
        download(away, tmp_path)
    assert not plain.requests


@pytest.mark.fault("a certificate that is not believed")
def test_a_certificate_that_is_not_believed_is_asked_for_once(
    tmp_path, serve, certificate, monkeypatch
):
    server = secure(serve(answer()), certificate)
    monkeypatch.delenv("SSL_CERT_FILE")
    start = time.monotonic()
    with pytest.raises(UserError, match=r"certificate verify failed"):
        download(server, tmp_path, Limits(wait=60))
    assert time.monotonic() - start < QUICK


def test_a_transfer_has_a_time_in_all():
    now = [0.0]
    limits = Limits(start=60, rate=100, window=10)
    pace = Pace(limits, 1000, lambda: now[0])  # 60 s and 10 s for a thousand bytes
    for second in range(70):
        now[0] = float(second)
        pace.check(second * 100)
    now[0] = 71.0
    with pytest.raises(TooSlowError, match="took more than 70 s"):
        pace.check(9999)


def test_a_transfer_has_a_rate_in_every_window():
    now = [0.0]
    pace = Pace(Limits(start=1000, rate=100, window=10), 1000, lambda: now[0])
    now[0] = 10.0
    pace.check(1000)
    now[0] = 19.0
    pace.check(1001)
    now[0] = 20.0
    with pytest.raises(TooSlowError, match=r"1 bytes in 10 s, fewer than 100 a second"):
        pace.check(1001)


def test_who_was_left_alone_writes_nothing_more(tmp_path, serve):
    def late(send, asked):
        time.sleep(0.6)
        answer('ETag: "1"\r\n')(send, asked)

    server = serve(late)
    limits = Limits(window=0.2, silence=5)
    with pytest.raises(UserError, match="too slow: 0 bytes"):
        download(server, tmp_path, limits)
    while not server.sent:
        time.sleep(0.05)
    time.sleep(0.2)
    assert not list((tmp_path / "parts").iterdir())


@pytest.mark.fault("a name server that holds back its answer")
def test_a_name_server_that_holds_back_its_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(30))
    start = time.monotonic()
    with pytest.raises(UserError, match=r"no network, or no answer within 0\.5 s"):
        downloads.https("https://example.org/x", tmp_path / "parts", 1000, Limits(connect=0.5))
    assert time.monotonic() - start < QUICK


NO_NETWORK = {
    "no name server": (socket.gaierror(socket.EAI_AGAIN, "Try again"), r"no network \(Try again\)"),
    "no such host": (socket.gaierror(socket.EAI_NONAME, "Unknown"), "no network, or no such host"),
    "no route": (OSError(101, "Network is unreachable"), r"no network \(Network is unreach"),
}


@pytest.mark.fault("no network")
@pytest.mark.parametrize("name", NO_NETWORK)
def test_no_network_is_said_at_once(tmp_path, monkeypatch, name):
    error, message = NO_NETWORK[name]
    asked = []

    def fails(*_, **__):
        asked.append(1)
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    with pytest.raises(UserError, match=message):
        downloads.https("https://example.org/x", tmp_path / "parts", 1000)
    assert len(asked) == 1


ROUTES = {
    "none": ("Iface Destination\n", "", True),
    "to itself": ("Iface Destination\n", f"{'0' * 32} 00 0 00 0 0 0 0 0       lo\n", True),
    "a default route": ("Iface Destination\neth0 00000000 010200C0\n", "", False),
    "one of version 6": (
        "Iface Destination\n",
        f"fd{'0' * 30} 40 0 00 0 0 0 0 0     eth0\n",
        False,
    ),
}


@pytest.mark.parametrize("name", ROUTES)
def test_a_machine_that_is_cut_off_is_known_by_its_routes(tmp_path, name):
    four, six, expected = ROUTES[name]
    (tmp_path / "route").write_text(four)
    (tmp_path / "ipv6_route").write_text(six)
    assert network.is_cut_off(tmp_path) is expected
    assert network.is_cut_off(tmp_path / "none") is False


# Through the sheet


@pytest.mark.fault("a server that sends more than the sheet says")
@pytest.mark.parametrize("sha256", ["0" * 64, ""])
def test_the_sheets_bytes_bound_a_download(tmp_path, serve, sha256):
    server = serve(endless())
    row = AssetFile("x", "a.bin", server.url, sha256, 200_000, "CC0-1.0")
    with pytest.raises(UserError, match=r"sends .* bytes or more; 200000 are expected"):
        fetch.fetch([row], tmp_path / "out", Cache(tmp_path / "cache"), tmp_path)
    assert not (tmp_path / "out").exists()
    assert not [path for path in tmp_path.rglob("cache/*/*") if path.parent.name != "locks"]
