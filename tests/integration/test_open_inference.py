"""Requests and replies of V2 held against the specification's own OpenAPI document (docs/testing.md: how to bring it in)."""
import base64
import json
import os
import sys

WHERE = os.environ.get("CLASSIFYD_OPEN_INFERENCE", "")
if not WHERE:
    print("skipped: no specification of the Open Inference Protocol: CLASSIFYD_OPEN_INFERENCE is not set")
    sys.exit(77)
import jsonschema
import yaml

import daemon
import tiny_files
import tiny_onnx

with open(os.path.join(WHERE, "specification", "protocol", "open_inference_rest.yaml")) as f:
    DOCUMENT = yaml.safe_load(f)
DATA = [v / 783 for v in range(784)]
PICTURE = daemon.png(value=lambda x, y: (x * 9 + y * 5) % 256)
GIVEN = {"name": "image", "shape": [1, 1, 28, 28], "datatype": "FP32", "data": DATA}
REQUESTS = [
    {"inputs": [GIVEN]},
    {"id": "42", "inputs": [GIVEN], "outputs": [{"name": "probabilities"}]},
    {"id": "42", "parameters": {"timeout": 10000000}, "inputs": [dict(GIVEN, parameters={"mine": True})],
     "outputs": [{"name": "probabilities", "parameters": {"classification": 2}}]},
    {"inputs": [dict(GIVEN, data=[[[DATA[i:i + 28] for i in range(0, 784, 28)]]])]},
    {"inputs": [{"name": "image", "shape": [2], "datatype": "BYTES",
                 "data": [base64.b64encode(PICTURE).decode()] * 2}]},
]
BAD_REQUESTS = [{}, {"inputs": []}, {"inputs": [dict(GIVEN, name="input0")]}, {"inputs": [dict(GIVEN, data=[1])]},
                {"inputs": [dict(GIVEN, datatype="BOOL", data=[True] * 784)]}]


class OpenInference(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=28)
        tiny_onnx.write(self.models, "scores", 1, tiny_files.quadrant_model(softmax=False))
        self.d = self.start()

    def validate(self, value, name):
        schema = {"$ref": "#/components/schemas/" + name, "components": DOCUMENT["components"]}
        jsonschema.Draft4Validator(schema).validate(value)

    def send(self, method, path, body=None, model="tiny"):
        path = path.replace("${MODEL_NAME}", model).replace("${MODEL_VERSION}", "1")
        return self.d.request(method.upper(), path, None if body is None else json.dumps(body))

    def test_every_path(self):
        paths = DOCUMENT["paths"]
        self.assertGreaterEqual(len(paths), 6)
        for path, operations in paths.items():
            method, operation = next((m, o) for m, o in operations.items() if m in ("get", "post"))
            for model in ("tiny", "scores") if method == "get" else ("tiny",):
                reply = self.send(method, path, REQUESTS[0] if method == "post" else None, model)
                self.assertEqual(reply.status, 200, reply.body)
                content = operation["responses"]["200"].get("content")
                if content:
                    name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
                    self.assertEqual(reply.headers["Content-Type"], "application/json")
                    self.validate(reply.json(), name)
            # Without a version the paths are as good.
            if "/versions/" in path and method == "get":
                short = self.send(method, path.replace("/versions/${MODEL_VERSION}", ""))
                self.assertEqual(short.json(), self.send(method, path).json())

    def test_inference(self):
        path = "/v2/models/${MODEL_NAME}/versions/${MODEL_VERSION}/infer"
        for request in REQUESTS:
            self.validate(request, "inference_request")
            reply = self.send("post", path, request)
            self.assertEqual(reply.status, 200, reply.body)
            answer = reply.json()
            self.validate(answer, "inference_response")
            self.assertEqual(answer.get("id"), request.get("id"))
            for output in answer["outputs"]:
                n = 1
                for dimension in output["shape"]:
                    n *= dimension
                self.assertEqual(len(output["data"]), n)
        for request in BAD_REQUESTS:
            reply = self.send("post", path, request)
            self.assertEqual(reply.status, 400, reply.body)
            self.validate(reply.json(), "inference_error_response")
        for path in ("/v2/models/none", "/v2/models/none/versions/1"):
            reply = self.send("get", path)
            self.assertEqual(reply.status, 404)
            self.validate(reply.json(), "metadata_model_error_response")


if __name__ == "__main__":
    daemon.main()
