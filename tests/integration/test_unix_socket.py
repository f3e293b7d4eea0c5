"""The admin listener on a Unix socket: who may, whose file it is, what becomes of one that was left behind."""
import contextlib
import http.client
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time

import daemon
from daemon import PROGRAM, environment, png, run


class UnixSocket(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()
        self.path = os.path.join(self.models, ".admin.sock")

    def start_unix(self, *flags, **options):
        return self.start("--admin", "unix:" + self.path, *flags, **options)

    def check_refused(self, part, *flags):
        result = run("--models", self.models, "--listen", "127.0.0.1:0", *(flags or ("--admin", "unix:" + self.path)))
        self.assertEqual(result.returncode, 1)
        self.assertIn(part, result.stderr)

    def test_admin(self):
        d = self.start_unix()
        self.assertEqual(d.admin_path, self.path)
        mode = os.lstat(self.path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.assertEqual(d.get("/models", admin=True).json()["models"][0]["name"], "tiny")
        self.assertEqual(d.post("/reload", admin=True).status, 200)
        self.check_error(d.post("/classify", png(), admin=True), 404, "not_found")
        self.assertEqual(d.get("/models").status, 200)
        d.stop()
        self.assertFalse(os.path.lexists(self.path))

    def test_many_requests_are_quick(self):
        """Over one connection, and without the options that only TCP has."""
        d = self.start_unix()
        connection = d.connection(admin=True)
        begun = time.monotonic()
        for _ in range(50):
            connection.request("GET", "/models")
            self.assertEqual(connection.getresponse().read()[:1], b"{")
        connection.close()
        self.assertLess(time.monotonic() - begun, 10)  # 0.2 s each would be delayed acknowledgements

    def test_the_log_names_the_process(self):
        d = self.start_unix()
        d.get("/models", admin=True)
        d.wait_for(lambda: re.search("client=unix:uid:%d:pid:%d " % (os.getuid(), os.getpid()), d.log()), "log line")

    def test_token(self):
        with open(os.path.join(self.models, ".token"), "w") as f:
            f.write("s3cret\n")
        d = self.start_unix("--admin-token-file", f.name)
        self.check_error(d.get("/models", admin=True), 401, "unauthorized")
        self.assertEqual(d.get("/models", headers={"Authorization": "Bearer s3cret"}, admin=True).status, 200)
        self.assertEqual(d.get("/readyz", admin=True).status, 200)

    def test_healthcheck(self):
        d = self.start_unix()
        self.assertEqual(run("--healthcheck", "unix:" + self.path).returncode, 0)
        d.stop()
        result = run("--healthcheck", "unix:" + self.path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No such file", result.stderr)

    def test_what_was_left_behind_is_replaced(self):
        d = daemon.Daemon(self.models, "--admin", "unix:" + self.path)
        d.process.kill()
        d.end()
        self.assertTrue(os.path.lexists(self.path))
        result = run("--healthcheck", "unix:" + self.path)
        self.assertIn("Connection refused", result.stderr)
        d = self.start_unix()
        self.assertEqual(d.get("/models", admin=True).status, 200)

    def test_one_that_answers_is_not(self):
        d = self.start_unix()
        self.check_refused("cannot listen on unix:%s: another process answers there" % self.path)
        self.assertEqual(d.get("/models", admin=True).status, 200)

    def keep_busy(self, stack):
        """Somebody listens, and takes nobody any more."""
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(self.path)
        listener.listen(0)
        with self.assertRaises(BlockingIOError):
            while True:
                waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)
                waiting.connect(self.path)

    def test_nor_one_that_has_no_time_to_answer(self):
        with contextlib.ExitStack() as stack:
            self.keep_busy(stack)
            self.check_refused("another process answers there")
            result = run("--healthcheck", "unix:" + self.path)
            self.assertEqual(result.returncode, 1)
            self.assertIn("Resource temporarily unavailable", result.stderr)

    def test_a_start_that_fails_answers_what_it_took(self):
        """The public listener is there a second before the admin's address turns out to be taken."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        replies = []

        def ask():
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=daemon.PATIENCE_S)
                with contextlib.closing(connection):
                    connection.request("POST", "/classify", png())
                    replies.append(connection.getresponse().status)
        with contextlib.ExitStack() as stack:
            self.keep_busy(stack)
            process = subprocess.Popen(
                [PROGRAM, "--models", self.models, "--listen", "127.0.0.1:%d" % port, "--admin", "unix:" + self.path,
                 "--max-delay-us", "700000", "--inline-below-us", "0"], env=environment(), text=True,
                stderr=subprocess.PIPE)
            threads = []
            while process.poll() is None:
                threads.append(threading.Thread(target=ask))
                threads[-1].start()
                time.sleep(0.1)  # some wait for their batch to fill when it comes out
            for thread in threads:
                thread.join()
            errors = process.communicate()[1]
        self.assertEqual(process.returncode, 1, errors)
        self.assertIn("another process answers there", errors)
        self.assertIn(200, replies)

    def test_nor_a_file(self):
        with open(self.path, "w") as f:
            f.write("precious")
        self.check_refused("there is a file that is no socket")
        os.unlink(self.path)
        os.symlink("/dev/null", self.path)
        self.check_refused("there is a file that is no socket")
        self.assertTrue(os.path.islink(self.path))

    def test_another_daemons_file_is_not_removed(self):
        d = self.start_unix()
        os.unlink(self.path)
        other = self.start_unix()
        d.stop()
        self.assertEqual(other.get("/models", admin=True).status, 200)

    def test_of_several_at_once_one_wins(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(self.path)  # left behind: nobody listens
        flags = ("--models", self.models, "--listen", "127.0.0.1:0", "--admin", "unix:" + self.path,
                 "--lame-duck-ms", "0")
        processes = [subprocess.Popen([PROGRAM, *flags], env=environment(), text=True, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE) for _ in range(6)]
        lines = [p.stdout.readline() for p in processes]
        winners = [p for p, line in zip(processes, lines) if "unix:" + self.path in line]
        self.assertEqual(len(winners), 1, lines)
        self.assertEqual(run("--healthcheck", "unix:" + self.path).returncode, 0)
        for p in winners:
            p.send_signal(signal.SIGINT)
        errors = [p.communicate(timeout=daemon.PATIENCE_S)[1] for p in processes]
        self.assertEqual(sorted(p.returncode for p in processes), [0] + 5 * [1], errors)
        self.assertEqual(sum("another process answers there" in e for e in errors), 5, errors)

    def test_bad_addresses(self):
        for address in ("unix:", "unix:relative", "unix:/folder/", "unix:/" + 107 * "x"):
            self.check_refused("is no Unix socket", "--admin", address)
        self.check_refused("a Unix socket is for admin", "--listen", "unix:" + self.path)
        self.check_refused("No such file or directory", "--admin", "unix:/nowhere/socket")

    def test_lame_duck(self):
        d = self.start_unix("--lame-duck-ms", "3000")
        d.signal(signal.SIGTERM)
        d.wait_for(lambda: d.get("/readyz", admin=True).status == 503, "503")
        self.assertEqual(d.get("/models", admin=True).status, 200)
        self.assertEqual(d.post("/classify", png()).status, 200)
        self.assertEqual(d.end(), 0)
        self.assertFalse(os.path.lexists(self.path))

    def test_second_signal(self):
        d = daemon.Daemon(self.models, "--admin", "unix:" + self.path, "--lame-duck-ms", "60000")
        d.signal(signal.SIGTERM)
        d.wait_for(lambda: d.get("/readyz", admin=True).status == 503, "503")
        d.signal(signal.SIGTERM)
        self.assertEqual(d.end(), 128 + signal.SIGTERM)
        self.start_unix()  # takes what was left behind

    def test_many_connections(self):
        d = self.start_unix()
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(d.get("/models", admin=True).status))
                   for _ in range(50)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(statuses, 50 * [200])


if __name__ == "__main__":
    daemon.main()
