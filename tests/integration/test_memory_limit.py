# ctest: serial
"""memory_limit: what does not fit is refused at start and at load; a flood is refused, and nobody is killed."""
import base64
import contextlib
import json
import os
import shutil
import socket
import threading
import unittest

import control_group
import daemon

MIB = 1 << 20
LIMIT = 160 * MIB
SMALL = ("--explain", "off", "--max-connections", "200", "--max-body-bytes", str(4 * MIB), "--max-bodies-bytes",
         str(40 * MIB), "--max-image-pixels", "1000000", "--threads", "2", "--http-threads", "2", "--admin", "")


def post(path, body, content_type="application/json"):
    return (b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
            % (path.encode(), content_type.encode(), len(body))) + body


class MemoryLimit(daemon.TestCase):
    def test_settings_that_do_not_fit_are_refused(self):
        self.write_model()
        done = daemon.run("--models", self.models, "--memory-limit", "1G", "--listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 1)
        for part in ("the settings do not fit: at most ", "memory_limit is 1024.0 MiB", "for connections (max_connections",
                     "2048.0 for explanations (explain", "for requests (max_bodies_bytes)", "for decoding (max_image_pixels"):
            self.assertIn(part, done.stderr)
        for text in ("-1", "1.5G", "10X", "", "1GB", "99999999999999999999", "16777216T"):
            done = daemon.run("--models", self.models, "--memory-limit", text, "--listen", "127.0.0.1:0")
            self.assertEqual(done.returncode, 1, text)
            self.assertIn('memory_limit is "%s"; wanted bytes' % text, done.stderr)

    def write_large(self):
        """The folder of a model that says it has weights of 100 MiB."""
        folder = os.path.join(self.models, "large", "1")
        os.makedirs(folder)
        shutil.copy(os.path.join(self.models, "tiny", "1", "model.onnx"), folder)
        with open(os.path.join(folder, "weights.bin"), "wb") as f:
            f.truncate(100 * MIB)
        return folder

    def test_a_model_that_does_not_fit_is_refused(self):
        self.write_model()
        d = self.start(*SMALL[:-2], "--admin", "127.0.0.1:0", "--memory-limit", "220M")
        self.assertEqual(d.post("/classify/tiny", daemon.png()).status, 200)
        # The weights alone are more than what is left; the folder's size is looked at before anything is read.
        folder = self.write_large()
        reply = d.post("/reload", admin=True)
        self.assertEqual(reply.status, 422)
        self.assertIn("model 'large' does not fit: at most ", reply.json()["error"])
        self.assertIn("memory_limit is 220.0 MiB", reply.json()["error"])
        os.truncate(os.path.join(folder, "weights.bin"), 0)
        self.assertEqual(d.post("/reload", admin=True).status, 200)
        for _ in range(30):  # what is given up is given back
            self.assertEqual(d.post("/reload", admin=True).status, 200)
        self.assertEqual(d.post("/classify/large", daemon.png()).status, 200)

    def test_a_reload_of_settings_is_checked(self):
        self.write_model()
        path = os.path.join(self.models, ".config.json")

        def configure(n_bodies):
            with open(path, "w") as f:
                json.dump({"max_bodies_bytes": n_bodies * MIB}, f)
        configure(40)
        flags = [flag for flag in SMALL[:-2] if flag not in ("--max-bodies-bytes", str(40 * MIB))]
        d = self.start("--config", path, *flags, "--admin", "127.0.0.1:0", "--memory-limit", "220M")
        configure(100)
        reply = d.post("/config/reload", admin=True)
        self.check_error(reply, 422, "config_rejected", "the settings do not fit: at most ")
        configure(30)
        self.assertEqual(d.post("/config/reload", admin=True).status, 200)
        self.write_large()  # models are counted as before
        self.check_error(d.post("/models/large/reload", admin=True), 422, "model_rejected", "does not fit")

    def test_the_limit_itself_is_reloaded(self):
        self.write_model()
        path = os.path.join(self.models, ".config.json")

        def reload(limit):
            with open(path, "w") as f:
                json.dump({"memory_limit": limit}, f)
            return d.post("/config/reload", admin=True)
        with open(path, "w") as f:
            f.write("{}")
        d = self.start("--config", path, *SMALL[:-2], "--admin", "127.0.0.1:0")
        self.assertEqual(d.metric("classifyd_memory_limit_bytes "), 0)
        self.assertGreater(d.metric('classifyd_memory_planned_bytes{part="models"} '), 1000)
        self.check_error(reload("1M"), 422, "config_rejected", "the settings do not fit")
        self.check_error(reload("1X"), 422, "config_rejected", "memory_limit is")
        self.assertEqual(reload("220M").json()["changes"][0]["holds"], "live")
        self.assertEqual(d.metric("classifyd_memory_limit_bytes "), 220 * MIB)
        self.write_large()
        self.check_error(d.post("/models/large/reload", admin=True), 422, "model_rejected", "does not fit")
        self.assertEqual(reload("0").status, 200)
        self.assertEqual(d.post("/models/large/reload", admin=True).status, 200)
        self.assertGreater(d.metric('classifyd_memory_planned_bytes{part="models"} '), 100 * MIB)

    def test_what_is_planned_for_a_model_that_may_run_inline(self):
        """With sessions for that or without: nothing between, however near the setting is to what a run takes."""
        self.write_model(size=100)
        path = os.path.join(self.models, ".config.json")

        def planned(inline_below_us):
            with open(path, "w") as f:
                json.dump({"inline_below_us": inline_below_us}, f)
            self.assertEqual(d.post("/config/reload", admin=True).status, 200)
            self.assertEqual(d.post("/models/tiny/reload", admin=True).status, 200)
            return d.metric('classifyd_memory_planned_bytes{part="models"} ')
        with open(path, "w") as f:
            f.write("{}")
        d = self.start("--config", path, "--threads", "3", "--admin", "127.0.0.1:0")
        most, least, near_us = planned(1000000), planned(0), 50
        self.assertGreater(most, least)
        for _ in range(200):
            now = planned(near_us)
            self.assertIn(now, (least, most))
            near_us = max(near_us - 1, 1) if now == most else near_us + 1

    def test_a_flood_is_refused(self):
        if daemon.is_sanitized():
            raise unittest.SkipTest("a sanitizer takes memory of its own")
        group = control_group.make_memory(LIMIT)
        if not group:
            raise unittest.SkipTest("no control group can be made here")
        self.addCleanup(group.remove)
        self.write_model()
        d = self.start(*SMALL, "--memory-limit", str(LIMIT), before=group.command())
        statuses = self.flood(d)
        self.assertIsNone(d.process.poll(), "the daemon has ended")
        self.assertEqual(group.n_killed(), 0)
        self.assertIn(b"503", statuses)
        self.assertLessEqual(set(statuses), {b"200", b"400", b"503", b"504", b""})
        reply = d.post("/classify/tiny", daemon.png())
        self.assertEqual(reply.status, 200, reply.body)
        self.assertGreater(d.metric('classifyd_refused_requests_total{reason="bodies",model=""}'), 0)

    def flood(self, d):
        """Bodies that together are twice the limit, held back at their last byte, then all let go; three kinds."""
        numbers = json.dumps({"pixels": [0] * 999000}).replace(" ", "").encode()
        pictures = json.dumps({"images": [base64.b64encode(daemon.png()).decode()] * 256}).encode()
        pictures = pictures + b" " * (4 * MIB - 1024 - len(pictures))
        many = b"".join(b"--x\r\nContent-Disposition: form-data; name=a; filename=a.png\r\n\r\n" + daemon.png() + b"\r\n"
                        for _ in range(256)) + b"--x--\r\n"
        requests = [post("/classify/tiny", numbers), post("/classify/tiny", pictures),
                    post("/classify/tiny", many, "multipart/form-data; boundary=x"),
                    post("/v2/models/tiny/infer", b'{"inputs":[' + b" " * (4 * MIB - 4096) + b"]}")]
        statuses = []
        for _ in range(3):
            with contextlib.ExitStack() as stack:
                sockets = [stack.enter_context(d.connect()) for _ in range(160)]
                threads = [threading.Thread(target=self.send, args=(s, requests[i % 4][:-1]))
                           for i, s in enumerate(sockets)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                answers = [None] * len(sockets)
                threads = [threading.Thread(target=self.finish, args=(s, requests[i % 4][-1:], answers, i))
                           for i, s in enumerate(sockets)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            statuses += [answer[9:12] for answer in answers]
        return statuses

    def send(self, s, data):
        with contextlib.suppress(ConnectionError):
            s.sendall(data)

    def finish(self, s, data, answers, i):
        self.send(s, data)
        with contextlib.suppress(ConnectionError, socket.timeout):
            answers[i] = daemon.read_all(s)
        answers[i] = answers[i] or b""


if __name__ == "__main__":
    daemon.main()
