"""Flags, settings, start, health check, signals, drain; the documents that the daemon prints."""
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import daemon
from daemon import environment, png, run


class CommandLine(daemon.TestCase):
    def check_fails(self, result, part):
        self.assertEqual(result.returncode, 1, result)
        self.assertIn(part, result.stderr)
        self.assertTrue(result.stderr.startswith("classifyd: "))
        self.assertEqual(result.stderr.count("\n"), 1)

    def test_help_and_version(self):
        self.assertRegex(run("--version").stdout, r"^classifyd \d+\.\d+\.\d+\n$")
        text = run("--help").stdout
        for flag in ("--models", "--max-batch", "--config", "--set", "--check", "--print-config", "--healthcheck"):
            self.assertIn("  %s " % flag, text)

    def test_documents_are_what_the_daemon_prints(self):
        for name in ("settings", "metrics", "errors"):
            with open(os.path.join(daemon.SOURCE, "docs", name + ".md")) as f:
                self.assertEqual(f.read(), run("--docs", name).stdout,
                                 "docs/%s.md is stale: classifyd --docs %s > docs/%s.md" % (name, name, name))
        self.check_fails(run("--docs", "x"), "wanted settings, metrics or errors")

    def test_config_errors(self):
        self.check_fails(run("--modles", "x"), 'the nearest is "models"')
        self.check_fails(run("--set", "max_batch=0"), "wanted 1 to 1024 pictures")
        self.check_fails(run(env=environment(CLASSIFYD_LISTN="x")), 'the nearest is "listen"')
        self.check_fails(run("--config", "/nowhere.json"), "No such file")
        self.check_fails(run("--listen", "8080"), "wanted HOST:PORT")
        self.check_fails(run("--listen", "nowhere.invalid:1", "--models", self.models), "cannot listen on")
        self.check_fails(run("--admin", "0.0.0.0:0", "--models", self.models), "admin_token_file")
        self.check_fails(run("--admin-token-file", "/nowhere", "--models", self.models), "/nowhere")
        self.check_fails(run("--admin-token-file", "/dev/null", "--models", self.models), "no token")
        self.check_fails(run("--admin-token-file", self.models, "--models", self.models), "Is a directory")
        with tempfile.NamedTemporaryFile("w") as f:
            f.write("s" * (2**20 + 1))
            f.flush()
            self.check_fails(run("--admin-token-file", f.name, "--models", self.models), "at most 1048576 bytes")
        self.check_fails(run("--models", "/nowhere"), "/nowhere")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            f.write('{\n"max_batch": 1,\n"max_bach": 1}')
            f.flush()
            self.check_fails(run("--config", f.name), 'the nearest is "max_batch"')

    def test_cpu_level(self):
        self.check_fails(run("--cpu-level", "mmx"), 'cpu_level is "mmx"')
        daemon = self.start("--cpu-level", "portable")
        daemon.wait_for(lambda: "cpu_level=portable" in daemon.log(), "line that tells the level")

    def test_print_config_reads_back(self):
        printed = run("--print-config", "--max-batch", "3", env=environment(CLASSIFYD_MAX_QUEUE="9")).stdout
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            f.write(printed)
            f.flush()
            self.assertEqual(run("--print-config", "--config", f.name).stdout, printed)
        self.assertIn('"max_batch": 3,', printed)
        self.assertIn('"max_queue": 9,', printed)

    def test_check(self):
        self.write_model("good")
        result = run("--check", "--models", self.models)
        self.assertEqual((result.returncode, result.stdout), (0, "good/1: ok\n1 versions, 0 of them rejected\n"))
        os.makedirs(os.path.join(self.models, "bad", "1"))
        with open(os.path.join(self.models, "bad", "1", "model.onnx"), "w") as f:
            f.write("no model")
        result = run("--check", "--models", self.models)
        self.assertEqual(result.returncode, 1)
        self.assertIn("good/1: ok\n", result.stdout)
        self.assertIn("2 versions, 1 of them rejected\n", result.stdout)

    def test_port_in_use(self):
        self.write_model()
        with socket.create_server(("127.0.0.1", 0)) as s:
            address = "127.0.0.1:%d" % s.getsockname()[1]
            self.check_fails_late(run("--models", self.models, "--listen", address),
                                  "cannot listen on %s: Address already in use" % address)

    def check_fails_late(self, result, part):
        """The log may stand before the error."""
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("classifyd: " + part, result.stderr)


class Life(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()

    def test_greeting_names_a_curl_line(self):
        d = self.start()
        d.wait_for(lambda: d.rest, "curl line")
        self.assertEqual(d.rest[0], "try: curl -T PICTURE.png http://127.0.0.1:%d/classify/tiny\n" % d.port)

    def test_healthcheck(self):
        d = self.start()
        address = "127.0.0.1:%d" % d.port
        for target in (address, "http://" + address, "http://%s/healthz" % address, "0.0.0.0:%d" % d.port):
            self.assertEqual(run("--healthcheck", target).returncode, 0)
        self.assertEqual(run("--healthcheck", env=environment(CLASSIFYD_LISTEN=":%d" % d.port)).returncode, 0)
        result = run("--healthcheck", "http://%s/nope" % address)
        self.assertEqual(result.returncode, 1)
        self.assertIn("404", result.stderr)
        d.stop()
        result = run("--healthcheck", address)
        self.assertEqual(result.returncode, 1)
        self.assertIn("Connection refused", result.stderr)

    def test_healthcheck_gives_up(self):
        """What drips in byte by byte does not prolong the wait; the request names host and port."""
        asked = []

        def drip(listener):
            with listener.accept()[0] as peer, contextlib.suppress(OSError):
                while b"\r\n\r\n" not in b"".join(asked):
                    asked.append(peer.recv(1024))
                for byte in b"HTTP/1.1 200 " * 100:
                    peer.send(bytes([byte]))
                    time.sleep(1)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=drip, args=(listener,))
            thread.start()
            address = "127.0.0.1:%d" % listener.getsockname()[1]
            result = run("--healthcheck", address)
            thread.join()
        self.assertEqual(result.returncode, 1)
        self.assertIn("no answer within 4 s", result.stderr)
        self.assertIn(b"\r\nHost: %s\r\n" % address.encode(), b"".join(asked))

    def test_ipv6(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("there is no ::1 here")
        process = subprocess.Popen([daemon.PROGRAM, "--models", self.models, "--listen", "[::1]:0", "--admin", ""],
                                   env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = process.stdout.readline()
        self.assertRegex(line, r"^listening on http://\[::1\]:\d+ \(admin off\)\n$")
        process.stdout.readline()
        self.assertEqual(run("--healthcheck", line.split()[2]).returncode, 0)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(daemon.PATIENCE_S), 0)
        process.stdout.close()

    def test_readyz_says_what_is_missing(self):
        os.makedirs(os.path.join(self.models, "bad", "1"))
        with open(os.path.join(self.models, "bad", "1", "model.onnx"), "w") as f:
            f.write("no model")
        d = self.start(wait=False)
        d.wait_for(lambda: d.post("/classify/tiny", png()).status == 200, "the model that can be loaded")
        d.wait_for(lambda: "could not be loaded" in d.get("/readyz").json().get("error", ""), "reason")
        reply = d.get("/readyz")
        self.check_error(reply, 503, "not_ready", "bad has no version that serves: it could not be loaded")
        self.assertNotIn("model.onnx", reply.json()["error"])
        self.assertEqual(reply.headers["Retry-After"], "1")
        self.assertEqual(d.get("/healthz").status, 200)
        self.check_error(d.post("/classify/bad", png()), 503, "not_ready")

    def test_metrics_are_there(self):
        d = self.start()
        d.post("/classify", png())
        d.post("/reload", admin=True)
        text = d.get("/metrics").body
        for name in (b"classifyd_requests_total", b"classifyd_request_duration_seconds_bucket",
                     b"classifyd_decode_duration_seconds_sum", b"classifyd_compute_duration_seconds_count",
                     b"classifyd_queue_duration_seconds_sum", b"classifyd_batch_size_bucket",
                     b"classifyd_model_reloads_total", b"classifyd_models_loaded 1", b"classifyd_build_info",
                     b"classifyd_requests_in_flight", b"process_resident_memory_bytes"):
            self.assertIn(name, text)

    def test_sigint_stops_at_once(self):
        d = self.start("--lame-duck-ms", "60000")
        begun = time.monotonic()
        d.signal(signal.SIGINT)
        self.assertEqual(d.end(), 0)
        self.assertLess(time.monotonic() - begun, 30)

    def test_sigterm_is_heeded_while_models_load(self):
        for version in range(2, 200):
            self.write_model(version=version)
        d = self.start(wait=False)
        d.signal(signal.SIGTERM)
        self.assertEqual(d.end(), 0)
        self.assertLess(d.log().count("result=loaded"), 199)

    def test_lame_duck(self):
        d = self.start("--lame-duck-ms", "4000")
        d.signal(signal.SIGTERM)
        d.wait_for(lambda: d.get("/readyz").status == 503, "503")
        self.check_error(d.get("/readyz"), 503, "shutting_down")
        reply = d.post("/classify", png())
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["Connection"].lower(), "close")
        self.assertEqual(d.get("/healthz").status, 200)
        self.assertEqual(d.end(), 0)

    def test_a_second_signal_ends_it_now(self):
        d = daemon.Daemon(self.models, "--lame-duck-ms", "60000")
        d.signal(signal.SIGTERM)
        d.wait_for(lambda: d.get("/readyz").status == 503, "503")
        d.signal(signal.SIGTERM)
        self.assertEqual(d.end(), 128 + signal.SIGTERM)

    def test_sigpipe_is_nothing(self):
        d = self.start()
        d.signal(signal.SIGPIPE)
        self.assertEqual(d.post("/classify", png()).status, 200)

    def test_drain_under_load(self):
        """Clients that heed the closing of their connection see no failure at all."""
        d = self.start("--lame-duck-ms", "3000", "--inline-below-us", "0")
        failures, n_answered = [], [0] * 8

        def work(i):
            closing = False
            while not closing:
                try:
                    reply = d.post("/classify", png())
                except OSError as e:
                    failures.append(repr(e))
                    return
                if reply.status != 200:
                    failures.append((reply.status, reply.body))
                closing = reply.headers.get("Connection", "").lower() == "close"
                n_answered[i] += 1
        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        d.wait_for(lambda: min(n_answered) > 3, "load")
        d.signal(signal.SIGTERM)
        for t in threads:
            t.join()
        self.assertEqual(failures, [])
        self.assertEqual(d.end(), 0, d.log())

    def test_drain_waits_for_a_body_that_still_comes(self):
        d = self.start()
        body = png()
        with d.connect() as s:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:9])
            line = 'classifyd_requests_in_flight{listener="public"}'
            d.wait_for(lambda: d.metric(line) == 2, "request")
            d.signal(signal.SIGTERM)
            time.sleep(0.3)
            self.assertIsNone(d.process.poll())
            s.sendall(body[9:])
            self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(d.end(), 0)

    def test_a_drained_listener_refuses(self):
        """An open connection may still send when its listener is done: it is told so, nothing waits for it."""
        d = self.start()
        body = png()
        with contextlib.ExitStack() as stack:
            idle = [stack.enter_context(d.connect(admin=True)) for _ in range(50)]
            for each in idle:  # each has been accepted once it has had an answer
                each.sendall(b"GET /models HTTP/1.1\r\nHost: h\r\n\r\n")
                self.assertTrue(each.recv(65536).startswith(b"HTTP/1.1 200 "))
            s = stack.enter_context(d.connect())
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:9])
            line = 'classifyd_requests_in_flight{listener="public"}'
            d.wait_for(lambda: d.metric(line) == 2, "request")
            d.signal(signal.SIGTERM)

            def takes_nobody():
                try:
                    d.connect(admin=True).close()
                except ConnectionError:
                    return True
                return False
            d.wait_for(takes_nobody, "end of accepting")

            def is_refused():
                each = idle.pop()
                each.sendall(b"POST /reload HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
                reply = daemon.read_all(each)
                return reply.startswith(b"HTTP/1.1 503 ") and b'"code":"shutting_down"' in reply
            d.wait_for(is_refused, "refusal")
            s.sendall(body[9:])
            self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(d.end(), 0)

    def test_both_listeners_share_the_drain_timeout(self):
        d = daemon.Daemon(self.models, "--drain-timeout-ms", "3000")
        head = b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"
        with d.connect() as s, d.connect(admin=True) as a:
            s.sendall(head % b"/classify")
            a.sendall(head % b"/reload")
            for listener, n in (("public", 2), ("admin", 1)):
                line = 'classifyd_requests_in_flight{listener="%s"}' % listener
                d.wait_for(lambda: d.metric(line) == n, "request")
            begun = time.monotonic()
            d.signal(signal.SIGTERM)
            self.assertEqual(d.end(), 1)
        self.assertLess(time.monotonic() - begun, 5.8)

    def test_drain_gives_up(self):
        d = daemon.Daemon(self.models, "--drain-timeout-ms", "300")
        with d.connect() as s:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")
            d.wait_for(lambda: d.metric('classifyd_requests_in_flight{listener="public"}') == 2, "request")
            d.signal(signal.SIGTERM)
            self.assertEqual(d.end(), 1)
        self.assertIn("still in flight", d.log())


if __name__ == "__main__":
    unittest.main()
