"""/v1/models as TensorFlow Serving's and KServe's clients use it, over real connections."""
import base64
import json
import struct
import subprocess

import daemon
from daemon import png

VALUES = [(x * 9 + y * 5) % 256 for y in range(28) for x in range(28)]
PICTURE = png(value=lambda x, y: VALUES[y * 28 + x])


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


FLOATS = [float32(v * float32(1 / 255)) for v in VALUES]  # what the model's preprocessing makes of them
ROWS = [[FLOATS[i:i + 28] for i in range(0, 784, 28)]]


def b64(data):
    return {"b64": base64.b64encode(data).decode()}


class V1(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=28)
        self.d = self.start("--max-pictures", "8", "--max-json-values", "10000", "--max-body-bytes", "1000000")

    def call(self, verb, body, model="tiny"):
        reply = self.d.post("/v1/models/%s:%s" % (model, verb), json.dumps(body))
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        return reply

    def predict(self, **body):
        return self.call("predict", body).json()

    def classify(self, picture=PICTURE):
        """What our own route says."""
        return self.d.post("/classify/tiny", picture).json()

    def probabilities(self, picture=PICTURE):
        return [p["probability"] for p in sorted(self.classify(picture)["predictions"], key=lambda p: p["index"])]

    def test_every_form_has_the_bits_of_classify(self):
        wanted = self.probabilities()
        image = b64(PICTURE)
        for element in (image, {"image": image}, FLOATS, {"image": FLOATS}, ROWS, {"image": ROWS}):
            self.assertEqual(self.predict(instances=[element] * 2), {"predictions": [wanted] * 2})
        for column in (image, {"image": image}):
            self.assertEqual(self.predict(inputs=column), {"outputs": [wanted]})
        for column in ([image] * 2, {"image": [image] * 2}, [FLOATS] * 2, {"image": [ROWS] * 2}):
            self.assertEqual(self.predict(inputs=column, signature_name="serving_default"), {"outputs": [wanted] * 2})

    def test_order(self):
        pictures = [png(value=v) for v in (0, 60, 120, 180, 255)]
        each = [self.probabilities(p) for p in pictures]
        self.assertEqual(len({str(e) for e in each}), 5)
        self.assertEqual(self.predict(instances=[b64(p) for p in pictures])["predictions"], each)
        self.assertEqual(self.predict(inputs={"image": [b64(p) for p in pictures]})["outputs"], each)

    def test_base64_in_lines(self):
        """As Python's encodebytes and Android's Base64.DEFAULT write it; TensorFlow Serving takes it too."""
        wanted = self.predict(instances=[b64(PICTURE)])
        lines = base64.encodebytes(PICTURE).decode()
        self.assertGreater(lines.count("\n"), 1)
        for text in lines, lines.replace("\n", "\r\n"), lines.rstrip("\n=") + "\n", " " + lines:
            self.assertEqual(self.predict(instances=[{"b64": text}]), wanted)
        self.check_error(self.d.post("/classify/tiny", json.dumps({"image": lines})), 400, "invalid_request",
                         "image: this is not base64: character 76 is 0x0a")

    def test_classify(self):
        wanted = [[p["label"], p["probability"]] for p in self.classify()["predictions"]]
        for element in (b64(PICTURE), {"image": b64(PICTURE)}, {"image": FLOATS}):
            self.assertEqual(self.call("classify", {"examples": [element, element]}).json(), {"results": [wanted] * 2})

    def test_who_answers_stands_in_the_headers(self):
        self.write_model(version=2, seed=5)
        self.assertEqual(self.d.post("/reload", admin=True).status, 200)
        for path, version in (("tiny", "2"), ("tiny/versions/1", "1"), ("tiny/versions/2", "2")):
            reply = self.call("predict", {"instances": [FLOATS]}, path)
            own = self.d.post("/classify/tiny/" + version, PICTURE).json()
            self.assertEqual((reply.headers["X-Model"], reply.headers["X-Model-Version"]), ("tiny", version))
            self.assertEqual(reply.headers["X-Model-Digest"], own["digest"])
            values = [p["probability"] for p in own["predictions"]]
            self.assertEqual(sorted(reply.json()["predictions"][0], reverse=True), values)
            self.assertEqual(self.call("classify", {"examples": [FLOATS]}, path).json()["results"][0][0][1], values[0])
        status = self.d.get("/v1/models/tiny").json()
        self.assertEqual([v["version"] for v in status["model_version_status"]], ["2", "1"])
        self.assertEqual(len(self.d.get("/v1/models/tiny/versions/1").json()["model_version_status"]), 1)

    def test_labels(self):
        self.write_model(version=2, seed=5)
        self.assertEqual(self.d.post("/reload", admin=True).status, 200)
        self.assertEqual(self.d.request("PUT", "/models/tiny/labels/stable", '{"version": "1"}', admin=True).status,
                         200)
        for label, version in (("stable", "1"), ("canary", "2")):
            if label == "canary":
                self.d.request("PUT", "/models/tiny/labels/canary", '{"version": "2"}', admin=True)
            reply = self.call("predict", {"instances": [FLOATS]}, "tiny/labels/" + label)
            self.assertEqual(reply.headers["X-Model-Version"], version)
            reply = self.call("classify", {"examples": [FLOATS]}, "tiny/labels/" + label)
            self.assertEqual(reply.headers["X-Model-Version"], version)
            path = "/v1/models/tiny/labels/" + label
            self.assertEqual([v["version"] for v in self.d.get(path).json()["model_version_status"]], [version])
            self.assertEqual(self.d.get(path + "/metadata").json()["model_spec"]["version"], version)
        for path in ("/v1/models/tiny/labels/beta", "/v1/models/tiny/labels/1", "/v1/models/tiny/labels/beta/metadata"):
            self.check_error(self.d.get(path), 404, "model_not_found")
        for label in ("beta", "1"):
            self.refuse({"instances": [FLOATS]}, 404, "model_not_found", path="tiny/labels/%s:predict" % label)
        # In a version's place both are taken, as in /classify's.
        self.assertEqual(self.d.get("/v1/models/tiny/versions/stable").json(),
                         self.d.get("/v1/models/tiny/versions/1").json())

    def test_status(self):
        available = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        wanted = {"model_version_status": [available], "name": "tiny", "ready": True}
        for path in ("/v1/models/tiny", "/v1/models/tiny/versions/1"):
            self.assertEqual(self.d.get(path).json(), wanted)
        self.assertEqual(self.d.get("/v1/models").json(), {"models": ["tiny"]})
        self.check_error(self.d.get("/v1/models/other"), 404, "model_not_found", "there is: tiny")
        self.check_error(self.d.get("/v1/models/tiny/versions/3"), 404, "model_not_found", "no version '3'")

    def test_kserve(self):
        """The calls of KServe's V1 client, and what it looks at."""
        self.assertEqual(self.d.get("/").json()["status"], "alive")
        ready = self.d.get("/v1/models/tiny")
        self.assertEqual((ready.status, ready.json()["ready"]), (200, True))
        self.check_error(self.d.get("/v1/models/other"), 404, "model_not_found")
        reply = self.d.post("/v1/models/tiny:predict", json.dumps({"instances": [ROWS]}),
                            headers={"Content-Type": "application/json", "Accept": "application/json"})
        self.assertEqual(list(reply.json()), ["predictions"])

    def test_a_version_that_failed(self):
        path = self.models + "/tiny/1/model.onnx"
        with open(path, "wb") as f:
            f.write(b"no model")
        d = self.start(wait=False)
        d.wait_for(lambda: b"END" in d.get("/v1/models/tiny").body, "failure")
        status = d.get("/v1/models/tiny").json()
        self.assertIs(status["ready"], False)
        self.assertEqual(status["model_version_status"][0]["status"]["error_code"], "FAILED_PRECONDITION")
        self.assertNotIn(self.models, str(status))  # files are the operator's
        self.check_error(d.post("/v1/models/tiny:predict", json.dumps({"instances": [FLOATS]})), 503, "not_ready")

    def test_metadata(self):
        for path in ("/v1/models/tiny/metadata", "/v1/models/tiny/versions/1/metadata"):
            metadata = self.d.get(path).json()
            self.assertEqual(metadata["model_spec"], {"name": "tiny", "signature_name": "", "version": "1"})
            self.assertEqual(metadata["digest"], self.classify()["digest"])
            signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
            image, answer = signature["inputs"]["image"], signature["outputs"]["probabilities"]
            self.assertEqual((image["dtype"], answer["dtype"]), ("DT_FLOAT", "DT_FLOAT"))
            self.assertEqual([d["size"] for d in image["tensor_shape"]["dim"]], ["-1", "1", "28", "28"])
            self.assertEqual([d["size"] for d in answer["tensor_shape"]["dim"]], ["-1", "10"])
        self.check_error(self.d.get("/v1/models/other/metadata"), 404, "model_not_found")

    def refuse(self, body, code=400, name="invalid_request", part="", path="tiny:predict"):
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        self.check_error(self.d.post("/v1/models/" + path, text), code, name, part)

    def test_refusals(self):
        self.refuse({}, part="exactly one of")
        self.refuse({"instances": [FLOATS], "inputs": [FLOATS]}, part="exactly one of")
        self.refuse({"instances": [FLOATS], "signature_name": "x"}, part="one signature")
        self.refuse({"instances": [FLOATS[1:]]}, part="takes [N, 1, 28, 28], or its 784 numbers flat")
        self.refuse('{"instances": [[1, NaN]]}', part='instances[0][1]: found "NaN"')
        self.refuse({"instances": [b64(PICTURE[:-20])]}, name="invalid_image", part="PNG")
        self.refuse({"instances": [b64(PICTURE), b64(PICTURE[:-20])]}, name="invalid_image", part="picture 2 of 2")
        self.refuse("", part="wanted an object")
        self.refuse(PICTURE, part="wanted an object")
        self.refuse({"examples": []}, path="tiny:classify", part="a list is empty")
        self.refuse({"instances": [FLOATS]}, 404, "model_not_found", path="other:predict")
        self.refuse({"instances": [FLOATS]}, 404, "model_not_found", path="tiny/versions/9:predict")
        self.refuse({"instances": [FLOATS]}, 405, "method_not_allowed", path="tiny/versions/1:regress")
        self.refuse({"instances": [FLOATS]}, 405, "method_not_allowed", path="tiny")
        form = b"--b1y2\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\nx\r\n--b1y2--\r\n"
        reply = self.d.post("/v1/models/tiny:predict", form,
                            headers={"Content-Type": "multipart/form-data; boundary=b1y2"})
        self.check_error(reply, 415, "unsupported_media_type", "wanted a JSON object")
        self.check_error(self.d.get("/v1/models/tiny:predict"), 405, "method_not_allowed", "takes POST")

    def test_limits(self):
        self.refuse({"instances": [b64(PICTURE)] * 9}, 413, "too_large", "more than 8 pictures, max_pictures")
        self.refuse({"instances": [FLOATS] * 13}, 413, "too_large", "more than 10000 numbers, max_json_values")
        self.refuse({"instances": [{"image": FLOATS}] * 9}, 413, "too_large", "more than 8 pictures")
        self.refuse(b" " * 1000001, 413, "too_large", "max_body_bytes")

    def test_curl(self):
        url = "http://127.0.0.1:%d/v1/models/tiny" % self.d.port
        run = subprocess.run(["curl", "-sS", "--fail", "-d", json.dumps({"instances": [b64(PICTURE)]}),
                              url + ":predict"], check=True, stdout=subprocess.PIPE)
        self.assertEqual(json.loads(run.stdout)["predictions"], [self.probabilities()])
        run = subprocess.run(["curl", "-sS", "--fail", url + "/metadata"], check=True, stdout=subprocess.PIPE)
        self.assertEqual(json.loads(run.stdout)["model_spec"]["name"], "tiny")


if __name__ == "__main__":
    daemon.main()
