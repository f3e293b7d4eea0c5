"""/predictions, /ping and the management list as TorchServe's clients use them, over real connections."""
import base64
import json
import os
import subprocess
import tempfile

import daemon
from daemon import png

PICTURE = png(value=lambda x, y: (x * 9 + y * 5) % 256)


class TorchServe(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=28, prefix="c")
        self.d = self.start("--max-pictures", "8", "--threads", "2")

    def predict(self, body=PICTURE, path="/predictions/tiny", method="POST", **more):
        reply = self.d.request(method, path, body, **more)
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "application/json"), reply.body)
        return reply.json()

    def wanted(self, picture=PICTURE, path="/classify/tiny", k=5):
        return [(p["label"], p["probability"]) for p in self.d.post(path, picture).json()["predictions"]][:k]

    def test_top_five_with_the_bits_of_classify(self):
        for method in ("POST", "PUT"):
            for path in ("/predictions/tiny", "/predictions/tiny/1"):
                self.assertEqual(list(self.predict(path=path, method=method).items()), self.wanted())
        for k in (1, 3, 10):
            self.assertEqual(list(self.predict(path="/predictions/tiny?top=%d" % k).items()), self.wanted(k=k))

    def test_fewer_than_five_classes(self):
        self.write_model("few", n_classes=3)
        self.assertEqual(self.d.post("/reload", admin=True).status, 200)
        self.assertEqual(list(self.predict(path="/predictions/few").items()), self.wanted(path="/classify/few"))

    def test_several_pictures(self):
        body = json.dumps({"images": [base64.b64encode(p).decode() for p in (PICTURE, png())]})
        self.assertEqual([list(a.items()) for a in self.predict(body)], [self.wanted(), self.wanted(png())])

    def test_curl(self):
        url = "http://127.0.0.1:%d/predictions/tiny" % self.d.port
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "kitten.png")
            with open(path, "wb") as f:
                f.write(PICTURE)
            for flags in (["-T", path], ["-F", "data=@" + path], ["--data-binary", "@" + path]):
                run = subprocess.run(["curl", "-sS", "--fail", *flags, url], check=True, stdout=subprocess.PIPE)
                self.assertEqual(list(json.loads(run.stdout).items()), self.wanted(), flags)

    def test_who_answers(self):
        self.write_model(version=2, seed=5)
        self.assertEqual(self.d.post("/reload", admin=True).status, 200)
        for path, version in (("/predictions/tiny", "2"), ("/predictions/tiny/1", "1")):
            reply = self.d.post(path, PICTURE)
            self.assertEqual((reply.headers["X-Model"], reply.headers["X-Model-Version"]), ("tiny", version))
            self.assertEqual(reply.headers["X-Model-Digest"],
                             self.d.post("/classify/tiny/" + version, PICTURE).json()["digest"])

    def test_refusals(self):
        for path, status, code in (("/predictions/other", 404, "model_not_found"),
                                   ("/predictions/tiny/9", 404, "model_not_found"), ("/predictions", 404, "not_found"),
                                   ("/predictions/tiny?top=0", 400, "invalid_request"),
                                   ("/predictions/tiny?top=11", 400, "invalid_request")):
            self.check_error(self.d.post(path, PICTURE), status, code)
        self.check_error(self.d.post("/predictions/tiny", b""), 400, "invalid_request", "the body is empty")
        self.check_error(self.d.post("/predictions/tiny", PICTURE[:-20]), 400, "invalid_image")
        self.check_error(self.d.post("/predictions/tiny", b"GIF89a"), 415, "unsupported_media_type")
        self.check_error(self.d.get("/predictions/tiny"), 405, "method_not_allowed", "takes POST, PUT")
        many = json.dumps({"images": [base64.b64encode(PICTURE).decode()] * 9})
        self.check_error(self.d.post("/predictions/tiny", many), 413, "too_large", "more than 8 pictures")

    def test_ping(self):
        self.assertEqual(self.d.get("/ping").json(), {"status": "Healthy"})
        os.makedirs(os.path.join(self.models, "broken", "1"))
        with open(os.path.join(self.models, "broken", "1", "model.onnx"), "wb") as f:
            f.write(b"no model")
        d = self.start(wait=False)
        d.wait_for(lambda: b"could not be loaded" in d.get("/readyz").body, "failure")
        self.check_error(d.get("/ping"), 503, "not_ready", "broken")

    def describe(self, path):
        reply = self.d.get(path, admin=True)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def test_management(self):
        self.write_model(version=2, seed=5)
        self.assertEqual(self.d.post("/reload", admin=True).status, 200)
        listed = self.describe("/models")["models"]
        self.assertEqual([(m["modelName"], m["modelUrl"], m["name"]) for m in listed], [("tiny", "tiny", "tiny")])
        self.assertNotIn("modelName", self.d.get("/models").json()["models"][0])
        moved = self.d.request("PUT", "/models/tiny/labels/stable", b'{"version":"1"}', admin=True)
        self.assertEqual(moved.status, 200)
        for path, versions in (("/models/tiny", ["2"]), ("/models/tiny/1", ["1"]), ("/models/tiny/all", ["1", "2"]),
                               ("/models/tiny/stable", ["1"])):
            described = self.describe(path)
            self.assertEqual([(m["modelName"], m["modelVersion"]) for m in described], [("tiny", v) for v in versions])
            for m in described:
                self.assertEqual((m["minWorkers"], m["maxWorkers"], len(m["workers"])), (2, 2, 2))
                self.assertEqual(m["batchSize"], 32)
                self.assertEqual(m["jobQueueStatus"]["pendingRequests"], 0)
                for worker in m["workers"]:
                    self.assertEqual((worker["status"], worker["pid"]), ("READY", self.d.process.pid))
                    self.assertRegex(worker["startTime"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$")
        self.check_error(self.d.get("/models/other", admin=True), 404, "model_not_found", "there is: tiny")
        self.check_error(self.d.get("/models/tiny/9", admin=True), 404, "model_not_found", "9")
        self.check_error(self.d.get("/models/tiny"), 404, "not_found")

    def test_batching_is_the_models_own(self):
        self.write_model("own")
        with open(os.path.join(self.models, "own", "config.json"), "w") as f:
            json.dump({"batching": {"max_batch": 4, "max_queue": 9, "max_delay_us": 2500}}, f)
        d = self.start("--max-queue", "77", "--max-delay-us", "300", "--request-timeout-ms", "1500")
        for name, batch, delay, room in (("own", 4, 3, 9), ("tiny", 32, 1, 77)):  # milliseconds, rounded up
            m = d.get("/models/" + name, admin=True).json()[0]
            self.assertEqual((m["batchSize"], m["maxBatchDelay"], m["responseTimeout"]), (batch, delay, 2))
            self.assertEqual(m["jobQueueStatus"], {"remainingCapacity": room, "pendingRequests": 0})

    def test_what_failed_is_described(self):
        os.makedirs(os.path.join(self.models, "broken", "1"))
        with open(os.path.join(self.models, "broken", "1", "model.onnx"), "wb") as f:
            f.write(b"no model")
        self.assertEqual(self.d.post("/reload", admin=True).status, 422)
        for path in ("/models/broken/1", "/models/broken/all"):
            self.assertEqual([m["workers"] for m in self.describe(path)], [[]])
        self.check_error(self.d.get("/models/broken", admin=True), 503, "not_ready", "could not be loaded")


if __name__ == "__main__":
    daemon.main()
