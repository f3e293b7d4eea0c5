"""POST /classify in every form, good and bad, over real connections."""
import base64
import json
import os
import re
import struct
import subprocess
import tempfile
import threading
import unittest

import daemon
from daemon import png

BOUNDARY = "x1y2z3"


def form(*files, end="--"):
    parts = ["--%s\r\nContent-Disposition: form-data; name=\"f%d\"; filename=\"f%d.png\"\r\n\r\n" % (BOUNDARY, i, i)
             for i in range(len(files))]
    body = b"".join(p.encode() + f + b"\r\n" for p, f in zip(parts, files))
    return body + ("--%s%s\r\n" % (BOUNDARY, end)).encode()


FORM = {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY}


def b64(data):
    return base64.b64encode(data).decode()


def is_overloaded(reply):
    """Refused because what waits takes longer than its deadline allows."""
    return reply.status == 503 and reply.json()["code"] == "overloaded"


class Classify(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=28)
        self.d = self.start("--max-pictures", "8", "--max-body-bytes", "200000", "--max-image-pixels", "10000")

    def classify(self, body, path="/classify/tiny", **more):
        reply = self.d.post(path, body, **more)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        return reply.json()

    def check_list(self, predictions, n=10):
        self.assertEqual(len(predictions), n)
        values = [p["probability"] for p in predictions]
        self.assertEqual(values, sorted(values, reverse=True))
        self.assertEqual(len({p["index"] for p in predictions}), n)
        for p in predictions:
            self.assertEqual(p["label"], str(p["index"]))
        if n == 10:
            self.assertAlmostEqual(sum(values), 1, delta=1e-5)

    def test_picture(self):
        answer = self.classify(png())
        self.assertEqual((answer["model"], answer["version"]), ("tiny", "1"))
        self.assertRegex(answer["digest"], "^[0-9a-f]{64}$")
        self.check_list(answer["predictions"])

    def test_every_form_of_a_picture_gives_the_same_answer(self):
        values = [(x * 9 + y * 5) % 256 for y in range(28) for x in range(28)]
        picture = png(value=lambda x, y: values[y * 28 + x])
        rows = [values[i:i + 28] for i in range(0, 784, 28)]
        wanted = self.classify(picture)
        one = [picture, json.dumps({"image": b64(picture)}), json.dumps({"pixels": values}),
               json.dumps({"pixels": rows}), json.dumps({"pixels": [[[v] for v in r] for r in rows]})]
        for body in one:
            self.assertEqual(self.classify(body), wanted)
        self.assertEqual(self.classify(form(picture), headers=FORM), wanted)
        several = [json.dumps({"images": [b64(picture)] * 2}), json.dumps({"pixels": [rows, rows]}),
                   json.dumps({"pixels": [values, values]})]
        lists = [self.classify(body) for body in several] + [self.classify(form(picture, picture), headers=FORM)]
        for answer in lists:
            self.assertEqual(answer["predictions"], [wanted["predictions"]] * 2)

    def test_pictures_keep_their_order(self):
        pictures = [png(value=v) for v in (0, 60, 120, 180, 255)]
        each = [self.classify(p)["predictions"] for p in pictures]
        self.assertEqual(len({str(e) for e in each}), 5)
        self.assertEqual(self.classify(form(*pictures), headers=FORM)["predictions"], each)
        self.assertEqual(self.classify(json.dumps({"images": [b64(p) for p in pictures]}))["predictions"], each)

    def test_jpeg_and_larger_pictures(self):
        for name in ("three.jpg", "seven_16bit.png", "seven_alpha.png"):
            with open(os.path.join(daemon.SOURCE, "tests/images", name), "rb") as f:
                self.check_list(self.classify(f.read())["predictions"])
        self.check_list(self.classify(png(100, 100, channels=3))["predictions"])

    def test_top(self):
        every = self.classify(png())["predictions"]
        for k in (1, 3, 10):
            self.assertEqual(self.classify(png(), "/classify/tiny?top=%d" % k)["predictions"], every[:k])
        self.assertEqual(self.classify(png(), "/classify?x=1&top=%32")["predictions"], every[:2])
        for bad in ("0", "11", "-1", "x", "", "1x", "99999999999999999999999"):
            self.check_error(self.d.post("/classify?top=" + bad, png()), 400, "invalid_request", "wanted 1 to 10")

    def test_the_models_own_top(self):
        self.write_model("few", metadata={"classifyd.top": "3"})
        self.assertEqual(self.d.post("/reload", admin=True).status, 200)
        self.check_list(self.classify(png(), "/classify/few")["predictions"], 3)
        self.check_list(self.classify(png(), "/classify/few?top=5")["predictions"], 5)

    def show(self, body, path="/classify/tiny?show=input", **more):
        reply = self.d.post(path, body, **more)
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "image/png"), reply.body)
        self.assertIn("decode;dur=", reply.headers["Server-Timing"])
        return reply.body

    def test_show_input(self):
        values = [(x * 9 + y * 5) % 256 for y in range(28) for x in range(28)]
        picture = png(value=lambda x, y: values[y * 28 + x])
        seen = self.show(picture)
        self.assertEqual(self.show(seen), seen)  # a picture of the model's size is left as it is
        self.assertEqual(self.classify(seen), self.classify(picture))
        for body in (json.dumps({"image": b64(picture)}), json.dumps({"pixels": values})):
            self.assertEqual(self.show(body), seen)
        self.assertEqual(self.show(form(picture), headers=FORM), seen)
        larger = png(90, 60, value=lambda x, y: (x * 3 + y) % 256, channels=3)
        seen = self.show(larger)
        self.assertEqual(self.classify(seen), self.classify(larger))
        # The same as the tool's.
        with tempfile.TemporaryDirectory() as folder:
            source, out = os.path.join(folder, "in.png"), os.path.join(folder, "out.png")
            with open(source, "wb") as f:
                f.write(larger)
            subprocess.run([os.path.join(os.environ["CLASSIFYD_BIN"], "classify"), "preprocess",
                            os.path.join(self.models, "tiny", "1"), source, "--out", out], check=True,
                           stdout=subprocess.DEVNULL)
            with open(out, "rb") as f:
                self.assertEqual(f.read(), seen)

    def test_show_input_refusals(self):
        path = "/classify/tiny?show="
        for bad in ("", "output", "inputs"):
            self.check_error(self.d.post(path + bad, png()), 400, "invalid_request", "wanted input")
        several = json.dumps({"images": [b64(png())] * 3})
        self.check_error(self.d.post(path + "input", several), 400, "invalid_request", "the request has 3")
        self.check_error(self.d.post(path + "input", png()[:-20]), 400, "invalid_image", "PNG")

    def test_model_and_version(self):
        self.assertEqual(self.classify(png(), "/classify"), self.classify(png(), "/classify/tiny/1"))
        self.check_error(self.d.post("/classify/nope", png()), 404, "model_not_found", "tiny")
        self.check_error(self.d.post("/classify/tiny/2", png()), 404, "model_not_found")
        self.check_error(self.d.post("/classify/..", png()), 404, "model_not_found")

    def test_put(self):
        self.assertEqual(self.d.request("PUT", "/classify/tiny", png()).json(), self.classify(png()))

    def test_server_timing_and_request_id(self):
        reply = self.d.post("/classify", png(), headers={"X-Request-Id": "Az09._-"})
        self.assertEqual(reply.headers["X-Request-Id"], "Az09._-")
        self.assertRegex(reply.headers["Server-Timing"],
                         "^" + ", ".join(rf"{part};dur=\d+\.\d{{3}}"
                                         for part in ("decode", "queue", "compute", "total")) + "$")
        seen = {self.d.post("/classify", png(), headers={"X-Request-Id": bad}).headers["X-Request-Id"]
                for bad in ("", "a b", "a" * 65, "\xe9", "a\tb")}
        self.assertEqual(len(seen), 5)
        for made in seen:
            self.assertRegex(made, "^[0-9a-f]{16}$")

    def test_bad_pictures(self):
        whole = png()
        self.check_error(self.d.post("/classify", whole[:-20]), 400, "invalid_image")
        self.check_error(self.d.post("/classify", whole[:8]), 400, "invalid_image")
        flipped = bytearray(whole)
        flipped[45] ^= 1
        self.check_error(self.d.post("/classify", bytes(flipped)), 400, "invalid_image")
        self.check_error(self.d.post("/classify", png(101, 100)), 413, "too_large", "101")
        bomb = bytearray(whole)
        bomb[16:24] = struct.pack(">II", 2 ** 31 - 1, 2 ** 31 - 1)
        self.assertIn(self.d.post("/classify", bytes(bomb)).status, (400, 413))

    def test_other_types(self):
        for body, found in ((b"GIF89a", "GIF"), (b"hello", "text"), (b"\x00\x01", "no known type"), (b"[1]", "array")):
            self.check_error(self.d.post("/classify", body), 415, "unsupported_media_type", found)
        self.check_error(self.d.post("/classify", b""), 400, "invalid_request", "empty")

    def test_json_limits(self):
        self.check_error(self.d.post("/classify", json.dumps({"images": [b64(png())] * 9})), 413, "too_large",
                         "more than 8 pictures")
        self.check_error(self.d.post("/classify", '{"pixels":' + "[" * 10000), 400, "invalid_request", "nested")
        elements = json.dumps({"pixels": list(range(10000))})
        self.check_error(self.d.post("/classify", elements), 400, "invalid_request", "[10000]")

    def test_more_pictures_than_the_queue_holds(self):
        d = self.start("--max-queue", "2")
        three = json.dumps({"images": [b64(png())] * 3})
        self.check_error(d.post("/classify", three), 413, "too_large")
        self.assertEqual(d.post("/classify", json.dumps({"images": [b64(png())] * 2})).status, 200)

    def burst_until(self, d, status):
        """Pictures that take long to decode, many at a time, until an answer has the status; returns those."""
        large = png(1500, 1500)
        replies = []

        def seen():
            threads = [threading.Thread(target=lambda: replies.append(d.post("/classify", large))) for _ in range(30)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            return any(r.status == status for r in replies)
        d.wait_for(seen, "answer %d" % status)
        self.assertEqual(len(replies) % 30, 0)
        self.assertLessEqual({r.status for r in replies if not is_overloaded(r)}, {200, status})
        return [r for r in replies if r.status == status]

    def test_a_full_queue_refuses(self):
        d = self.start("--max-queue", "2", "--threads", "1", "--inline-below-us", "0")
        for reply in self.burst_until(d, 503):
            self.check_error(reply, 503, "queue_full")
            self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)

    def test_a_passed_deadline(self):
        d = self.start("--request-timeout-ms", "1", "--threads", "1", "--inline-below-us", "0")
        for reply in self.burst_until(d, 504):
            self.check_error(reply, 504, "deadline_exceeded")

    def test_form_limits(self):
        self.check_error(self.d.post("/classify", form(*[png()] * 9), headers=FORM), 413, "too_large", "max_pictures")
        self.check_error(self.d.post("/classify", form(), headers=FORM), 400, "invalid_request")
        self.check_error(self.d.post("/classify", form(png(), b"text"), headers=FORM), 415, "unsupported_media_type",
                         "part 2")
        self.check_error(self.d.post("/classify", form(png())[:60], headers=FORM), 400, "invalid_request")
        self.check_error(self.d.post("/classify", b"x", headers={"Content-Type": "multipart/form-data"}), 400,
                         "invalid_request", "boundary")
        self.assertEqual(self.d.post("/classify", form(png(), png(value=3)), headers=FORM).status, 200)

    def test_one_bad_picture_of_several_is_named(self):
        reply = self.d.post("/classify", form(png(), png()[:60], png()), headers=FORM)
        self.check_error(reply, 400, "invalid_image", "picture 2 of 3")

    def test_body_at_and_above_the_limit(self):
        at = png() + b"\0" * (200000 - len(png()))
        self.assertNotEqual(self.d.post("/classify", at).status, 413)
        self.check_error(self.d.post("/classify", at + b"\0"), 413, "too_large", "200000")

    def test_a_client_that_sends_first_sees_the_refusal(self):
        for _ in range(10):
            self.check_error(self.d.post("/classify", b"x" * 390000), 413, "too_large")
            self.check_error(self.d.post("/nope", b"x" * 390000), 404, "not_found")

    def test_large_body_is_refused_before_it_is_sent(self):
        with self.d.connect() as s:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: 900000000\r\n\r\n")
            head = s.recv(4096)
        self.assertTrue(head.startswith(b"HTTP/1.1 413 "), head)

    def test_expect_continue(self):
        with self.d.connect() as s:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n"
                      % len(png()))
            self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 100 Continue\r\n"))
            s.sendall(png())
            self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200 "))
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\nExpect: 100-continue\r\n\r\n")
            self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 413 "))

    def chunked(self, pieces):
        head = b"POST /classify HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        return self.d.exchange(head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n")

    def test_chunked_body(self):
        picture = png()
        self.assertIn(b" 200 OK", self.chunked([picture[i:i + 7] for i in range(0, len(picture), 7)])[:20])
        reply = self.chunked([b"\0" * 50000] * 5)
        self.assertIn(b" 413 ", reply[:20])
        self.assertIn(b'"code":"too_large"', reply)

    def test_concurrent_requests_of_several_pictures(self):
        """Batches mix the pictures of many requests; each gets its own answers, in its own order."""
        pictures = [png(value=v) for v in range(0, 256, 32)]
        each = [self.classify(p)["predictions"] for p in pictures]
        wrong = []

        def work(i):
            mine = [(i + k) % 8 for k in range(i % 8 + 1)]
            body = json.dumps({"images": [b64(pictures[m]) for m in mine]})
            for _ in range(15):
                answer = self.d.post("/classify", body).json()
                if answer["predictions"] != [each[m] for m in mine]:
                    wrong.append((mine, answer))
        threads = [threading.Thread(target=work, args=(i,)) for i in range(10)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])

    def test_metrics_and_log_tell_of_it(self):
        self.classify(form(png(), png()), headers=FORM)
        line = 'classifyd_requests_total{listener="public",route="classify",code="200"}'
        self.d.wait_for(lambda: self.d.metric(line) == 1, "count")
        self.d.wait_for(lambda: "route=classify" in self.d.log(), "log line")
        line = next(li for li in self.d.log().splitlines() if "route=classify" in li)
        for part in ("level=info msg=request", "client=127.0.0.1", "method=POST", "path=/classify/tiny", "code=200",
                     "model=tiny", "version=1", "pictures=2"):
            self.assertIn(part, line)
        for key in ("bytes_in", "bytes_out", "decode_us", "queue_us", "compute_us", "total_us"):
            self.assertTrue(re.search(r"%s=\d+" % key, line), line)


if __name__ == "__main__":
    unittest.main()
