"""HTTP as clients really speak it, and as they should not."""
import contextlib
import gzip
import json
import random
import signal
import socket
import time
import unittest

import daemon
from daemon import png, read_all

PUBLIC_GET = ("/models", "/healthz", "/readyz", "/metrics")


class Protocol(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()

    def still_serves(self, d):
        reply = d.post("/classify", png())
        self.assertEqual(reply.status, 200, reply.body)

    def test_get_and_head(self):
        d = self.start()
        for path in PUBLIC_GET:
            reply, head = d.get(path), d.request("HEAD", path)
            self.assertEqual((reply.status, head.status), (200, 200))
            self.assertEqual(head.body, b"")
            self.assertEqual(head.headers["Content-Type"], reply.headers["Content-Type"])
        self.assertEqual(d.get("/metrics").headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")

    def test_404_and_405(self):
        d = self.start()
        for path in ("//", "/nope", "/classify/a/b/c", "/reload", "/models/tiny/reload", "/" + "a" * 5000):
            self.check_error(d.get(path), 404, "not_found")
        for path in PUBLIC_GET:
            reply = d.request("DELETE", path)
            self.check_error(reply, 405, "method_not_allowed")
            self.assertEqual(reply.headers["Allow"], "GET, HEAD")
        reply = d.get("/classify/tiny")
        self.check_error(reply, 405, "method_not_allowed")
        self.assertEqual(reply.headers["Allow"], "POST, PUT")
        reply = d.get("/reload", admin=True)
        self.check_error(reply, 405, "method_not_allowed")
        self.assertEqual(reply.headers["Allow"], "POST")
        self.check_error(d.request("BREW", "/models"), 405, "method_not_allowed")
        # The public routes, but for the probes, are not on the admin listener.
        for path in ("/classify", "/explain", "/metrics"):
            self.check_error(d.get(path, admin=True), 404, "not_found")

    def test_a_get_takes_no_body(self):
        d = self.start()
        self.check_error(d.request("GET", "/healthz", b"x"), 400, "invalid_request", "takes no body")
        # Nor is it kept: as large a body as this one leaves no room.
        d = self.start("--max-body-bytes", "1048576", "--max-bodies-bytes", "1048576")
        self.check_error(d.post("/classify", bytes(1048576)), 503, "queue_full")
        self.check_error(d.request("GET", "/healthz", bytes(1048576)), 400, "invalid_request", "takes no body")

    def test_an_error_keeps_the_connection(self):
        d = self.start()
        request = b"POST /nope HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
        with d.connect() as s:
            for _ in range(3):
                s.sendall(request)
                self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 404 "))

    def test_keep_alive_and_pipelining(self):
        d = self.start()
        body = png()
        one = b"POST /classify?top=1 HTTP/1.1\r\nHost: h\r\nX-Request-Id: %d\r\nContent-Length: %d\r\n\r\n"
        requests = b"".join(one % (i, len(body)) + body for i in range(50))
        last = b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        reply = d.exchange(requests + last)
        self.assertEqual(reply.count(b"HTTP/1.1 200 OK\r\n"), 51)
        ids = [line.split(b": ")[1] for line in reply.split(b"\r\n") if line.startswith(b"X-Request-Id: ")]
        self.assertEqual(ids[:50], [b"%d" % i for i in range(50)])

    def test_http_1_0(self):
        d = self.start()
        reply = d.exchange(b"GET /healthz HTTP/1.0\r\n\r\n")
        self.assertIn(b" 200 OK\r\n", reply)
        self.assertTrue(reply.endswith(b'{"status":"ok"}\n'))

    def test_garbage(self):
        # libmicrohttpd may miss the end of a connection that comes with half a request: the timeout ends it.
        d = self.start("--idle-timeout-s", "1")
        rng = random.Random(7)
        garbage = [b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n",
                   b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60),  # a TLS hello
                   b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                   b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
                   b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                   b"POST /classify HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                   b"POST /classify HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
                   b"GET /healthz HTTP/1.1\r\nHost: h\r\nNo colon\r\n\r\n"]
        garbage += [bytes(rng.randrange(256) for _ in range(rng.randrange(1, 300))) for _ in range(40)]
        for data in garbage:
            with d.connect() as s:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                reply = read_all(s)
            self.assertNotRegex(reply, rb"^HTTP/1\.1 50[0234]", data)
        self.still_serves(d)

    def test_large_headers(self):
        d = self.start("--max-header-bytes", "8192")
        request = b"GET /healthz HTTP/1.1\r\nHost: h\r\n" + b"X: " + b"a" * 100000 + b"\r\n\r\n"
        self.assertRegex(d.exchange(request), rb"^HTTP/1\.1 (431|413|400) |^$")
        request = b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: h\r\n\r\n"
        self.assertRegex(d.exchange(request), rb"^HTTP/1\.1 (414|431|400) |^$")
        many = b"".join(b"X%d: a\r\n" % i for i in range(5000))
        self.assertRegex(d.exchange(b"GET /healthz HTTP/1.1\r\nHost: h\r\n" + many + b"\r\n"),
                         rb"^HTTP/1\.1 (431|413|400) |^$")
        self.still_serves(d)

    def test_slow_body_is_answered_408(self):
        d = self.start("--body-timeout-s", "1")
        with d.connect() as s:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nX-Request-Id: slow\r\nContent-Length: 1000\r\n\r\n")
            begun = time.monotonic()
            reply = b""
            s.settimeout(0.1)
            while time.monotonic() - begun < daemon.PATIENCE_S:
                try:
                    s.sendall(b"x")
                    part = s.recv(4096)
                    reply += part
                    if not part:
                        break
                except socket.timeout:
                    continue
                except (BrokenPipeError, ConnectionResetError):
                    break
        self.assertLess(time.monotonic() - begun, 30)
        self.assertTrue(reply.startswith(b"HTTP/1.1 408 "), reply)
        self.assertIn(b'"code":"request_timeout","request_id":"slow"', reply)
        d.wait_for(lambda: d.metric('classifyd_requests_total{listener="public",route="classify",code="408"}') == 1,
                   "408")
        self.still_serves(d)

    def test_slow_headers_are_cut(self):
        d = self.start("--idle-timeout-s", "1")
        with d.connect() as s:
            begun = time.monotonic()
            s.sendall(b"GET /healthz HTTP/1.1\r\n")
            with self.assertRaises((BrokenPipeError, ConnectionResetError, EOFError)):
                while time.monotonic() - begun < daemon.PATIENCE_S:
                    s.sendall(b"X: a\r\n")
                    s.settimeout(0.2)
                    try:
                        if s.recv(1) == b"":
                            raise EOFError
                    except socket.timeout:
                        pass
        self.assertLess(time.monotonic() - begun, 30)
        self.still_serves(d)

    def test_idle_connections_are_closed(self):
        d = self.start("--idle-timeout-s", "1")
        with d.connect() as s:
            s.settimeout(daemon.PATIENCE_S)
            self.assertEqual(s.recv(1), b"")

    def ask_often(self, d, n=3000):
        """A connection on which n answers are asked for at once; as little as may be is on the way to it."""
        s = socket.socket()
        self.addCleanup(s.close)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(daemon.PATIENCE_S)
        s.connect(("127.0.0.1", d.port))
        s.setblocking(False)
        requests = b"GET /openapi.json HTTP/1.1\r\nHost: h\r\n\r\n" * n
        with contextlib.suppress(BlockingIOError):
            while requests:
                requests = requests[s.send(requests):]
        s.settimeout(daemon.PATIENCE_S)
        return s

    def test_who_takes_no_answers_is_cut(self):
        d = self.start("--idle-timeout-s", "1")
        line = 'classifyd_requests_in_flight{listener="public"}'
        self.ask_often(d)
        d.wait_for(lambda: d.metric(line) == 2, "an answer on its way")
        begun = time.monotonic()
        d.wait_for(lambda: d.metric(line) == 1, "the end of it")
        self.assertLess(time.monotonic() - begun, daemon.PATIENCE_S / 4)
        self.still_serves(d)

    def test_who_takes_answers_slowly_is_not(self):
        d = self.start("--idle-timeout-s", "1")
        s = self.ask_often(d)
        until, n_taken = time.monotonic() + 5, 0
        while time.monotonic() < until:
            n_taken += len(s.recv(4096))
            time.sleep(0.1)
        self.assertGreater(n_taken, 20000)
        self.assertEqual(d.metric('classifyd_requests_in_flight{listener="public"}'), 2)

    def test_many_slow_clients_do_not_shut_others_out(self):
        d = self.start("--max-connections", "200")
        slow = [d.connect() for _ in range(100)]
        for s in slow:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nx")
        for _ in range(20):
            self.still_serves(d)
        for s in slow:
            s.close()

    def test_clients_that_go_away(self):
        d = self.start("--inline-below-us", "0")
        body = png()
        head = b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body)
        whole = head + body
        for i in range(300):
            with d.connect() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close sends RST
                s.sendall(whole[:len(whole) - (i % 3) * 50])
        self.still_serves(d)
        line = 'classifyd_requests_in_flight{listener="public"}'
        d.wait_for(lambda: d.metric(line) == 1, "end of all requests but the scrape's own")

    def test_clients_that_end_with_half_a_request(self):
        """libmicrohttpd misses an end that comes with bytes; nobody waits for the timeout all the same."""
        d = self.start("--idle-timeout-s", "3600")
        with contextlib.ExitStack() as stack:
            ended = [stack.enter_context(d.connect()) for _ in range(8)]
            for s in ended:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                reply = b""
                while not reply.endswith(b'{"status":"ok"}\n'):
                    reply += s.recv(4096)
            d.signal(signal.SIGSTOP)  # so that both come at once
            for s in ended:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost")
                s.shutdown(socket.SHUT_WR)
            d.signal(signal.SIGCONT)
            for s in ended:
                self.assertEqual(read_all(s), b"")

    def test_clients_that_end_their_side_behind_a_request(self):
        """They are answered, however long the connection's thread has others to serve."""
        d = self.start("--http-threads", "1", "--max-json-values", "4000000")
        heavy = gzip.compress(b'{"pixels":[' + b"0," * 1500000 + b"0]}")
        head = (b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
                % len(heavy))
        with contextlib.ExitStack() as stack:
            others = [stack.enter_context(d.connect()) for _ in range(12)]
            last = stack.enter_context(d.connect())
            time.sleep(0.5)  # so that they have been idle
            d.signal(signal.SIGSTOP)  # so that all come at once
            for s in others:
                s.sendall(head + heavy)
            last.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            last.shutdown(socket.SHUT_WR)
            d.signal(signal.SIGCONT)
            self.assertIn(b" 200 OK\r\n", read_all(last))

    def test_bodies_are_bounded_together(self):
        d = self.start("--max-body-bytes", "2000000", "--max-bodies-bytes", "3000000")
        head = b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n"
        with d.connect() as first:
            first.sendall(head + b"x" * 1999999)
            d.wait_for(lambda: d.post("/classify", b"\0" * 1900000).status == 503, "refusal")
            reply = d.post("/classify", b"\0" * 1900000)
            self.check_error(reply, 503, "queue_full", "max_bodies_bytes")
            self.assertEqual(reply.headers["Retry-After"], "1")
        d.wait_for(lambda: d.post("/classify", b"\0" * 1900000).status == 415, "room again")

    def test_memory_of_bodies_that_are_over_is_there_for_others(self):
        d = self.start("--max-body-bytes", "1000000", "--max-bodies-bytes", "1048576")
        body = b"\0" * 16000
        head = b"POST /classify HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        with contextlib.ExitStack() as stack:
            together = [stack.enter_context(d.connect()) for _ in range(60)]
            for s in together:
                s.sendall(head + body[1:])
            # Not before: a large body amid them would leave no room for the last of the small ones.
            d.wait_for(lambda: d.metric('classifyd_requests_in_flight{listener="public"}') == 61, "60 requests")
            d.wait_for(lambda: d.post("/classify", b"\0" * 500000).status == 503, "60 bodies")
            for s in together:
                s.sendall(body[:1])
            for s in together:
                self.assertTrue(read_all(s).startswith(b"HTTP/1.1 415 "))
        self.assertEqual(d.post("/classify", b"\0" * 900000).status, 415)

    def test_what_is_made_of_bodies_is_bounded_with_them(self):
        d = self.start("--max-body-bytes", "1000000", "--max-bodies-bytes", "1048576", "--max-pictures", "1000")
        part = b'--xx\r\nContent-Disposition: form-data; name="image"\r\n\r\n' + png() + b"\r\n"
        form = {"Content-Type": "multipart/form-data; boundary=xx"}
        self.assertEqual(d.post("/classify", 200 * part + b"--xx--\r\n", headers=form).status, 200)
        reply = d.post("/classify", 600 * part + b"--xx--\r\n", headers=form)  # answers of 10 classes, as text
        self.check_error(reply, 503, "queue_full", "what is made of them")
        pixels = [0] * 784
        self.assertEqual(d.post("/classify", json.dumps({"pixels": pixels})).status, 200)
        self.check_error(d.post("/classify", json.dumps({"pixels": 300 * [pixels]})), 503, "queue_full")

    def test_json_logs_and_levels(self):
        d = self.start("--log-format", "json", "--log-level", "debug")
        d.get("/healthz?x=%00%0a", headers={"X-Request-Id": "find-me"})
        d.wait_for(lambda: "find-me" in d.log(), "log line")
        lines = [json.loads(line) for line in d.log().splitlines()]
        self.assertEqual([li["code"] for li in lines if li.get("id") == "find-me"], [200])
        quiet = self.start("--access-log", "off")
        quiet.get("/healthz")
        self.assertEqual(quiet.stop(), 0)
        self.assertNotIn("msg=request", quiet.log())


if __name__ == "__main__":
    unittest.main()
