"""TLS on either listener: who is let in, certificates that change, clients that do not do their part."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import daemon
from daemon import PATIENCE_S, png, run

OPENSSL = shutil.which("openssl")
CURL = shutil.which("curl")


def openssl(*arguments):
    subprocess.run([OPENSSL, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """A certificate authority in a folder, trusted by nobody but the tests."""

    def __init__(self, folder):
        self.folder = folder
        self.make("ca", ["-x509", "-days", "2"])

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, more, algorithm=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        openssl("req", "-newkey", *algorithm, "-nodes", "-subj", "/CN=" + name, "-keyout", self.path(name + ".key"),
                "-out", self.path(name + ".crt"), *more)

    def issue(self, name, days="2", **options):
        """NAME.crt and NAME.key for 127.0.0.1 and localhost."""
        self.make(name, ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], **options)
        openssl("x509", "-req", "-in", self.path(name + ".crt"), "-CA", self.path("ca.crt"), "-CAkey",
                self.path("ca.key"), "-CAcreateserial", "-days", days, "-copy_extensions", "copy",
                "-out", self.path(name + ".signed"))
        os.rename(self.path(name + ".signed"), self.path(name + ".crt"))

    def context(self):
        return ssl.create_default_context(cafile=self.path("ca.crt"))


class Tls(daemon.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="classifyd_tls_")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.authority = Authority(folder)
        cls.authority.issue("first")
        cls.authority.issue("second", days="3")
        cls.authority.issue("rsa", algorithm=("rsa:2048",))

    def setUp(self):
        super().setUp()
        self.write_model()
        self.context = self.authority.context()
        self.certificate, self.key = (os.path.join(self.models, ".server." + end) for end in ("crt", "key"))
        self.install("first")

    def install(self, name, key=None):
        for source, target in ((name + ".crt", self.certificate), ((key or name) + ".key", self.key)):
            shutil.copy(self.authority.path(source), target + ".new")
            os.rename(target + ".new", target)

    def flags(self, prefix=""):
        return ("--%stls-certificate-file" % prefix, self.certificate, "--%stls-key-file" % prefix, self.key)

    def start_tls(self, *flags, **options):
        return self.start(*self.flags(), *flags, tls=self.context, **options)

    def handshake(self, d, context=None):
        """An encrypted connection; the caller closes it."""
        return (context or self.context).wrap_socket(d.connect(), server_hostname="localhost")

    def certificate_name(self, d):
        with self.handshake(d) as s:
            return dict(pair for part in s.getpeercert()["subject"] for pair in part)["commonName"]

    def test_answers(self):
        d = self.start_tls()
        self.assertEqual(d.schemes[False], "https")
        with contextlib.closing(d.connection()) as connection:
            for i in range(20):  # on one connection, bodies larger than a record of TLS
                connection.request("POST", "/classify", png(200, 200, lambda x, y: (x * y + i) % 256))
                response = connection.getresponse()
                self.assertEqual(response.status, 200)
                self.assertIn(b'"predictions"', response.read())
        self.assertEqual(d.get("/healthz").status, 200)
        self.check_error(d.get("/nowhere"), 404, "not_found")
        d.wait_for(lambda: "client=127.0.0.1 " in d.log(), "log line")

    def test_answers_are_those_without(self):
        plain, tls = self.start("--inline-below-us", "0"), self.start_tls("--inline-below-us", "0")
        for value in (0, 77, 255):
            self.assertEqual(plain.post("/classify", png(value=value)).body,
                             tls.post("/classify", png(value=value)).body)

    def test_large_bodies_both_ways(self):
        d = self.start_tls()
        pixels = b'{"pixels":[' + b",".join([b"[" + b",".join([b"1"] * 784) + b"]"] * 200) + b"]}"
        reply = d.post("/classify", pixels)
        self.assertEqual(reply.status, 200)
        self.assertEqual(len(reply.json()["predictions"]), 200)

    def test_rsa(self):
        self.install("rsa")
        self.assertEqual(self.certificate_name(self.start_tls()), "rsa")

    def test_versions(self):
        d = self.start_tls()
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            context = self.authority.context()
            context.minimum_version = context.maximum_version = version
            with self.handshake(d, context) as s:
                self.assertEqual(s.version(), name)
        for version in ("-tls1", "-tls1_1"):
            self.assertIn("Cipher is (NONE)", self.offer(d, version, "DEFAULT@SECLEVEL=0"))

    def offer(self, d, version, ciphers):
        """What openssl says of a handshake with these."""
        return subprocess.run([OPENSSL, "s_client", "-connect", "127.0.0.1:%d" % d.port, version, "-cipher", ciphers],
                              stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE_S, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT).stdout

    def test_ciphers_of_tls_1_2(self):
        """Those with forward secrecy and authentication, no others."""
        self.install("rsa")
        d = self.start_tls()
        for cipher in ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"):
            self.assertIn("Cipher is " + cipher, self.offer(d, "-tls1_2", cipher))
        for cipher in ("AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "AES256-SHA"):
            self.assertIn("Cipher is (NONE)", self.offer(d, "-tls1_2", cipher + ":@SECLEVEL=0"), cipher)

    def test_who_does_not_trust_us_gets_nothing(self):
        d = self.start_tls()
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.handshake(d, ssl.create_default_context())
        self.assertEqual(d.get("/healthz").status, 200)

    @unittest.skipUnless(CURL, "there is no curl")
    def test_curl(self):
        d = self.start_tls()
        picture = os.path.join(self.models, ".p.png")
        with open(picture, "wb") as f:
            f.write(png())
        for more in ([], ["--tls-max", "1.2"], ["--http1.0"]):
            result = subprocess.run([CURL, "-sS", "--fail", "--cacert", self.authority.path("ca.crt"), "-T", picture,
                                     *more, "https://localhost:%d/classify" % d.port],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(b'"predictions"', result.stdout)

    def test_plain_http_is_closed(self):
        d = self.start_tls()
        begun = time.monotonic()
        answer = d.exchange(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertNotIn(b"HTTP/1.1 200", answer)
        self.assertLess(time.monotonic() - begun, PATIENCE_S / 4)  # not by a timeout
        for rubbish in (b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\0" * 100, b"\x16\x03\x01\0\5\1\0\0\1\0"):
            with d.connect() as s:
                with contextlib.suppress(OSError):
                    s.sendall(rubbish)
                    s.shutdown(socket.SHUT_WR)
                daemon.read_all(s)
        self.assertEqual(d.get("/healthz").status, 200)
        d.wait_for(lambda: d.metric('classifyd_requests_in_flight{listener="public"}') == 1, "end of all others")

    def test_slow_handshakes_hold_nobody(self):
        d = self.start_tls("--tls-handshake-timeout-s", "2", "--http-threads", "1", "--idle-timeout-s", "600")
        hello = self.client_hello()
        begun = time.monotonic()
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(d.connect()) for _ in range(50)]
            for i, s in enumerate(slow):
                s.sendall(hello[:i * 3])  # nothing at all, too
            for _ in range(5):
                self.assertEqual(d.post("/classify", png()).status, 200)
            while time.monotonic() - begun < 1:  # sending something all the while does not help
                with contextlib.suppress(OSError):
                    slow[1].sendall(hello[3:4])
                time.sleep(0.2)
            for s in slow:
                daemon.read_all(s)
        self.assertGreater(time.monotonic() - begun, 1.5)
        self.assertLess(time.monotonic() - begun, PATIENCE_S)
        self.assertEqual(d.get("/healthz").status, 200)

    def client_hello(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self.context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with contextlib.suppress(ssl.SSLWantReadError):
            session.do_handshake()
        return outgoing.read()

    def test_a_connection_outlives_the_handshake_timeout(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.context.minimum_version = ssl.TLSVersion.TLSv1_2
            self.context.maximum_version = version
            self.check_outlives()

    def check_outlives(self):
        d = self.start_tls("--tls-handshake-timeout-s", "1", "--idle-timeout-s", "600")
        with contextlib.closing(d.connection()) as connection, self.handshake(d) as silent:
            for _ in range(3):
                connection.request("GET", "/healthz")
                self.assertEqual(connection.getresponse().read(), b'{"status":"ok"}\n')
                time.sleep(0.9)
            silent.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            self.assertTrue(daemon.read_all(silent).startswith(b"HTTP/1.1 200 "))

    def test_a_slow_body_is_answered_408(self):
        d = self.start_tls("--body-timeout-s", "1")
        head = b"POST /classify HTTP/1.1\r\nHost: h\r\nX-Request-Id: slow%d\r\nContent-Length: 1000\r\n\r\n"
        for i, version in enumerate((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)):
            context = self.authority.context()
            context.minimum_version = context.maximum_version = version
            with self.handshake(d, context) as s:
                s.sendall(head % i)
                s.settimeout(0.1)
                reply, until = b"", time.monotonic() + PATIENCE_S
                while time.monotonic() < until:
                    try:
                        s.sendall(b"x")
                        part = s.recv(4096)  # b"": closed as TLS wants it
                        reply += part
                        if not part:
                            break
                    except socket.timeout:
                        continue
            self.assertTrue(reply.startswith(b"HTTP/1.1 408 "), reply)
            self.assertIn(b'"code":"request_timeout","request_id":"slow%d"' % i, reply)
        code = 'classifyd_requests_total{listener="public",route="classify",code="408"}'
        d.wait_for(lambda: d.metric(code) == 2, "408")
        d.wait_for(lambda: d.log().count("code=408") == 2, "log lines")

    def test_half_a_record_is_answered_408(self):
        d = self.start_tls("--body-timeout-s", "1")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with d.connect() as s:
            def run(step):
                while True:
                    try:
                        return step()
                    except ssl.SSLWantReadError:
                        s.sendall(outgoing.read())
                        incoming.write(s.recv(65536))
            run(tls.do_handshake)
            tls.write(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
            s.sendall(outgoing.read())
            tls.write(b"x" * 100)
            s.sendall(outgoing.read()[:50])
            self.assertTrue(run(lambda: tls.read(4096)).startswith(b"HTTP/1.1 408 "))
        self.assertEqual(d.get("/healthz").status, 200)

    def test_who_sends_and_never_reads_is_cut(self):
        d = self.start_tls("--body-timeout-s", "1", "--http-threads", "1")
        with self.handshake(d) as s:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n")
            with self.assertRaises(OSError):
                until = time.monotonic() + PATIENCE_S
                while time.monotonic() < until:
                    s.sendall(b"x" * 1000)
                    time.sleep(0.01)
        self.assertEqual(d.get("/healthz").status, 200)

    def test_many_at_once(self):
        d = self.start_tls("--inline-below-us", "0")
        failures = []

        def work():
            with contextlib.closing(d.connection()) as connection:
                for _ in range(10):
                    connection.request("POST", "/classify", png())
                    response = connection.getresponse()
                    response.read()
                    if response.status != 200:
                        failures.append(response.status)
        threads = [threading.Thread(target=work) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(failures, [])

    def test_reload_by_call(self):
        d = self.start_tls()
        self.assertEqual(self.certificate_name(d), "first")
        with contextlib.closing(d.connection()) as connection:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            self.install("second")
            reply = d.post("/reload", admin=True)
            self.assertEqual(reply.json()["files"],
                             [{"setting": "tls_certificate_file", "result": "loaded", "reason": ""}])
            self.assertEqual(self.certificate_name(d), "second")
            self.check_expiry(d, "second")
            connection.request("GET", "/healthz")  # what stands goes on
            self.assertEqual(connection.getresponse().status, 200)

    def check_expiry(self, d, name):
        text = subprocess.run([OPENSSL, "x509", "-noout", "-enddate", "-in", self.authority.path(name + ".crt")],
                              check=True, stdout=subprocess.PIPE, text=True).stdout
        ends = ssl.cert_time_to_seconds(text.strip().partition("=")[2])
        self.assertEqual(d.metric('classifyd_tls_certificate_expiry_timestamp_seconds{listener="public"}'), ends)

    def test_a_bad_pair_leaves_the_old(self):
        d = self.start_tls()
        cases = ((lambda: self.install("second", key="first"), "The certificate and the given key do not match"),
                 (lambda: self.write(self.key, "rubbish"), "wanted a certificate in PEM"),
                 (lambda: self.write(self.certificate, ""), "wanted a certificate in PEM"),
                 (lambda: os.unlink(self.key), "the key of that certificate"))
        for spoil, part in cases:
            self.install("first")
            spoil()
            reply = d.post("/reload", admin=True)
            self.check_error(reply, 422, "file_rejected", part)
            row = reply.json()["files"][0]
            self.assertEqual((row["setting"], row["result"]), ("tls_certificate_file", "rejected"))
            self.assertIn(part, row["reason"])
            self.assertEqual(self.certificate_name(d), "first")
        d.wait_for(lambda: re.search("level=error msg=file setting=tls_certificate_file", d.log()), "log line")

    def write(self, path, text):
        with open(path, "w") as f:
            f.write(text)

    def test_reload_by_itself_and_by_signal(self):
        d = self.start_tls()
        self.install("second")
        d.wait_for(lambda: self.certificate_name(d) == "second", "new certificate")
        self.install("first")
        d.signal(signal.SIGHUP)
        d.wait_for(lambda: self.certificate_name(d) == "first", "old certificate")

    def test_other_files_without_a_restart(self):
        config = os.path.join(self.models, ".config.json")

        def configure(name, key=None):
            path = self.authority.path
            with open(config, "w") as f:
                json.dump({"tls_certificate_file": path(name + ".crt"),
                           "tls_key_file": path((key or name) + ".key")} if name else {}, f)
        configure("first")
        d = self.start("--config", config, tls=self.context)
        expiry = 'classifyd_tls_certificate_expiry_timestamp_seconds{listener="public"}'
        before = d.metric(expiry)
        with contextlib.closing(d.connection()) as connection:
            connection.connect()
            configure("second")
            answer = d.post("/config/reload", admin=True).json()
            self.assertEqual([c["holds"] for c in answer["changes"]], ["live", "live"])
            self.assertEqual(self.certificate_name(d), "second")
            self.assertGreater(d.metric(expiry), before)
            connection.request("GET", "/healthz")  # who is connected stays
            self.assertEqual(connection.getresponse().status, 200)
        configure("first", key="second")
        self.check_error(d.post("/config/reload", admin=True), 422, "config_rejected", "do not match")
        self.assertEqual(self.certificate_name(d), "second")
        configure(None)  # not turned off by a reload
        answer = d.post("/config/reload", admin=True).json()
        self.assertEqual([c["holds"] for c in answer["changes"]], ["restart", "restart"])
        self.assertEqual(self.certificate_name(d), "second")

    def test_it_is_not_turned_on_by_a_reload(self):
        config = os.path.join(self.models, ".config.json")
        with open(config, "w") as f:
            f.write("{}")
        d = self.start("--config", config)
        with open(config, "w") as f:
            json.dump({"tls_certificate_file": self.certificate, "tls_key_file": self.key}, f)
        answer = d.post("/config/reload", admin=True).json()
        self.assertEqual((answer["restart_needed"], [c["holds"] for c in answer["changes"]]),
                         (True, ["restart", "restart"]))
        self.assertEqual(d.get("/healthz").status, 200)

    def test_reload_under_load(self):
        d = self.start_tls()
        failures, done = [], threading.Event()

        def work():
            while not done.is_set():
                try:
                    if d.get("/healthz").status != 200:
                        failures.append("status")
                except OSError as e:
                    failures.append(repr(e))
        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for i in range(20):
            self.install("second" if i % 2 else "first")
            self.assertEqual(d.post("/reload", admin=True).status, 200)
        done.set()
        for t in threads:
            t.join()
        self.assertEqual(failures, [])

    def test_admin(self):
        d = self.start(*self.flags("admin-"), tls=self.context)
        self.assertEqual((d.schemes[False], d.schemes[True]), ("http", "https"))
        self.assertEqual(d.get("/healthz").status, 200)
        self.assertEqual(d.get("/models", admin=True).status, 200)
        reply = d.post("/reload", admin=True)
        self.assertEqual(reply.json()["files"][0]["setting"], "admin_tls_certificate_file")

    def test_lame_duck_and_drain(self):
        d = self.start_tls("--lame-duck-ms", "3000", "--inline-below-us", "0")
        body = png()
        with self.handshake(d) as s:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:9])
            d.signal(signal.SIGTERM)
            d.wait_for(lambda: d.get("/readyz").status == 503, "503")
            self.check_error(d.get("/readyz"), 503, "shutting_down")
            reply = d.post("/classify", png())
            self.assertEqual((reply.status, reply.headers["Connection"].lower()), (200, "close"))
            time.sleep(3.2)  # the listener has drained but for this one
            self.assertIsNone(d.process.poll())
            s.sendall(body[9:])
            self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(d.end(), 0)

    def test_second_signal(self):
        d = daemon.Daemon(self.models, *self.flags(), "--lame-duck-ms", "60000", tls=self.context)
        with d.connect():  # amid its handshake
            d.signal(signal.SIGTERM)
            d.wait_for(lambda: d.get("/readyz").status == 503, "503")
            d.signal(signal.SIGTERM)
            self.assertEqual(d.end(), 128 + signal.SIGTERM)

    def test_healthcheck(self):
        d = self.start_tls()
        address = "127.0.0.1:%d" % d.port
        for target in ("https://" + address, "HTTPS://localhost:%d/healthz" % d.port):
            self.assertEqual(run("--healthcheck", target).returncode, 0)
        self.assertEqual(run("--healthcheck", "--listen", address, *self.flags()).returncode, 0)
        self.assertEqual(run("--healthcheck", address).returncode, 1)
        result = run("--healthcheck", "https://%s/nope" % address)
        self.assertEqual(result.returncode, 1)
        self.assertIn("404", result.stderr)
        plain = self.start()
        result = run("--healthcheck", "https://127.0.0.1:%d" % plain.port)
        self.assertEqual(result.returncode, 1)
        self.assertIn("no TLS handshake", result.stderr)

    def test_bad_settings(self):
        def refuse(part, *flags):
            result = run("--models", self.models, *flags)
            self.assertEqual(result.returncode, 1)
            self.assertIn(part, result.stderr)
        refuse("wanted both or none", "--tls-key-file", self.key)
        refuse("wanted both or none", "--admin-tls-certificate-file", self.certificate)
        refuse("wanted a Unix socket without TLS", "--admin", "unix:/nowhere/s", *self.flags("admin-"))
        refuse("No such file", "--tls-certificate-file", "/nowhere", "--tls-key-file", self.key)
        refuse("do not match", "--tls-certificate-file", self.certificate,
               "--tls-key-file", self.authority.path("second.key"))


if __name__ == "__main__":
    if not OPENSSL:
        print("skipped: there is no openssl to make certificates with")
        sys.exit(77)
    daemon.main()
