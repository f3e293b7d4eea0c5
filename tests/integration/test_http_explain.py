"""POST /explain: every method, every form of a picture, what is refused, limits, company and reloads."""
import base64
import io
import json
import os
import re
import shutil
import threading
import time
import unittest

import daemon
import numpy
import tiny_onnx
from PIL import Image

SIZE = 16
MODELS = os.path.join(daemon.SOURCE, "models")
BOUNDARY = "x1y2z3"
FORM = {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY}
JSON = {"Accept": "application/json"}
SMOOTHGRAD = "/explain/cifar10?format=json&method=smoothgrad&samples="
SLOW_S = 3  # what tests call slow


def spot_picture():
    return daemon.png(SIZE, SIZE, lambda x, y: 255 if 2 <= x < 7 and 9 <= y < 14 else 0)


def form(*files):
    head = "--%s\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.png\"\r\n\r\n" % BOUNDARY
    return b"".join(head.encode() + f + b"\r\n" for f in files) + ("--%s--\r\n" % BOUNDARY).encode()


def shipped_picture(name):
    with open(os.path.join(daemon.SOURCE, "tests", "images", name), "rb") as file:
        return file.read()


class Case(daemon.TestCase):
    def ship(self, name):
        os.makedirs(os.path.join(self.models, name, "1"))
        shutil.copy(os.path.join(MODELS, name, "1", "model.onnx"), os.path.join(self.models, name, "1"))

    def explain(self, path, body, **more):
        reply = self.d.post(path, body, **more)
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "application/json"), reply.body)
        return reply.json()


class Explain(Case):
    def setUp(self):
        super().setUp()
        tiny_onnx.write(self.models, "spot", 1, tiny_onnx.spot_model(SIZE))
        tiny_onnx.write(self.models, "linear", 3, tiny_onnx.model(size=SIZE, prefix="caf\u00e9 100% "))
        self.picture = spot_picture()
        self.d = self.start("--max-pictures", "8", "--max-body-bytes", "200000", "--max-image-pixels", "10000")

    def test_a_picture_by_default(self):
        for headers in ({}, {"Accept": "*/*"}, {"Accept": "image/png, application/json"}):
            reply = self.d.post("/explain/spot", self.picture, headers=headers)
            self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "image/png"), reply.body)
            drawn = numpy.asarray(Image.open(io.BytesIO(reply.body)).convert("RGB")).astype(int)
            self.assertEqual(drawn.shape, (224, 224, 3))
            colored = drawn.max(axis=2) - drawn.min(axis=2)
            scale = 224 // SIZE
            self.assertGreater(colored[10 * scale:13 * scale, 3 * scale:6 * scale].mean(),
                               60 + colored[:4 * scale, 10 * scale:].mean())
            names = {"X-Model": "spot", "X-Model-Version": "1", "X-Explain-Method": "gradcam",
                     "X-Class-Index": "1", "X-Class-Label": "spot"}
            self.assertEqual({k: reply.headers[k] for k in names}, names)
            self.assertGreater(float(reply.headers["X-Probability"]), 0.5)
            self.assertGreater(float(reply.headers["X-Score"]), 0)
            self.assertIn("compute;dur=", reply.headers["Server-Timing"])

    def test_json_when_it_is_asked_for(self):
        answer = self.explain("/explain/spot", self.picture, headers=JSON)
        self.assertEqual(self.explain("/explain/spot?format=json", self.picture), answer)
        self.assertEqual(self.explain("/explain/spot/1?format=json", self.picture), answer)
        self.assertEqual(self.d.post("/explain/spot?format=png", self.picture, headers=JSON).body[:4], b"\x89PNG")
        self.assertEqual((answer["model"], answer["version"], answer["method"]), ("spot", "1", "gradcam"))
        self.assertEqual((answer["index"], answer["label"]), (1, "spot"))
        classified = self.d.post("/classify/spot", self.picture).json()
        self.assertEqual(answer["digest"], classified["digest"])
        best = classified["predictions"][0]
        self.assertEqual(answer["label"], best["label"])
        self.assertAlmostEqual(answer["probability"], best["probability"], delta=1e-5)
        values = numpy.array(answer["map"]["values"])
        self.assertEqual(values.shape, (SIZE, SIZE))
        self.assertEqual((answer["map"]["width"], answer["map"]["height"]), (SIZE, SIZE))
        self.assertGreater(values[10:13, 3:6].mean(), 10 * numpy.abs(values[:4, 10:]).mean())
        self.assertEqual((answer["map"]["layer"]["width"], answer["map"]["layer"]["height"]), (SIZE - 2, SIZE - 2))

    def test_every_method(self):
        for method in ("gradcam", "integrated-gradients", "smoothgrad", "occlusion"):
            path = "/explain/spot?class=spot&method=" + method
            answer = self.explain(path, self.picture, headers=JSON)
            self.assertEqual((answer["method"], answer["index"]), (method, 1))
            positive = numpy.maximum(numpy.array(answer["map"]["values"]), 0)
            self.assertGreater(positive[7:, :9].sum(), 0.9 * positive.sum(), method)
            drawn = self.d.post(path, self.picture)
            self.assertEqual((drawn.status, drawn.headers["X-Explain-Method"]), (200, method))
            count = 'classifyd_explain_duration_seconds_count{model="spot",method="%s"}' % method
            self.assertEqual(self.d.metric(count), 2)
        self.assertEqual(self.d.metric("classifyd_explanations_running"), 0)

    def test_the_class_by_number_or_label(self):
        answers = [self.explain("/explain/spot?format=json&class=" + c, self.picture) for c in ("0", "dark")]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0]["label"], "dark")
        for bad, part in (("2", "0 to 1 or a label"), ("", "0 to 1 or a label"), ("-1", '"-1"'),
                          ("sport", 'did you mean "spot"?')):
            self.check_error(self.d.post("/explain/spot?class=" + bad, self.picture), 400, "invalid_request", part)
        reply = self.d.post("/explain/linear?class=caf%C3%A9%20100%25%202", self.picture)
        self.assertEqual((reply.status, reply.headers["X-Class-Index"]), (200, "2"), reply.body)
        self.assertEqual(reply.headers["X-Class-Label"], "caf%C3%A9 100%25 2")
        self.assertEqual(reply.headers["X-Model-Version"], "3")

    def test_parameters(self):
        path = "/explain/spot?format=json&method="
        few = self.explain(path + "occlusion&patch=8&stride=8", self.picture)
        many = self.explain(path + "occlusion&patch=3&stride=1", self.picture)
        self.assertGreater(many["runs"], 10 * few["runs"])
        seeds = [self.explain(path + "smoothgrad&samples=4&seed=%d" % s, self.picture)["map"]["values"]
                 for s in (1, 1, 2)]
        self.assertEqual(seeds[0], seeds[1])
        self.assertNotEqual(seeds[0], seeds[2])
        for query, parts in (("magic", ["magic", "gradcam", "occlusion"]), ("", ["gradcam"]),
                             ("integrated-gradients&steps=0", ["steps", "0", "1"]),
                             ("integrated-gradients&steps=x", ["steps", "x"]),
                             ("integrated-gradients&baseline=pink", ["baseline", "pink", "black"]),
                             ("smoothgrad&noise=-1", ["noise", "-1"]), ("smoothgrad&noise=nan", ["noise", "nan"]),
                             ("gradcam&steps=5", ["steps", "gradcam"]),
                             ("gradcam&format=gif", ["format", "gif", "png or json"])):
            error = self.check_error(self.d.post("/explain/spot?method=" + query, self.picture), 400,
                                     "invalid_request")
            for part in parts:
                self.assertIn(part, error["error"])

    def test_a_method_that_does_not_fit_the_model(self):
        self.check_error(self.d.post("/explain/linear?method=gradcam", self.picture), 422, "not_explainable",
                         "convolution")
        self.check_error(self.d.post("/explain/spot?method=neighbours", self.picture), 422, "not_explainable",
                         "neighbour")
        self.assertEqual(self.explain("/explain/linear?format=json", self.picture)["method"], "integrated-gradients")

    def test_every_form_of_a_picture(self):
        wanted = self.explain("/explain/spot?format=json", self.picture)
        encoded = base64.b64encode(self.picture).decode()
        pixels = numpy.asarray(Image.open(io.BytesIO(self.picture))).tolist()
        for body in ({"image": encoded}, {"images": [encoded]}, {"pixels": pixels}):
            self.assertEqual(self.explain("/explain/spot?format=json", json.dumps(body)), wanted)
        self.assertEqual(self.explain("/explain/spot?format=json", form(self.picture), headers=FORM), wanted)
        drawn = self.d.post("/explain/spot", self.picture).body
        self.assertEqual(self.d.post("/explain/spot", json.dumps({"pixels": pixels})).body, drawn)
        self.assertEqual(self.d.request("PUT", "/explain/spot", self.picture).body, drawn)
        large = self.d.post("/explain/spot", daemon.png(90, 60, lambda x, y: x, channels=3))
        self.assertEqual(large.status, 200)

    def test_what_is_no_picture(self):
        for path in ("/explain/spot", "/explain/spot?format=json"):
            self.check_error(self.d.post(path, b""), 400, "invalid_request", "empty")
            self.check_error(self.d.post(path, b"GIF89a"), 415, "unsupported_media_type", "GIF")
            self.check_error(self.d.post(path, self.picture[:-20]), 400, "invalid_image")
            self.check_error(self.d.post(path, daemon.png(101, 100)), 413, "too_large", "101")
            self.check_error(self.d.post(path, b"\0" * 200001), 413, "too_large", "200000")
            self.check_error(self.d.post(path, form(self.picture, self.picture), headers=FORM), 400,
                             "invalid_request", "the request has 2")
            self.check_error(self.d.post(path, json.dumps({"pixels": [1, 2]})), 400, "invalid_request", "[2]")

    def test_what_is_not_there(self):
        self.check_error(self.d.post("/explain/nope", self.picture), 404, "model_not_found", "spot")
        self.check_error(self.d.post("/explain/spot/2", self.picture), 404, "model_not_found")
        self.check_error(self.d.post("/explain", self.picture), 404, "model_not_found")
        self.check_error(self.d.post("/explain/spot/1/x", self.picture), 404, "not_found")
        reply = self.d.get("/explain/spot")
        self.check_error(reply, 405, "method_not_allowed")
        self.assertEqual(reply.headers["Allow"], "POST, PUT")
        self.check_error(self.d.post("/explain/spot", self.picture, admin=True), 404, "not_found")

    def test_the_default_model_and_the_switch(self):
        d = self.start("--default-model", "spot")
        self.assertEqual(d.post("/explain", self.picture).headers["X-Model"], "spot")
        off = self.start("--explain", "off")
        self.check_error(off.post("/explain/spot", self.picture), 404, "not_found", 'explain is "off"')
        self.assertEqual(off.post("/classify/spot", self.picture).status, 200)

    def test_the_log_and_the_metrics_tell_of_it(self):
        self.d.post("/explain/spot", self.picture, headers={"X-Request-Id": "look-here"})
        # A request is counted and logged when its reply has gone, so the client may be here before.
        count = 'classifyd_requests_total{listener="public",route="explain",code="200"}'
        self.d.wait_for(lambda: self.d.metric(count) == 1, "count of one request")
        self.d.wait_for(lambda: "id=look-here" in self.d.log(), "log line")
        line, = [l for l in self.d.log().splitlines() if "id=look-here" in l]
        for part in ("route=explain", "code=200", "model=spot", "version=1", "pictures=1"):
            self.assertIn(part, line)
        self.assertGreater(int(re.search(r"compute_us=(\d+)", line)[1]), 0)


class Shipped(Case):
    def setUp(self):
        super().setUp()
        self.ship("mnist")

    def test_integrated_gradients_add_up(self):
        self.d = self.start()
        path = "/explain/mnist?format=json&method=integrated-gradients"
        for picture in ("seven.png", "three.jpg", "zero.png"):
            for more in ("", "&class=3", "&baseline=white", "&steps=256"):
                answer = self.explain(path + more, shipped_picture(picture))
                difference = answer["score"] - answer["baseline_score"]
                summed = sum(map(sum, answer["map"]["values"]))
                self.assertAlmostEqual(summed, difference, delta=0.02 * abs(difference), msg=picture + more)
                self.assertAlmostEqual(answer["map"]["sum"], summed, delta=1e-3)

    def test_neighbours(self):
        self.ship("cifar10-knn")
        self.d = self.start()
        picture = shipped_picture("scene.png")
        answer = self.explain("/explain/cifar10-knn?format=json&neighbours=5", picture)
        self.assertEqual((answer["method"], answer["distance"]), ("neighbours", "L1"))
        distances = [n["distance"] for n in answer["neighbours"]]
        self.assertEqual((len(distances), distances), (5, sorted(distances)))
        self.assertNotIn("map", answer)
        reply = self.d.post("/explain/cifar10-knn", picture)
        self.assertEqual((reply.status, reply.headers["X-Explain-Method"]), (200, "neighbours"))
        Image.open(io.BytesIO(reply.body)).verify()


class Company(Case):
    """Explanations that take long, beside others."""

    def setUp(self):
        super().setUp()
        self.ship("cifar10")
        self.picture = daemon.png(32, 32, lambda x, y: (7 * x + 3 * y) % 256, channels=3)

    def slow_path(self, seconds=SLOW_S):
        """An explanation that takes about so long on this machine, as it is just now."""
        times = [self.d.post(SMOOTHGRAD + "8", self.picture).headers["Server-Timing"] for _ in range(3)]
        compute_s = min(float(re.search(r"compute;dur=([\d.]+)", t)[1]) / 1000 for t in times)
        return SMOOTHGRAD + str(min(1024, int(8 * seconds / compute_s) + 8))

    def begin_slow(self, seconds=SLOW_S):
        """A thread that gets a slow explanation, once it is being computed; reply is its result."""
        path = self.slow_path(seconds)

        def work():
            thread.reply = self.d.post(path, self.picture, patience_s=600)  # the machine may slow down on the way
        thread = threading.Thread(target=work)
        thread.start()
        self.d.wait_for(lambda: self.d.metric("classifyd_explanations_running") == 1, "explanation")
        return thread

    def test_classification_goes_on_even_on_one_worker(self):
        self.write_model("tiny")
        self.d = self.start("--threads", "1", "--explain-max-ms", "3600000", "--request-timeout-ms", "3600000",
                            "--inline-below-us", "0")
        slow = self.begin_slow(4 * SLOW_S)
        n_meanwhile = 0
        while True:
            reply = self.d.post("/classify/" + ("tiny", "cifar10")[n_meanwhile % 2], self.picture)
            self.assertEqual(reply.status, 200)
            if not slow.is_alive():
                break
            n_meanwhile += 1
        self.assertEqual(slow.reply.status, 200, slow.reply.body)
        self.assertGreaterEqual(n_meanwhile, 3)

    def test_one_at_a_time(self):
        self.d = self.start("--explain-max-ms", "3600000", "--request-timeout-ms", "3600000")
        slow = self.begin_slow()
        reply = self.d.post("/explain/cifar10", self.picture)
        self.check_error(reply, 503, "queue_full", "explain_concurrency")
        self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
        slow.join()
        self.assertEqual(slow.reply.status, 200)
        self.assertEqual(self.d.post("/explain/cifar10", self.picture).status, 200)

    def test_a_deadline_ends_it(self):
        for flag, name in (("--explain-max-ms", "explain_max_ms"), ("--request-timeout-ms", "request_timeout_ms")):
            self.d = self.start("--threads", "1", flag, "100")
            start = time.monotonic()
            reply = self.d.post(SMOOTHGRAD + "1024", self.picture)
            self.check_error(reply, 504, "deadline_exceeded", name)
            self.assertRegex(reply.json()["error"], r"\d+ ms, \d+ % done")
            self.assertLess(time.monotonic() - start, daemon.PATIENCE_S / 2)
            self.assertEqual(self.d.metric("classifyd_explanations_running"), 0)
            self.d.wait_for(lambda: self.d.post("/classify/cifar10", self.picture).status == 200, "classification")

    def test_a_reload_meanwhile(self):
        self.d = self.start("--explain-max-ms", "3600000", "--request-timeout-ms", "3600000")
        old = self.d.post("/classify/cifar10", self.picture).json()["digest"]
        slow = self.begin_slow(2 * SLOW_S)
        tiny_onnx.write(self.models, "cifar10", 1, tiny_onnx.model(size=32, channels=3))
        self.assertEqual(self.d.post("/models/cifar10/reload", admin=True).status, 200)
        new = self.d.post("/classify/cifar10", self.picture).json()["digest"]
        self.assertNotEqual(old, new)
        self.assertTrue(slow.is_alive(), "the explanation was over before the reload")
        slow.join()
        self.assertEqual((slow.reply.status, slow.reply.json()["digest"]), (200, old))
        answer = self.explain("/explain/cifar10?format=json", self.picture)
        self.assertEqual((answer["digest"], answer["method"]), (new, "integrated-gradients"))
        self.d.wait_for(lambda: len(self.d.get("/models", admin=True).json()["models"][0]["versions"]) == 1,
                        "end of the old version")

    def test_a_client_that_goes_away(self):
        self.d = self.start("--threads", "1")
        body, path = self.picture, self.slow_path().encode()
        with self.d.connect() as s:
            s.sendall(b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (path, len(body)) + body)
            self.d.wait_for(lambda: self.d.metric("classifyd_explanations_running") == 1, "explanation")
        self.d.wait_for(lambda: self.d.metric("classifyd_explanations_running") == 0, "end of the explanation")
        self.assertEqual(self.d.post("/explain/cifar10", self.picture).status, 200)

    def test_many_at_once_on_one_worker(self):
        self.d = self.start("--threads", "1", "--explain-concurrency", "4", "--explain-max-ms", "600000",
                            "--request-timeout-ms", "600000")
        path = SMOOTHGRAD + "2"
        wanted = self.explain(path, self.picture)["map"]
        replies = []

        def work():
            for _ in range(3):
                replies.append(self.d.post(path, self.picture))
        threads = [threading.Thread(target=work) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertLessEqual({r.status for r in replies}, {200, 503})
        answered = [r.json()["map"] for r in replies if r.status == 200]
        self.assertGreaterEqual(len(answered), 4)
        self.assertTrue(all(a == wanted for a in answered))


if __name__ == "__main__":
    unittest.main()
