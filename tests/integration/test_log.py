"""The log: its level, changed by a call; the line of a request; traces that go on."""
import base64
import json
import re
import socket
import unittest

import daemon
from daemon import png


class Level(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()

    def put(self, body, **more):
        return self.d.request("PUT", "/log_level", body, admin=True, **more)

    def test_it_is_changed_by_a_call(self):
        self.d = self.start("--log-level", "warn")
        self.assertEqual(self.d.get("/log_level", admin=True).json(), {"level": "warn"})
        self.d.get("/healthz")
        reply = self.put('{"level": "info"}', headers={"X-Request-Id": "who-did-it"})
        self.assertEqual((reply.status, reply.json()), (200, {"level": "info"}))
        self.assertEqual(self.d.get("/log_level", admin=True).json(), {"level": "info"})
        self.d.get("/readyz")
        self.d.wait_for(lambda: "path=/readyz" in self.d.log(), "line of the new level")
        self.assertNotIn("path=/healthz", self.d.log())
        self.assertIn('level=warn msg="log level changed" from=warn to=info id=who-did-it', self.d.log())
        self.put('{"level":"error"}')
        self.d.get("/models")
        self.d.stop()
        self.assertNotIn("path=/models", self.d.log())

    def test_bad_bodies_change_nothing(self):
        self.d = self.start()
        for body, part in (("", "wanted"), ("[]", "wanted"), ("{}", "there is no level"), ("{", ""),
                           ('{"level": 3}', "level"), ('{"level": "loud"}', 'no level "loud"'),
                           ('{"level": "debug", "level": "info"}', "one member too many"),
                           ('{"levels": "info"}', "one member too many"), ('{"level":"info"} x', ""),
                           ('{"level": "%s"}' % ("x" * 99), "")):
            self.check_error(self.put(body), 400, "invalid_request", part)
        self.assertEqual(self.d.get("/log_level", admin=True).json(), {"level": "info"})

    def test_it_is_on_the_admin_listener_only(self):
        self.d = self.start()
        self.check_error(self.d.get("/log_level"), 404, "not_found")
        reply = self.d.post("/log_level", b"{}", admin=True)
        self.check_error(reply, 405, "method_not_allowed")
        self.assertEqual(reply.headers["Allow"], "GET, HEAD, PUT")


TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


class LogCase(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()

    def lines(self, d, path, n=1):
        """The lines of requests for a path, once there are n."""
        def found():
            lines = [json.loads(line) for line in d.log().splitlines() if line.startswith("{")]
            return [line for line in lines if line["msg"] == "request" and line["path"] == path]
        d.wait_for(lambda: len(found()) >= n, "%d lines of %s" % (n, path))
        return found()


class Lines(LogCase):
    def test_a_request_to_a_model(self):
        d = self.start("--log-format", "json")
        picture = png()
        reply = d.post("/classify/tiny", picture, headers={"X-Request-Id": "mine"})
        line = self.lines(d, "/classify/tiny")[0]
        self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        wanted = {"level": "info", "id": "mine", "client": "127.0.0.1", "listener": "public", "method": "POST",
                  "route": "classify", "code": 200, "bytes_in": len(picture), "bytes_out": len(reply.body),
                  "model": "tiny", "version": "1", "digest": reply.json()["digest"], "pictures": 1}
        self.assertEqual({key: line[key] for key in wanted}, wanted)
        phases = [line[name + "_us"] for name in ("read", "parse", "decode", "queue", "compute", "encode", "send")]
        self.assertTrue(all(phase >= 0 for phase in phases), line)
        self.assertLessEqual(sum(phases), line["total_us"])
        self.assertNotIn("trace_id", line)
        self.assertNotIn("sample", line)
        self.assertNotIn("error", line)

    def test_every_dialect_is_logged_and_counted_alike(self):
        d = self.start("--log-format", "json")
        b64 = base64.b64encode(png()).decode()
        digest = d.post("/classify/tiny", png()).json()["digest"]
        asked = [("/classify/tiny", png(), {}),
                 ("/predictions/tiny", png(), {}),
                 ("/v1/models/tiny:predict", json.dumps({"instances": [{"b64": b64}]}), {}),
                 ("/v2/models/tiny/infer", png(), {"Inference-Header-Content-Length": "0"})]
        for path, body, headers in asked:
            reply = d.post(path, body, headers=headers)
            self.assertEqual(reply.status, 200, reply.body)
            line = self.lines(d, path, 2 if path == "/classify/tiny" else 1)[-1]
            self.assertEqual((line["model"], line["version"], line["digest"], line["pictures"]),
                             ("tiny", "1", digest, 1))
            self.assertIn("compute_us", line)
        series = '{model="tiny",version="1"}'
        for name in ("inference", "encode", "queue", "decode", "compute"):
            self.assertEqual(d.metric("classifyd_%s_duration_seconds_count%s" % (name, series)), 5, name)

    def test_a_slow_body_is_seen_in_its_phase(self):
        d = self.start("--log-format", "json")
        picture = png()
        with d.connect() as s:
            s.sendall(b"POST /classify/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(picture))
            s.settimeout(0.2)
            with self.assertRaises(socket.timeout):
                s.recv(1)
            s.settimeout(daemon.PATIENCE_S)
            s.sendall(picture)
            self.assertIn(b"200 OK", s.recv(4096))
        line = self.lines(d, "/classify/tiny")[0]
        self.assertGreaterEqual(line["read_us"], 150000)
        self.assertLess(line["total_us"] - line["read_us"], line["total_us"])

    def test_failures_say_their_code(self):
        d = self.start("--log-format", "json")
        d.post("/classify/tiny", b"no picture")
        d.post("/classify/nobody", png())
        d.get("/nowhere")
        self.assertEqual([self.lines(d, path)[0]["error"]
                          for path in ("/classify/tiny", "/classify/nobody", "/nowhere")],
                         ["unsupported_media_type", "model_not_found", "not_found"])
        line = self.lines(d, "/classify/tiny")[0]
        self.assertEqual((line["code"], line["model"], line["route"]), (415, "tiny", "classify"))
        self.assertNotIn("compute_us", line)

    def test_successes_are_sampled_failures_are_not(self):
        d = self.start("--log-format", "json", "--access-log-sample", "4", "--http-threads", "1")
        for _ in range(10):
            d.get("/healthz")
        for _ in range(5):
            d.get("/nowhere")
        self.assertEqual(len(self.lines(d, "/nowhere", 5)), 5)
        n_ready = int(d.metric('classifyd_requests_total{listener="public",route="readyz",code="200"}'))
        d.stop()
        sampled = [line for path in ("/healthz", "/readyz", "/metrics")
                   for line in map(json.loads, d.log().splitlines())
                   if line.get("path") == path and line["code"] == 200]
        self.assertEqual(len(sampled), (10 + n_ready + 1 + 3) // 4)
        self.assertTrue(all(line["sample"] == 4 for line in sampled))

    def test_it_can_be_off(self):
        d = self.start("--access-log", "off")
        d.post("/classify/tiny", png())
        d.stop()
        self.assertNotIn("msg=request", d.log())


class Traces(LogCase):
    def trace(self, d, *parents):
        """The answer's traceparent, and the line."""
        d.count = getattr(d, "count", 0) + 1
        path = "/t%d" % d.count
        head = "".join("traceparent: %s\r\n" % p for p in parents)
        reply = d.exchange(("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n" % (path, head)).encode())
        found = re.search(rb"\r\ntraceparent: (.*?)\r\n", reply, re.IGNORECASE)
        return found and found.group(1).decode(), self.lines(d, path)[0]

    def test_a_trace_goes_on(self):
        d = self.start("--log-format", "json")
        spans = set()
        for flags in ("01", "00"):
            header, line = self.trace(d, "00-%s-%s-%s" % (TRACE, SPAN, flags))
            self.assertRegex(header, "^00-%s-[0-9a-f]{16}-%s$" % (TRACE, flags))
            self.assertEqual((line["trace_id"], line["parent_id"]), (TRACE, SPAN))
            self.assertEqual(line["span_id"], header[36:52])
            spans |= {line["span_id"], SPAN}
        self.assertEqual(len(spans), 3)

    def test_none_begins_by_itself(self):
        d = self.start("--log-format", "json")
        good = "00-%s-%s-01" % (TRACE, SPAN)
        for parents in ((), ("nonsense",), (good + "1",), (good.replace(SPAN, "0" * 16),), (good, good)):
            header, line = self.trace(d, *parents)
            self.assertIsNone(header, parents)
            self.assertNotIn("trace_id", line)

    def test_one_begins_where_it_is_asked_for(self):
        d = self.start("--log-format", "json", "--trace-context", "create")
        ids = set()
        for parents in ((), ("nonsense",)):
            header, line = self.trace(d, *parents)
            self.assertRegex(header, "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$")
            self.assertEqual((line["trace_id"], line["span_id"]), (header[3:35], header[36:52]))
            self.assertNotIn("parent_id", line)
            ids |= {line["trace_id"], line["span_id"]}
        self.assertEqual(len(ids), 4)
        header, line = self.trace(d, "00-%s-%s-01" % (TRACE, SPAN))
        self.assertEqual(line["trace_id"], TRACE)

    def test_off_is_off(self):
        d = self.start("--log-format", "json", "--trace-context", "off")
        header, line = self.trace(d, "00-%s-%s-01" % (TRACE, SPAN))
        self.assertIsNone(header)
        self.assertNotIn("trace_id", line)


if __name__ == "__main__":
    unittest.main()
