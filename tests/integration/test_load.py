"""Under load: deadlines, priorities, delays, refusals that say when to come again."""
import hashlib
import json
import threading
import time

import daemon

PICTURE = daemon.png()


class Load(daemon.TestCase):
    def slow(self, n=192):
        """A request of many pictures, decoded from PNGs: it keeps a worker busy."""
        boundary = "xx"
        body = b"".join(b"--xx\r\nContent-Disposition: form-data; name=\"a\"; filename=\"%d.png\"\r\n\r\n" % i
                        + PICTURE + b"\r\n" for i in range(n)) + b"--xx--\r\n"
        return body, {"Content-Type": "multipart/form-data; boundary=" + boundary}

    def flood(self, d, n_threads, until, headers=None):
        """Requests from many connections until the event; the replies."""
        body, form = self.slow()
        replies, lock = [], threading.Lock()

        def run():
            while not until.is_set():
                reply = d.post("/classify/tiny", body, headers={**form, **(headers or {})})
                with lock:
                    replies.append(reply)
        threads = [threading.Thread(target=run) for _ in range(n_threads)]
        for thread in threads:
            thread.start()
        return threads, replies

    def test_headers_are_checked(self):
        self.write_model()
        d = self.start()
        for name, value, wanted in [("X-Request-Deadline-Ms", "0", "1 to 3600000"),
                                    ("X-Request-Deadline-Ms", "1.5", "1 to 3600000"),
                                    ("X-Request-Deadline-Ms", "99999999999999999999", "1 to 3600000"),
                                    ("X-Request-Deadline-Ms", "", "1 to 3600000"),
                                    ("X-Request-Priority", "11", "1 to 10"),
                                    ("X-Request-Priority", "-1", "1 to 10")]:
            reply = d.post("/classify/tiny", PICTURE, headers={name: value})
            self.check_error(reply, 400, "invalid_request", '%s is "%s"; wanted %s' % (name, value[:40], wanted))
        reply = d.post("/classify/tiny", PICTURE, headers={"X-Request-Deadline-Ms": "60000", "X-Request-Priority": "1"})
        self.assertEqual(reply.status, 200, reply.body)
        reply = d.post("/explain/tiny", PICTURE, headers={"X-Request-Deadline-Ms": "soon"})
        self.check_error(reply, 400, "invalid_request", "X-Request-Deadline-Ms")

    def test_a_passed_deadline_is_504(self):
        self.write_model()
        d = self.start("--threads", "1", "--inline-below-us", "0")
        until = threading.Event()
        threads, _ = self.flood(d, 6, until)
        codes = set()
        try:
            give_up = time.monotonic() + daemon.PATIENCE_S
            while 504 not in codes and time.monotonic() < give_up:
                reply = d.post("/classify/tiny", PICTURE, headers={"X-Request-Deadline-Ms": "1", "X-Request-Priority": "1"})
                codes.add(reply.status)
                if reply.status == 504:
                    error = self.check_error(reply, 504, "deadline_exceeded", "the deadline passed")
                    self.assertIn("; it was wanted within 1 ms", error["error"])
        finally:
            until.set()
            for thread in threads:
                thread.join()
        self.assertIn(504, codes)
        self.assertGreater(d.metric('classifyd_refused_requests_total{reason="deadline_exceeded",model="tiny"}'), 0)

    def test_what_cannot_be_met_is_refused_at_once(self):
        self.write_model()
        d = self.start("--threads", "1", "--inline-below-us", "0")
        until = threading.Event()
        threads, replies = self.flood(d, 5, until)  # together less than max_queue
        refused = None
        try:
            give_up = time.monotonic() + daemon.PATIENCE_S
            while not refused and time.monotonic() < give_up:
                reply = d.post("/classify/tiny", PICTURE, headers={"X-Request-Deadline-Ms": "2", "X-Request-Priority": "10"})
                if reply.status == 503:
                    refused = reply
        finally:
            until.set()
            for thread in threads:
                thread.join()
        self.assertIsNotNone(refused)
        self.check_error(refused, 503, "overloaded", "cannot answer before the deadline")
        self.assertGreaterEqual(int(refused.headers["Retry-After"]), 1)
        self.assertGreater(d.metric('classifyd_refused_requests_total{reason="overloaded",model="tiny"}'), 0)
        self.assertTrue(all(reply.status == 200 for reply in replies))

    def test_a_full_queue_says_when_to_come_again(self):
        self.write_model()
        d = self.start("--threads", "1", "--inline-below-us", "0", "--max-queue", "256")
        until = threading.Event()
        threads, replies = self.flood(d, 8, until)
        try:
            d.wait_for(lambda: any(reply.status == 503 for reply in list(replies)), "a refusal")
        finally:
            until.set()
            for thread in threads:
                thread.join()
        for reply in replies:
            if reply.status == 200:
                continue
            self.check_error(reply, 503, "queue_full", "of at most 256 pictures wait")
            self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
        self.assertGreater(d.metric('classifyd_refused_requests_total{reason="queue_full",model="tiny"}'), 0)

    def test_a_delay_fills_batches(self):
        """Lone pictures of four connections come together, though a worker is idle."""
        self.write_model()
        with open("%s/tiny/config.json" % self.models, "w") as f:
            json.dump({"batching": {"max_delay_us": 1000000, "max_batch": 4, "max_queue": 64}}, f)
        d = self.start()
        start = time.monotonic()
        self.assertEqual(d.post("/classify/tiny", PICTURE).status, 200)
        self.assertGreater(time.monotonic() - start, 0.9)  # alone it waits for as long as the delay says
        start = time.monotonic()
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(d.post("/classify/tiny", PICTURE))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([reply.status for reply in replies], [200] * 4)
        self.assertEqual(d.metric('classifyd_batch_size_sum{model="tiny",version="1"}'), 5)
        self.assertEqual(d.metric('classifyd_batch_size_count{model="tiny",version="1"}'), 2)

    def test_config_is_checked(self):
        self.write_model()
        for batching, part in [({"max_batch": 0}, "max_batch is 0"), ({"max_delay_us": -1}, "max_delay_us is -1"),
                               ({"default_priority": 11}, "default_priority is 11"), ({"delay": 1}, "delay"),
                               (5, "batching is 5")]:
            with open("%s/tiny/config.json" % self.models, "w") as f:
                json.dump({"batching": batching}, f)
            done = daemon.run("--check", "--models", self.models)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(part, done.stdout)

    def test_a_client_has_a_limit(self):
        self.write_model()
        d = self.start("--rate-limit-per-s", "1", "--rate-limit-burst", "3")
        start = time.monotonic()
        replies = [d.post("/classify/tiny", PICTURE) for _ in range(30)]
        refused = [r for r in replies if r.status == 429]
        self.assertLessEqual(len(replies) - len(refused), 3 + 1 + time.monotonic() - start)
        self.assertEqual([r.status for r in replies[:3]], [200] * 3)
        self.assertGreater(len(refused), 0)
        for reply in refused:
            self.check_error(reply, 429, "too_many_requests", "this address sends more than 1 requests a second")
            self.assertEqual(reply.headers["Retry-After"], "1")
        self.assertIn(429, [d.post("/no/such/route").status for _ in range(5)])
        for path in ("/healthz", "/readyz", "/metrics", "/models", "/v2/health/ready"):
            self.assertEqual([d.get(path).status for _ in range(10)], [200] * 10)
        self.assertEqual(d.get("/models", admin=True).status, 200)
        self.assertGreaterEqual(d.metric('classifyd_refused_requests_total{reason="rate_limit",model=""}'), len(refused))
        # From another address it goes on.
        with d.connect_from("127.0.0.2") as s:
            s.sendall(b"POST /classify/tiny HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
                      % len(PICTURE) + PICTURE)
            self.assertIn(b"200 OK", daemon.read_all(s).split(b"\r\n")[0])

    def test_a_key_has_a_limit_of_its_own(self):
        self.write_model()
        keys = self.models + "/.keys"
        with open(keys, "w") as f:
            for name in ("alice", "bob"):
                f.write("%s:%s\n" % (name, hashlib.sha256(name.encode()).hexdigest()))
        d = self.start("--rate-limit-per-s", "1", "--rate-limit-burst", "2", "--api-keys-file", keys)

        def ask(key):
            return d.post("/classify/tiny", PICTURE, headers={"X-API-Key": key})
        replies = [ask("alice") for _ in range(20)]
        self.assertEqual(replies[0].status, 200, replies[0].body)
        refused = [r for r in replies if r.status == 429]
        self.check_error(refused[0], 429, "too_many_requests", "the API key's owner")
        self.assertEqual(ask("bob").status, 200)
        # Guessing keys is limited by address.
        self.assertIn(429, [ask("guess%d" % i).status for i in range(10)])


if __name__ == "__main__":
    daemon.main()
