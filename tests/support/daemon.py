"""Starts the real classifyd on free ports, talks to it, stops it. Standard library only."""
import contextlib
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import tiny_files
import tiny_onnx

SOURCE = os.environ["CLASSIFYD_SOURCE"]
PROGRAM = os.path.join(os.environ["CLASSIFYD_BIN"], "classifyd")
# The sanitizers make everything slower; waits are for events, this is when to give up.
PATIENCE_S = 60


def png(width=28, height=28, value=128, channels=1):
    """A PNG of one colour; value may be a function of (x, y)."""
    level = value if callable(value) else lambda x, y: value
    pixels = [level(x, y) for y in range(height) for x in range(width) for _ in range(channels)]
    return tiny_files.png(width, height, pixels, channels)


def environment(**more):
    """Ours without the variables that the tests are told by: to the daemon those are unknown settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CLASSIFYD_") or k == "CLASSIFYD_CPU_LEVEL"}
    kept.update(more)
    return kept


def run(*arguments, env=None, timeout=PATIENCE_S):
    """Runs classifyd to its end."""
    return subprocess.run([PROGRAM, *arguments], env=env or environment(), timeout=timeout, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Reply:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body

    def json(self):
        return json.loads(self.body)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    def __init__(self, models, *flags, env=None, wait=True, before=(), tls=None,
                 idle_s=PATIENCE_S // 4):
        """tls: the context with which clients speak it. models, idle_s: None leaves them to flags and files."""
        self.tls = tls
        self.log_file = tempfile.TemporaryFile("a+b")  # appending: log() moves the position
        self.process = subprocess.Popen(
            [*before, PROGRAM, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--lame-duck-ms", "0",
             *(() if models is None else ("--models", models)),
             *(() if idle_s is None else ("--idle-timeout-s", str(idle_s))), *flags],
            env=env or environment(), stdout=subprocess.PIPE, stderr=self.log_file, text=True)
        line = self.process.stdout.readline()
        found = re.match(r"listening on (https?)://127\.0\.0\.1:(\d+) "
                         r"\(admin (?:(https?)://127\.0\.0\.1:(\d+)|unix:(\S+)|off)\)", line)
        if not found:
            raise AssertionError("no greeting but %r: %s" % (line, self.log()))
        self.schemes = {False: found.group(1), True: found.group(3)}
        self.port = int(found.group(2))
        self.admin_port = int(found.group(4) or 0)
        self.admin_path = found.group(5)
        self.rest = []
        self.reader = threading.Thread(target=lambda: self.rest.extend(self.process.stdout), daemon=True)
        self.reader.start()
        if wait:
            self.wait_for(lambda: self.get("/readyz").status == 200, "readiness")

    def wait_for(self, condition, what):
        until = time.monotonic() + PATIENCE_S
        while not condition():
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError("no %s: %s" % (what, self.log()))
            time.sleep(0.02)

    def log(self):
        if not self.log_file.closed:
            self.log_file.seek(0)
            self.log_text = self.log_file.read().decode()
        return self.log_text

    def request(self, method, path, body=None, headers=None, admin=False, patience_s=PATIENCE_S):
        with contextlib.closing(self.connection(admin, patience_s)) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Reply(response, response.read())

    def connection(self, admin=False, patience_s=PATIENCE_S):
        """One of http.client's, to send several requests over."""
        if admin and self.admin_path:
            return UnixConnection(self.admin_path)
        port = self.admin_port if admin else self.port
        if self.schemes[admin] == "https":
            return http.client.HTTPSConnection("127.0.0.1", port, timeout=patience_s, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", port, timeout=patience_s)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=b"", **more):
        return self.request("POST", path, body, **more)

    def connect(self, admin=False):
        return socket.create_connection(("127.0.0.1", self.admin_port if admin else self.port), PATIENCE_S)

    def connect_from(self, address):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S, (address, 0))

    def exchange(self, data, admin=False):
        """Sends bytes and reads until the server closes."""
        with self.connect(admin) as s:
            s.sendall(data)
            return read_all(s)

    def metric(self, line_start):
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(line_start):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def resident_bytes(self):
        with open("/proc/%d/statm" % self.process.pid) as f:
            return int(f.read().split()[1]) * resource.getpagesize()

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        """The exit status."""
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()  # it hangs: the test fails, but leaves nothing running
            self.process.wait()
            raise
        self.reader.join()
        self.process.stdout.close()
        self.log()
        self.log_file.close()
        return status

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGINT)
        return self.end()


def is_sanitized():
    """A sanitizer's allocator keeps freed memory back: its RSS says nothing."""
    with open(PROGRAM, "rb") as f:
        contents = f.read()
    return b"__asan_init" in contents or b"__tsan_init" in contents


def read_all(s):
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while True:
            part = s.recv(65536)
            if not part:
                break
            parts.append(part)
    return b"".join(parts)


class TestCase(unittest.TestCase):
    """Each test has a folder of models, and daemons that are stopped after it and must have ended well."""

    def setUp(self):
        self.models = tempfile.mkdtemp(prefix="classifyd_test_")
        self.addCleanup(shutil.rmtree, self.models)

    def write_model(self, name="tiny", version=1, **options):
        tiny_onnx.write(self.models, name, version, tiny_onnx.model(**options))

    def start(self, *flags, **options):
        daemon = Daemon(self.models, *flags, **options)

        def check_end():
            status = daemon.stop()
            self.assertEqual(status, 0, daemon.log())
        self.addCleanup(check_end)
        return daemon

    def check_error(self, reply, status, code, part=""):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        error = reply.json()
        self.assertEqual(error["code"], code)
        self.assertIn(part, error["error"])
        self.assertEqual(error["request_id"], reply.headers["X-Request-Id"])
        return error


main = unittest.main
