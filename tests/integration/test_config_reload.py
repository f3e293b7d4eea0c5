"""Settings that are read again without a restart: what holds at once, what waits, what a bad file does."""
import contextlib
import json
import os
import shutil
import signal
import tempfile
import threading
import time
import unittest

import daemon
import tiny_onnx
from daemon import png


class ConfigReload(daemon.TestCase):
    def setUp(self):
        super().setUp()
        handle, self.config = tempfile.mkstemp(suffix=".json")
        os.close(handle)
        self.addCleanup(os.unlink, self.config)
        self.write()

    def write(self, text=None, **settings):
        with open(self.config + ".tmp", "w") as f:
            f.write(json.dumps(settings) if text is None else text)
        os.replace(self.config + ".tmp", self.config)

    def begin(self, *flags):
        return self.start("--config", self.config, *flags)

    def reload(self, d):
        reply = d.post("/config/reload", admin=True)
        self.assertEqual(reply.status, 200, reply.body)
        answer = reply.json()
        self.assertEqual(answer["restart_needed"], any(c["holds"] == "restart" for c in answer["changes"]))
        return {c["setting"]: (c["from"], c["to"], c["holds"]) for c in answer["changes"]}

    def test_limits_hold_at_once(self):
        self.write_model()
        d = self.begin()
        self.assertEqual(self.reload(d), {})
        body = json.dumps({"pixels": [0] * 784})
        self.assertEqual(d.post("/classify", body).status, 200)
        self.write(max_json_values=100, max_image_pixels=100, max_pictures=3)
        self.assertEqual(self.reload(d), {"max_json_values": (1000000, 100, "live"),
                                          "max_image_pixels": (50000000, 100, "live"),
                                          "max_pictures": (256, 3, "live")})
        self.check_error(d.post("/classify", body), 413, "too_large")
        self.check_error(d.post("/classify", png()), 413, "too_large", "100")
        self.write(max_body_bytes=1024)
        self.reload(d)
        self.assertEqual(d.post("/classify", png()).status, 200)
        self.check_error(d.post("/classify", body), 413, "too_large", "1024")
        self.write()
        self.assertEqual(self.reload(d), {"max_body_bytes": (1024, 33554432, "live")})
        self.assertEqual(d.post("/classify", body).status, 200)

    def test_queue_holds_at_once(self):
        self.write_model()
        self.write_model("own", 1)
        with open(os.path.join(self.models, "own", "config.json"), "w") as f:
            json.dump({"batching": {"max_queue": 5}}, f)
        d = self.begin("--inline-below-us", "0")
        self.write(max_queue=2)
        self.assertEqual(self.reload(d), {"max_queue": (1024, 2, "live")})
        three = json.dumps({"pixels": [[0] * 784] * 3})
        self.check_error(d.post("/classify/tiny", three), 413, "too_large", "at most 2")
        self.assertEqual(d.post("/classify/own", three).status, 200)
        d.post("/reload", admin=True)
        self.check_error(d.post("/classify/tiny", three), 413, "too_large", "at most 2")

    def test_logs_explanations_and_the_default_model(self):
        self.write_model()
        self.write_model("other")
        d = self.begin()
        d.request("PUT", "/default_model", b'{"model":"tiny"}', admin=True)
        self.write(log_level="debug", explain="off", max_queue=7)
        self.assertEqual(set(self.reload(d)), {"log_level", "explain", "max_queue"})
        self.assertEqual(d.get("/log_level", admin=True).json()["level"], "debug")
        self.check_error(d.post("/explain/tiny", png()), 404, "not_found")
        self.assertEqual(d.post("/classify", png()).json()["model"], "tiny")  # the call's still holds
        self.write(default_model="other")
        self.reload(d)
        self.assertEqual(d.post("/classify", png()).json()["model"], "other")
        d.wait_for(lambda: "msg=\"setting changed\"" in d.log() and "setting=default_model" in d.log(), "log line")

    def test_the_form_of_the_log(self):
        self.write_model()
        d = self.begin()
        d.wait_for(lambda: "msg=listening" in d.log(), "line")
        self.write(log_format="json")
        self.assertEqual(self.reload(d), {"log_format": ("logfmt", "json", "live")})
        d.post("/classify", png(), headers={"X-Request-Id": "mine"})
        d.wait_for(lambda: '"id":"mine"' in d.log(), "line")
        line = next(line for line in d.log().splitlines() if '"id":"mine"' in line)
        self.assertEqual(json.loads(line)["code"], 200)

    def test_connections(self):
        self.write_model()
        d = self.begin("--admin", "unix:" + os.path.join(self.models, ".admin"))

        def count(n):
            """How many of n connections at once are answered."""
            with contextlib.ExitStack() as stack:
                answers = []
                for _ in range(n):
                    s = stack.enter_context(d.connect())
                    with contextlib.suppress(ConnectionError):
                        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                        answers.append(s.recv(4096).startswith(b"HTTP/1.1 200 "))
                return sum(answers)

        def settles(wanted):
            d.wait_for(lambda: count(20) == wanted, "%d connections" % wanted)  # the others may still be closing
        settles(20)
        self.write(max_connections=5)
        self.assertEqual(self.reload(d), {"max_connections": (4096, 5, "live")})
        settles(5)
        self.write(max_connections=10000)
        self.reload(d)
        settles(20)

    def test_idle_connections(self):
        """Those that stand go by the new value too, be it less or more."""
        self.write_model()
        self.write(idle_timeout_s=600)
        d = self.start("--config", self.config, idle_s=None)
        with d.connect() as early:
            time.sleep(1.2)
            self.write(idle_timeout_s=1)
            self.assertEqual(self.reload(d), {"idle_timeout_s": (600, 1, "live")})
            early.settimeout(daemon.PATIENCE_S)
            self.assertEqual(early.recv(1), b"")
        with d.connect() as later:
            later.settimeout(daemon.PATIENCE_S)
            self.assertEqual(later.recv(1), b"")
        self.write(idle_timeout_s=100)
        self.reload(d)
        with d.connect() as patient:
            time.sleep(2)
            patient.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertTrue(patient.recv(4096).startswith(b"HTTP/1.1 200 "))

    def test_models_folder(self):
        self.write_model()
        other = tempfile.mkdtemp(prefix="classifyd_test_")
        self.addCleanup(shutil.rmtree, other)
        tiny_onnx.write(other, "fresh", 1, tiny_onnx.model())
        self.write(models=self.models)
        d = daemon.Daemon(None, "--config", self.config)
        self.addCleanup(d.stop)
        self.write(models=other)
        self.assertEqual(self.reload(d), {"models": (self.models, other, "load")})
        self.assertEqual(d.post("/classify/tiny", png()).status, 200)
        self.check_error(d.post("/classify/fresh", png()), 404, "model_not_found")
        self.assertEqual(d.post("/reload", admin=True).status, 200)
        self.check_error(d.post("/classify/tiny", png()), 404, "model_not_found")
        self.assertEqual(d.post("/classify/fresh", png()).status, 200)
        self.write(models="/nowhere")
        self.check_error(d.post("/config/reload", admin=True), 422, "config_rejected", "/nowhere")
        self.write(models=self.models)
        d.signal(signal.SIGHUP)  # both at once
        d.wait_for(lambda: d.post("/classify/tiny", png()).status == 200, "first folder")

    def test_what_needs_a_restart_or_a_load(self):
        self.write_model(version=1)
        self.write_model(version=2)
        d = self.begin()
        self.write(threads=1, latest_versions=1, listen="127.0.0.1:1")
        self.assertEqual(self.reload(d), {"threads": (0, 1, "restart"), "latest_versions": (0, 1, "load")})
        self.assertEqual(d.post("/classify/tiny/1", png()).status, 200)
        self.assertEqual(self.reload(d), {"threads": (0, 1, "restart")})
        d.post("/reload", admin=True)
        self.check_error(d.post("/classify/tiny/1", png()), 404, "model_not_found")

    def test_a_bad_file_changes_nothing(self):
        self.write_model()
        d = self.begin()
        for text in ("{", '{"max_queue": 5, "nope": 1}', '{"max_queue": 5, "max_batch": 0}',
                     '{"max_queue": 5, "max_body_bytes": 1073741824}', '{"max_queue": 5, "admin": "0.0.0.0:1"}'):
            self.write(text)
            # A flag wins over the file: admin stays what it is.
            if "admin" in text:
                self.assertEqual(set(self.reload(d)), {"max_queue"})
            else:
                self.check_error(d.post("/config/reload", admin=True), 422, "config_rejected")
        self.check_error(d.post("/config/reload"), 404, "not_found")

    def test_sighup(self):
        self.write_model()
        d = self.begin()
        self.write(max_json_values=100)
        d.signal(signal.SIGHUP)
        body = json.dumps({"pixels": [0] * 784})
        d.wait_for(lambda: d.post("/classify", body).status == 413, "smaller limit")
        self.write("{")
        d.signal(signal.SIGHUP)
        d.wait_for(lambda: "settings not reloaded" in d.log(), "log line")
        self.assertEqual(d.post("/classify", body).status, 413)
        self.assertEqual(d.post("/classify", png()).status, 200)

    def test_no_request_notices(self):
        """Under load every answer is right, whatever the settings change to and fro."""
        self.write_model()
        d = self.begin()
        wanted = d.post("/classify", png()).json()
        stop, wrong = threading.Event(), []

        def work():
            while not stop.is_set():
                reply = d.post("/classify", png())
                if reply.status != 200 or reply.json() != wanted:
                    wrong.append(reply.body)
                    return
        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        before = None
        for i in range(100):
            self.write(max_queue=100 + i % 2, max_image_pixels=10000 + i % 3, log_level=("warn", "error")[i % 2])
            self.assertEqual(d.post("/config/reload", admin=True).status, 200)
            before = before or (d.resident_bytes() if i == 20 else None)
        after = d.resident_bytes()
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])
        if not daemon.is_sanitized():
            self.assertLess(after, before + 4e6)


if __name__ == "__main__":
    unittest.main()
