"""IPv6: listeners for it alone and for both, and what the log calls their clients."""
import contextlib
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import daemon
from daemon import PATIENCE_S, environment, png, run


def has_ipv6():
    with contextlib.suppress(OSError):
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        return True
    return False


class Ipv6(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()

    def start_at(self, listen, *flags):
        """The process, its public URL's host and port, its log file."""
        log = tempfile.TemporaryFile("a+b")
        self.addCleanup(log.close)
        process = subprocess.Popen([daemon.PROGRAM, "--models", self.models, "--listen", listen, *flags],
                                   env=environment(), stdout=subprocess.PIPE, stderr=log, text=True)

        def stop():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.stdout.close()
            self.assertEqual(process.wait(PATIENCE_S), 0)
        self.addCleanup(stop)
        line = process.stdout.readline()
        process.stdout.readline()  # a model serves
        found = re.match(r"listening on http://(\S+):(\d+) \(admin (\S+)\)", line)
        self.assertTrue(found, line)
        return process, found, log

    def classify(self, host, port):
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.request("POST", "/classify", png())
            response = connection.getresponse()
            body = response.read()
            self.assertEqual(response.status, 200, body)
            return json.loads(body)["predictions"]

    def check_log(self, process, log, wanted):
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        log.seek(0)
        clients = re.findall(r" client=(\S+) ", log.read().decode())
        self.assertEqual(sorted(clients), sorted(wanted))  # those of several threads in any order

    def test_loopback(self):
        process, found, log = self.start_at("[::1]:0", "--admin", "[::1]:0")
        self.assertEqual(found.group(1), "[::1]")
        port = int(found.group(2))
        self.classify("::1", port)
        with self.assertRaises(OSError):
            self.classify("127.0.0.1", port)
        self.assertTrue(found.group(3).startswith("http://[::1]:"))
        self.assertEqual(run("--healthcheck", found.group(3)).returncode, 0)
        self.assertEqual(run("--healthcheck", "[::1]:%d" % port).returncode, 0)
        self.check_log(process, log, ["::1"] * 3)

    def test_both(self):
        """[::] and no host at all take either kind, and name each as it names itself."""
        for listen in ("[::]:0", ":0"):
            process, found, log = self.start_at(listen, "--admin", "")
            self.assertEqual(found.group(1), "[::]")
            port = int(found.group(2))
            self.assertEqual(self.classify("::1", port), self.classify("127.0.0.1", port))
            self.assertEqual(run("--healthcheck", "[::]:%d" % port).returncode, 0)
            self.assertEqual(run("--healthcheck", ":%d" % port).returncode, 0)
            self.check_log(process, log, ["::1", "127.0.0.1", "::1", "127.0.0.1"])

    def test_admin_for_others_needs_a_token(self):
        for admin in ("[::]:0", ":0", "[2001:db8::1]:0"):
            result = run("--models", self.models, "--admin", admin)
            self.assertEqual(result.returncode, 1)
            self.assertIn("admin_token_file", result.stderr)

    def test_in_use(self):
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as s:
            result = run("--models", self.models, "--listen", "[::1]:%d" % s.getsockname()[1], "--admin", "")
        self.assertEqual(result.returncode, 1)
        self.assertIn("Address already in use", result.stderr)

    @unittest.skipUnless(shutil.which("curl"), "there is no curl")
    def test_curl(self):
        _, found, _ = self.start_at("[::1]:0", "--admin", "")
        result = subprocess.run(["curl", "-sS", "--fail", "-g", "http://[::1]:%s/readyz" % found.group(2)],
                                stdout=subprocess.PIPE, timeout=PATIENCE_S)
        self.assertEqual((result.returncode, result.stdout), (0, b'{"status":"ready"}\n'))


if __name__ == "__main__":
    if not has_ipv6():
        print("skipped: there is no ::1 here")
        sys.exit(77)
    daemon.main()
