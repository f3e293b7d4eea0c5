"""How many threads run: as many as the affinity and the control group's quota give, and no more under load."""
import glob
import os
import threading
import unittest

import control_group
import daemon


class Threads(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()
        self.cpus = sorted(os.sched_getaffinity(0))

    def names(self, d):
        """The threads' names, sorted."""
        found = []
        for path in glob.glob("/proc/%d/task/*/comm" % d.process.pid):
            with open(path) as f:
                found.append(f.read().strip())
        return sorted(found)

    def n_http(self, d):
        return sum(name.startswith("MHD-worker") or name == "MHD-single" for name in self.names(d))

    def count(self, *flags, **options):
        """All threads of an idle daemon without an admin listener, and those of them that serve connections."""
        d = self.start("--admin", "", *flags, **options)
        d.wait_for(lambda: self.n_http(d) > 0, "the threads to have their names")
        return len(self.names(d)), self.n_http(d)

    def on_cpus(self, n):
        return ["/usr/bin/taskset", "-c", ",".join(map(str, self.cpus[:n]))]

    def test_affinity_and_flags(self):
        """What there is besides compute and http threads does not depend on either."""
        n_one, n_http = self.count("--http-threads", "1", before=self.on_cpus(1))
        self.assertEqual(n_http, 1)
        for n in (3, 7):
            self.assertEqual(self.count("--http-threads", "1", "--threads", str(n), before=self.on_cpus(1)),
                             (n_one + n - 1, 1))
        self.assertEqual(self.count(before=self.on_cpus(1)), (n_one, 1))
        n_all, n_http_all = self.count("--http-threads", "1")
        self.assertEqual((n_all, n_http_all), (n_one + len(self.cpus) - 1, 1))

    def test_http_threads_follow_the_cpus(self):
        n_one, _ = self.count("--http-threads", "1", "--threads", "1")
        for n in range(2, len(self.cpus) + 1):
            # libmicrohttpd has a thread more that only waits when it has several that work.
            n_all, n_http = self.count("--threads", "1", before=self.on_cpus(n))
            self.assertEqual(n_http, n)
            self.assertLessEqual(n_all, n_one + n)

    def test_quota(self):
        if len(self.cpus) < 2:
            raise unittest.SkipTest("there is one CPU only")
        n_one, _ = self.count("--http-threads", "1", "--threads", "1")
        for quota_us, n_wanted in ((50000, 1), (100000, 1), (150000, 2)):
            group = control_group.make_cpu(quota_us)
            if not group:
                raise unittest.SkipTest("no control group can be made here")
            self.addCleanup(group.remove)
            d = self.start("--admin", "", "--http-threads", "1", before=group.command())
            d.wait_for(lambda: self.n_http(d) > 0, "the threads to have their names")
            self.assertEqual(len(self.names(d)), n_one + n_wanted - 1, "a quota of %d us" % quota_us)
            d.stop()
            group.remove()  # the next one has its name

    def test_load_starts_none(self):
        """Neither requests, nor models that are loaded, nor connections bring threads of their own."""
        for version in range(2, 6):
            self.write_model(version=version)
        d = self.start("--inline-below-us", "0")
        d.wait_for(lambda: self.n_http(d) > 0, "the threads to have their names")
        before, during = len(self.names(d)), set()
        picture = daemon.png(600, 600)

        def ask():
            for _ in range(5):
                self.assertEqual(d.post("/classify/tiny", picture).status, 200)
        threads = [threading.Thread(target=ask) for _ in range(24)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            during.add(len(self.names(d)))
        self.assertEqual(during, {before})


if __name__ == "__main__":
    daemon.main()
