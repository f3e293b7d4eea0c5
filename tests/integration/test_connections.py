"""Connections are dealt out to the threads in turn, and refused beyond their limit."""
import contextlib
import glob
import http.client
import select

import daemon


class Connections(daemon.TestCase):
    def wake_ups(self, d):
        """How often each thread that serves the public listener has slept, by thread."""
        counts = {}
        for task in glob.glob("/proc/%d/task/*" % d.process.pid):
            with open(task + "/comm") as f:
                if f.read().strip() != "MHD-worker":
                    continue
            with open(task + "/status") as f:
                counts[task] = sum(int(line.split()[1]) for line in f if line.startswith("voluntary_ctxt"))
        return counts

    def test_every_thread_gets_its_share(self):
        d = self.start("--http-threads", "4", "--admin", "")
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(contextlib.closing(http.client.HTTPConnection("127.0.0.1", d.port)))
                           for _ in range(8)]
            for connection in connections:
                connection.connect()
            d.wait_for(lambda: len(self.wake_ups(d)) == 4, "the threads to have their names")
            before = self.wake_ups(d)
            for _ in range(20):
                for connection in connections:
                    connection.request("GET", "/healthz")
                    self.assertEqual(connection.getresponse().read(), b'{"status":"ok"}\n')
            after = self.wake_ups(d)
        self.assertEqual(len(after), 4)
        for task in after:
            self.assertGreaterEqual(after[task] - before[task], 20, "a thread served too few of 40 requests")

    def test_those_beyond_the_limit_are_closed(self):
        d = self.start("--max-connections", "4", "--http-threads", "2", "--idle-timeout-s", "3600")
        for _ in range(5):
            with contextlib.ExitStack() as stack:
                burst = [stack.enter_context(d.connect()) for _ in range(40)]
                d.wait_for(lambda: self.n_closed(burst) >= 36, "refusal of all but 4")
            d.wait_for(lambda: self.serves(d), "room after the others have gone")

    def n_closed(self, sockets):
        """The server sends nothing by itself: a socket that can be read has been closed."""
        return len(select.select(sockets, [], [], 0)[0])

    def serves(self, d):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return d.get("/healthz").status == 200
        return False


if __name__ == "__main__":
    daemon.main()
