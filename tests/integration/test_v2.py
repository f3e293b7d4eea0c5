"""The Open Inference Protocol V2 over plain HTTP: every route, good and bad."""
import base64
import json
import os
import struct
import threading
import unittest

import daemon
import tiny_files
import tiny_onnx

VALUES = [(x * 9 + y * 5) % 256 for y in range(28) for x in range(28)]
PICTURE = daemon.png(value=lambda x, y: VALUES[y * 28 + x])


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def scaled(pixel):
    """What preprocessing makes of a pixel."""
    return f32(f32(1 / 255) * pixel)


TENSOR = [scaled(v) for v in VALUES]
HEADER_LENGTH = "Inference-Header-Content-Length"


def byte_model():
    """A linear classifier whose graph takes bytes."""
    weights = [((i * 7) % 11 - 5) / 2000 for i in range(784 * 3)]
    return tiny_files.model(
        [tiny_files.node("Cast", ["bytes"], ["real"], to=1), tiny_files.node("Flatten", ["real"], ["flat"]),
         tiny_files.node("Gemm", ["flat", "w", "b"], ["scores"]), tiny_files.node("Softmax", ["scores"], ["p"])],
        [tiny_files.floats("w", [784, 3], weights), tiny_files.floats("b", [3], [0, 0, 0])],
        [tiny_files.value_info("bytes", ["N", 1, 28, 28], 2)], [tiny_files.value_info("p", ["N", 3])], opset=13)


def tensor(n=1, data=None, datatype="FP32", name="image", **more):
    entry = {"name": name, "shape": [n, 1, 28, 28], "datatype": datatype, **more}
    if data is not None:
        entry["data"] = data
    return entry


def elements(*parts):
    return b"".join(struct.pack("<I", len(p)) + p for p in parts)


class V2(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=28, prefix="c")
        tiny_onnx.write(self.models, "quad", 1, tiny_files.quadrant_model(softmax=False))
        self.d = self.start("--max-pictures", "8", "--max-body-bytes", "200000", "--max-json-values", "7000",
                            "--default-model", "tiny")

    def get(self, path):
        reply = self.d.get(path)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        return reply.json()

    def post(self, body, path="/v2/models/tiny/infer", **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body)
        return self.d.post(path, body, headers={k.replace("_", "-"): str(v) for k, v in headers.items()})

    def infer(self, body, path="/v2/models/tiny/infer"):
        """The outputs of a JSON reply by name, and the reply."""
        reply = self.post(body, path)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        self.assertIsNone(reply.headers[HEADER_LENGTH])
        answer = reply.json()
        return {o["name"]: o for o in answer["outputs"]}, answer

    def infer_binary(self, head, tail, path="/v2/models/tiny/infer"):
        """The outputs of a binary reply by name: entry and bytes."""
        head = json.dumps(head).encode() if head else b""
        reply = self.post(head + tail, path, Inference_Header_Content_Length=len(head))
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/octet-stream")
        n = int(reply.headers[HEADER_LENGTH])
        answer, rest, outputs = json.loads(reply.body[:n]), reply.body[n:], {}
        for output in answer["outputs"]:
            self.assertNotIn("data", output)
            size = output["parameters"]["binary_data_size"]
            outputs[output["name"]] = output, rest[:size]
            rest = rest[size:]
        self.assertEqual(rest, b"")
        return outputs

    def classified(self, body=PICTURE, model="tiny"):
        """What /classify says, as bits in the order of the classes."""
        predictions = self.d.post("/classify/" + model, body).json()["predictions"]
        return struct.pack("<%df" % len(predictions),
                           *(p["probability"] for p in sorted(predictions, key=lambda p: p["index"])))

    def bits(self, output):
        return struct.pack("<%df" % len(output["data"]), *output["data"])

    def refused(self, body, part, status=400, code="invalid_request", path="/v2/models/tiny/infer", **headers):
        reply = self.post(body, path, **headers)
        self.check_error(reply, status, code, part)

    # --- what there is ---

    def test_health_and_server(self):
        self.assertEqual(self.get("/v2/health/live"), {"live": True})
        self.assertEqual(self.get("/v2/health/ready"), {"ready": True})
        server = self.get("/v2")
        self.assertEqual(server["name"], "classifyd")
        self.assertEqual(self.get("/v2/"), server)  # as the specification's OpenAPI document writes it
        self.assertIn("binary_tensor_data", server["extensions"])
        for path in ("/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/stats", "/v2/models/tiny/config"):
            self.check_error(self.d.post(path), 405, "method_not_allowed")
            self.check_error(self.d.request("GET", path, b"x"), 400, "invalid_request", "takes no body")
        self.check_error(self.d.get("/v2/models"), 404, "not_found")
        self.check_error(self.d.get("/v2/models/tiny/infer"), 405, "method_not_allowed")

    def test_not_ready(self):
        tiny_onnx.write(self.models, "broken", 1, b"no model")
        d = self.start("--default-model", "tiny", wait=False)
        d.wait_for(lambda: b"could not be loaded" in d.get("/v2/health/ready").body, "broken model")
        d.wait_for(lambda: d.get("/v2/models/tiny/ready").status == 200, "the model that is loaded after it")
        self.check_error(d.get("/v2/health/ready"), 503, "not_ready", "broken")
        self.assertEqual(d.get("/v2/health/live").status, 200)
        self.check_error(d.get("/v2/models/broken/ready"), 503, "not_ready")

    def test_models(self):
        self.write_model(version=2, seed=2)
        self.assertEqual(self.d.post("/models/tiny/reload", admin=True).status, 200)
        digest = self.d.post("/classify/tiny/2", PICTURE).json()["digest"]
        wanted = {"name": "tiny", "versions": ["1", "2"], "platform": "onnx_onnxv1",
                  "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 1, 28, 28]}],
                  "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]}],
                  "properties": {"version": "2", "digest": digest}}
        self.assertEqual(self.get("/v2/models/tiny"), wanted)
        one = self.get("/v2/models/tiny/versions/1")
        self.assertEqual((one["versions"], one["properties"]["version"]), (["1"], "1"))
        quad = self.get("/v2/models/quad")
        self.assertEqual(quad["outputs"], [{"name": "scores", "datatype": "FP32", "shape": [-1, 4]},
                                           {"name": "probabilities", "datatype": "FP32", "shape": [-1, 4]}])
        self.assertEqual(self.get("/v2/models/tiny/versions/1/ready"), {"name": "tiny", "ready": True})
        config = self.get("/v2/models/tiny/config")
        self.assertEqual(config["input"], [
            {"name": "image", "data_type": "TYPE_FP32", "format": "FORMAT_NCHW", "dims": [1, 28, 28]}])
        self.assertEqual(config["output"], [{"name": "probabilities", "data_type": "TYPE_FP32", "dims": [10]}])
        self.assertEqual(config["max_batch_size"], 32)
        self.assertEqual(self.get("/v2/models/tiny/versions/2/config"), config)
        for path in ("", "/ready", "/config", "/stats"):
            self.check_error(self.d.get("/v2/models/none" + path), 404, "model_not_found")
            self.check_error(self.d.get("/v2/models/tiny/versions/7" + path), 404, "model_not_found")
        _, first = self.infer({"inputs": [tensor(data=TENSOR)]}, "/v2/models/tiny/versions/1/infer")
        _, latest = self.infer({"inputs": [tensor(data=TENSOR)]})
        self.assertEqual((first["model_version"], latest["model_version"]), ("1", "2"))
        self.assertNotEqual(first["outputs"], latest["outputs"])
        self.assertEqual(latest["parameters"], {"digest": digest})

    def test_the_configuration_says_the_order_of_dimensions(self):
        nodes = [tiny_files.node("Flatten", ["x"], ["flat"]), tiny_files.node("Softmax", ["flat"], ["p"])]
        for name, dims, wanted in (("last", [2, 3, 3], "FORMAT_NHWC"), ("first", [3, 2, 3], "FORMAT_NCHW"),
                                   ("flat", [18], "FORMAT_NONE")):
            size = {"classifyd.preprocess": json.dumps({"width": 3, "height": 2, "color": "rgb"})}
            tiny_onnx.write(self.models, name, 1, tiny_files.model(
                nodes, [], [tiny_files.value_info("x", ["N", *dims])], [tiny_files.value_info("p", ["N", 18])], size))
            reply = self.d.post("/models/%s/reload" % name, admin=True)
            self.assertEqual(reply.status, 200, reply.body)
            self.assertEqual(self.get("/v2/models/%s/config" % name)["input"],
                             [{"name": "x", "data_type": "TYPE_FP32", "format": wanted, "dims": dims}])
            self.assertEqual(self.get("/v2/models/" + name)["inputs"],
                             [{"name": "x", "datatype": "FP32", "shape": [-1, *dims]}])

    def test_the_admin_listener_describes_too(self):
        for path in ("/health/live", "/health/ready", "/models/tiny", "/models/tiny/versions/1", "/models/tiny/ready",
                     "/models/tiny/versions/1/ready", "/models/tiny/config", "/models/tiny/versions/1/config",
                     "/models/stats", "/models/tiny/stats", "/models/tiny/versions/1/stats"):
            reply = self.d.get("/v2" + path, admin=True)
            self.assertEqual((reply.status, reply.json()), (200, self.get("/v2" + path)))
        served, controlled = self.get("/v2"), self.d.get("/v2", admin=True).json()
        self.assertEqual(dict(controlled, extensions=[]), dict(served, extensions=[]))
        # Each says what it has, and the other has not.
        self.assertIn("model_repository", controlled["extensions"])
        self.assertNotIn("model_repository", served["extensions"])
        self.assertIn("binary_tensor_data", served["extensions"])
        self.assertNotIn("binary_tensor_data", controlled["extensions"])
        self.check_error(self.d.post("/v2/models/tiny/infer", b"{}", admin=True), 404, "not_found")

    # --- inference ---

    def test_json_tensors(self):
        wanted = self.classified()
        rows = [TENSOR[i:i + 28] for i in range(0, 784, 28)]
        for data in (TENSOR, [[rows]], rows):
            outputs, answer = self.infer({"inputs": [tensor(data=data)]})
            self.assertEqual(list(outputs), ["probabilities"])
            self.assertEqual(outputs["probabilities"]["shape"], [1, 10])
            self.assertEqual(outputs["probabilities"]["datatype"], "FP32")
            self.assertEqual(self.bits(outputs["probabilities"]), wanted)
            self.assertNotIn("id", answer)
            self.assertEqual(answer["model_name"], "tiny")
        backwards = '{"inputs":[{"data":%s,"datatype":"FP32","shape":[1,1,28,28],"name":"image"}]}' % TENSOR
        outputs, _ = self.infer(backwards.encode())
        self.assertEqual(self.bits(outputs["probabilities"]), wanted)
        outputs, _ = self.infer({"inputs": [tensor(3, TENSOR + [0] * 784 + TENSOR, "FP64")]})
        self.assertEqual(outputs["probabilities"]["shape"], [3, 10])
        bits = self.bits(outputs["probabilities"])
        self.assertEqual((bits[:40], bits[80:]), (wanted, wanted))
        self.assertNotEqual(bits[40:80], wanted)

    def test_whole_numbers_are_floats(self):
        ones = [1] * 784
        want, _ = self.infer({"inputs": [tensor(data=ones)]})
        for datatype in ("UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP64"):
            found, _ = self.infer({"inputs": [tensor(data=ones, datatype=datatype)]})
            self.assertEqual(found, want)
        for datatype, kind in (("UINT8", "B"), ("UINT16", "H"), ("UINT32", "I"), ("UINT64", "Q"), ("INT8", "b"),
                               ("INT16", "h"), ("INT32", "i"), ("INT64", "q"), ("FP16", "e"), ("FP64", "d")):
            data = struct.pack("<784" + kind, *ones)
            found = self.infer_binary({"inputs": [tensor(datatype=datatype,
                                                         parameters={"binary_data_size": len(data)})],
                                       "parameters": {"binary_data_output": True}}, data)
            self.assertEqual(found["probabilities"][1], self.bits(want["probabilities"]))

    def test_binary_tensors(self):
        wanted, data = self.classified(), struct.pack("<784f", *TENSOR)
        head = {"inputs": [tensor(parameters={"binary_data_size": len(data)})],
                "parameters": {"binary_data_output": True}}
        output, found = self.infer_binary(head, data)["probabilities"]
        self.assertEqual((output["shape"], found), ([1, 10], wanted))
        del head["inputs"][0]["parameters"]  # with one input it is what is there
        self.assertEqual(self.infer_binary(head, data)["probabilities"][1], wanted)
        # Binary in, JSON out; and the other way round.
        reply = self.post(json.dumps({"inputs": [tensor()]}).encode() + data,
                          Inference_Header_Content_Length=len(json.dumps({"inputs": [tensor()]})))
        self.assertEqual(self.bits(reply.json()["outputs"][0]), wanted)
        found = self.infer_binary({"inputs": [tensor(data=TENSOR)],
                                   "outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]}, b"")
        self.assertEqual(found["probabilities"][1], wanted)
        # The output's own word counts more than the request's.
        outputs, _ = self.infer({"inputs": [tensor(data=TENSOR)], "parameters": {"binary_data_output": True},
                                 "outputs": [{"name": "probabilities", "parameters": {"binary_data": False}}]})
        self.assertEqual(self.bits(outputs["probabilities"]), wanted)
        # The body is the tensor, or a picture.
        for body in (data, PICTURE):
            self.assertEqual(self.infer_binary(None, body)["probabilities"][1], wanted)

    def test_pictures(self):
        other = daemon.png(value=60)
        wanted = self.classified() + self.classified(other)
        texts = [base64.b64encode(p).decode() for p in (PICTURE, other)]
        for shape, data in (([2], texts), ([2, 1], [[t] for t in texts]), ([2, 1], texts)):
            outputs, _ = self.infer({"inputs": [
                {"name": "image", "shape": shape, "datatype": "BYTES", "data": data}]})
            self.assertEqual(self.bits(outputs["probabilities"]), wanted)
        tail = elements(PICTURE, other)
        for parameters in ({"binary_data_size": len(tail)}, {}):
            found = self.infer_binary({"inputs": [{"name": "image", "shape": [2], "datatype": "BYTES",
                                                   "parameters": parameters}],
                                       "parameters": {"binary_data_output": True}}, tail)
            self.assertEqual(found["probabilities"][1], wanted)

    def test_bad_pictures(self):
        def head(n):
            return json.dumps({"inputs": [{"name": "image", "shape": [n], "datatype": "BYTES"}]}).encode()

        def refused(tail, part, n=1, **more):
            self.refused(head(n) + tail, part, Inference_Header_Content_Length=len(head(n)), **more)
        refused(elements(b"GIF89a"), "element 0 is no PNG or JPEG")
        refused(elements(PICTURE) + b"\1\0", "element 1 has 2 bytes, wanted 4 that are its length")
        for n_bytes in (len(PICTURE) + 1, len(PICTURE) + 4, 4000000000):
            refused(struct.pack("<I", n_bytes) + PICTURE, "element 0 says it has %d bytes, but " % n_bytes)
        refused(elements(PICTURE, PICTURE), "there are 2 pictures, but the shape is [1], wanted [2]")
        refused(elements(PICTURE[:40]), "PNG", code="invalid_image")
        refused(elements(*[PICTURE] * 9), "more than 8 pictures", n=9, status=413, code="too_large")
        entry = {"name": "image", "shape": [1], "datatype": "BYTES"}
        self.refused({"inputs": [dict(entry, data=["&&&"])]}, "inputs[0].data[0]: this is not base64")
        self.refused({"inputs": [dict(entry, data=[1])]}, "data holds numbers, wanted pictures in base64")
        self.refused({"inputs": [tensor(data=[base64.b64encode(PICTURE).decode()])]}, "data holds texts, wanted num")

    def test_scores_and_requested_outputs(self):
        entry = {"name": "x", "shape": [1, 1, 2, 2], "datatype": "FP32", "data": [scaled(v) for v in (0, 51, 102, 255)]}
        path = "/v2/models/quad/infer"
        outputs, _ = self.infer({"inputs": [entry]}, path)
        self.assertEqual(list(outputs), ["scores", "probabilities"])
        self.assertEqual([f32(v) for v in outputs["scores"]["data"]], [f32(8 * v) for v in entry["data"]])
        self.assertEqual(self.bits(outputs["probabilities"]),
                         self.classified(tiny_files.png(2, 2, [0, 51, 102, 255]), "quad"))
        for name in outputs:
            only, _ = self.infer({"inputs": [entry], "outputs": [{"name": name}]}, path)
            self.assertEqual(only, {name: outputs[name]})
        both = self.infer_binary({"inputs": [entry], "outputs": [
            {"name": "probabilities", "parameters": {"binary_data": True}},
            {"name": "scores", "parameters": {"binary_data": True}}]}, b"", path)
        self.assertEqual(list(both), ["probabilities", "scores"])
        for name in both:
            self.assertEqual(both[name][1], self.bits(outputs[name]))
        wanted = [{"name": "scores"}, {"name": "scores"}]
        self.refused({"inputs": [entry], "outputs": wanted}, 'outputs[1].name: "scores" is asked for twice', path=path)
        self.refused({"inputs": [entry], "outputs": [{"name": "sores"}]},
                     'outputs[0].name: the model has no output "sores", wanted "scores" or "probabilities"', path=path)
        self.refused({"inputs": [entry], "outputs": [{}]}, "outputs[0]: the output has no name", path=path)

    def test_classification(self):
        every = self.d.post("/classify/tiny", PICTURE).json()["predictions"]
        texts = ["%f:%d:%s" % (p["probability"], p["index"], p["label"]) for p in every]

        def ask(k, **parameters):
            return {"inputs": [tensor(2, TENSOR * 2)],
                    "outputs": [{"name": "probabilities", "parameters": {"classification": k, **parameters}}]}
        for k, n in ((1, 1), (3, 3), (10, 10), (99, 10)):
            outputs, _ = self.infer(ask(k))
            found = outputs["probabilities"]
            self.assertEqual((found["datatype"], found["shape"]), ("BYTES", [2, n]))
            self.assertEqual(found["data"], texts[:n] * 2)
            output, data = self.infer_binary(ask(k, binary_data=True), b"")["probabilities"]
            self.assertEqual((output["shape"], data), ([2, n], elements(*(t.encode() for t in texts[:n] * 2))))
        outputs, _ = self.infer(ask(0))  # not asked for
        self.assertEqual(outputs["probabilities"]["datatype"], "FP32")
        self.refused(ask(-1), "outputs[0].parameters.classification: this is -1, wanted a whole number of 0")
        self.refused(ask("3"), "outputs[0].parameters.classification: this is a text, wanted a number")

    def test_unnamed_classes_have_no_label(self):
        tiny_onnx.write(self.models, "bytes", 1, byte_model())
        self.assertEqual(self.d.post("/reload", admin=True).status, 200)
        outputs, _ = self.infer({"inputs": [tensor(data=VALUES, datatype="UINT8", name="bytes")],
                                 "outputs": [{"name": "p", "parameters": {"classification": 1}}]},
                                "/v2/models/bytes/infer")
        self.assertRegex(outputs["p"]["data"][0], r"^0\.\d{6}:[012]$")

    def test_a_graph_of_bytes(self):
        tiny_onnx.write(self.models, "bytes", 1, byte_model())
        self.assertEqual(self.d.post("/reload", admin=True).status, 200)
        path, wanted = "/v2/models/bytes/infer", self.classified(model="bytes")
        self.assertEqual(self.get("/v2/models/bytes")["inputs"][0]["datatype"], "UINT8")
        for datatype in ("UINT8", "FP32", "INT64"):
            outputs, _ = self.infer({"inputs": [tensor(data=VALUES, datatype=datatype, name="bytes")]}, path)
            self.assertEqual(self.bits(outputs["p"]), wanted)
        self.assertEqual(self.infer_binary(None, bytes(VALUES), path)["p"][1], wanted)
        self.refused({"inputs": [tensor(data=[0.5] * 784, name="bytes")]},
                     "element 0 of input 'bytes' is 0.5; wanted whole numbers of 0 to 255", path=path)

    def test_id_and_parameters(self):
        for id_text in ("42", "ü\"\\\n", "x" * 1000, ""):
            _, answer = self.infer({"id": id_text, "inputs": [tensor(data=TENSOR)]})
            self.assertEqual(answer["id"], id_text)
        good = {"inputs": [tensor(data=TENSOR)]}
        self.infer(dict(good, parameters={"priority": 1, "timeout": 10000000, "mine": {"a": [1]}}, more=None))
        self.infer(dict(good, parameters={"priority": 0, "timeout": 0}))
        # What we do not know is passed over wherever it stands, and whatever it is.
        mine = {"mine": {"a": [1]}, "more": "x", "headers": 1, "triton_enable_empty_final_response": True}
        sequence = {"sequence_id": 7, "sequence_start": True, "sequence_end": False}
        outputs, _ = self.infer({"parameters": {**mine, **sequence}, "mine": 1,
                                 "inputs": [tensor(data=TENSOR, parameters=mine, mine=1)],
                                 "outputs": [{"name": "probabilities", "parameters": mine, "mine": 1}]})
        self.assertEqual(self.bits(outputs["probabilities"]), self.classified())
        self.refused(dict(good, parameters={"timeout": 1}), "the deadline", 504, "deadline_exceeded")
        for parameters, part in (({"timeout": -1}, "parameters.timeout: this is -1, wanted a whole number of 0 to"),
                                 ({"timeout": "1"}, "parameters.timeout: this is a text, wanted a number"),
                                 ({"priority": 1.5}, "parameters.priority: this is 1.5, wanted a whole number"),
                                 ({"binary_data_output": 1}, "binary_data_output: this is a number, wanted true or")):
            self.refused(dict(good, parameters=parameters), part)
        self.refused(dict(good, id=42), "id: this is a number, wanted a text")

    def test_null_says_nothing(self):
        """Clients that are generated write it for every optional member that they do not fill."""
        entry = tensor(data=TENSOR, parameters=None)
        for more in ({"id": None}, {"parameters": None}, {"outputs": None},
                     {"parameters": {"timeout": None, "priority": None, "binary_data_output": None}},
                     {"outputs": [{"name": "probabilities", "parameters": None}]},
                     {"outputs": [{"name": "probabilities", "parameters": {"binary_data": None,
                                                                           "classification": None}}]}):
            outputs, answer = self.infer({"inputs": [entry], **more})
            self.assertEqual(self.bits(outputs["probabilities"]), self.classified())
            self.assertNotIn("id", answer)
        found = self.infer_binary({"inputs": [dict(tensor(), data=None)], "parameters": {"binary_data_output": True}},
                                  struct.pack("<784f", *TENSOR))
        self.assertEqual(found["probabilities"][1], self.classified())
        self.refused({"inputs": None}, "there are no inputs, wanted one")
        for key in ("name", "datatype", "shape"):
            self.refused({"inputs": [dict(entry, **{key: None})]}, "there is no %s, wanted one" % key)
        self.refused({"inputs": [dict(entry, data=None)]}, "there are no data, wanted")
        self.refused({"inputs": [entry], "outputs": [{"name": None}]}, "the output has no name")
        self.refused(b'{"id":null,"id":"a","inputs":[]}', "id: a second member of this name")
        self.refused({"inputs": [tensor(data=[None] * 784)]}, "inputs[0].data[0]: this is null, wanted a number")

    def test_bad_json(self):
        good = tensor(data=TENSOR)
        missing = {k: v for k, v in good.items()}
        for key in ("name", "datatype", "shape", "data"):
            self.refused({"inputs": [{k: v for k, v in missing.items() if k != key}]}, "there %s no %s, wanted" % (
                "are" if key == "data" else "is", key))
        for body, part in (
                (b"", "the JSON"), (b"[1]", "this is a list, wanted an object"), (b"{", "the JSON ends"),
                ({}, 'there are no inputs, wanted one, "image"'), ({"inputs": []}, "there are no inputs"),
                ({"inputs": {}}, "inputs: this is an object, wanted a list"),
                ({"inputs": [good, good]}, "inputs[1]: a second input, the model has one, \"image\""),
                ({"inputs": [dict(good, name="x")]},
                 'inputs[0].name: the model has no input "x", wanted "image"'),
                ({"inputs": [dict(good, datatype="BOOL")]}, 'inputs[0].datatype: "BOOL" is not taken, wanted FP32'),
                ({"inputs": [dict(good, shape=[1, 784])]},
                 "the shape is [1, 784], wanted [N, 1, 28, 28] with N of 1 or more"),
                ({"inputs": [dict(good, shape=[0, 1, 28, 28])]}, "the shape is [0, 1, 28, 28], wanted"),
                ({"inputs": [dict(good, shape=[-1, 1, 28, 28])]}, "inputs[0].shape[0]: this is -1, wanted a whole"),
                ({"inputs": [dict(good, shape=[1] * 9)]}, "inputs[0].shape[8]: wanted at most 8 dimensions"),
                ({"inputs": [dict(good, data=TENSOR[1:])]}, "data has 783 numbers, wanted 784 for the shape [1, 1,"),
                ({"inputs": [dict(good, data=[300] * 784, datatype="UINT8")]},
                 "element 0 is 300, wanted whole numbers of 0 to 255 for UINT8"),
                ({"inputs": [dict(good, data=[0.5] * 784, datatype="INT32")]}, "element 0 is 0.5, wanted whole"),
                ({"inputs": [dict(good, data=[70000] * 784, datatype="FP16")]}, "element 0 is 70000, wanted numbers"),
                ({"inputs": [dict(good, data=[float("nan")] * 784)]}, "inputs[0].data[0]: found \"NaN\", wanted"),
                ({"inputs": [dict(good, parameters={"shared_memory_region": "r"})]}, "shared memory is not taken"),
                ({"inputs": [dict(good, parameters={"binary_data_size": 3136})]}, "there are data and 0 bytes of bin"),
                (json.dumps({"inputs": [good]}).replace('"name"', '"name": "image", "name"').encode(),
                 "inputs[0].name: a second member of this name"),
                (json.dumps({"inputs": [good]}).encode() + b"x", "wanted the end of the JSON")):
            self.refused(body, part)
        self.refused({"inputs": [tensor(9, [0] * 7001)]}, "more than 7000 numbers, max_json_values", 413, "too_large")
        self.refused({"inputs": [tensor(9, [0] * 6999)]}, "the batch wanted is at most 8, max_pictures", 413, "too_large")
        self.refused({"inputs": [good]}, "no model", 404, "model_not_found", "/v2/models/none/infer")
        self.refused(b"x" * 200001, "max_body_bytes", 413, "too_large")
        self.refused(b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--xyz--\r\n', "multipart", 415,
                     "unsupported_media_type", Content_Type="multipart/form-data; boundary=xyz")

    def test_bad_binary(self):
        data = struct.pack("<784f", *TENSOR)
        head = json.dumps({"inputs": [tensor(parameters={"binary_data_size": 3136})]}).encode()

        def refused(tail, part, length=len(head), head=head):
            self.refused(head + tail, part, Inference_Header_Content_Length=length)
        refused(data[1:], "binary_data_size is 3136, but 3135 bytes stand behind the JSON")
        refused(data + b"x", "binary_data_size is 3136, but 3137 bytes stand behind the JSON")
        short = json.dumps({"inputs": [tensor()]}).encode()
        refused(data[4:], "there are 3132 bytes of binary data, wanted 3136 for FP32 of shape [1, 1, 28, 28]",
                len(short), short)
        for length in ("-1", "x", "1e3", "", "99999", "99999999999999999999"):
            refused(data, HEADER_LENGTH + " is \"%s\", wanted 0 to %d" % (length, len(head) + len(data)), length)
        refused(data, "the JSON ends", len(head) - 1)
        refused(data, "wanted the end of the JSON", len(head) + 1)
        both = json.dumps({"inputs": [tensor(data=TENSOR)]}).encode()
        refused(data, "there are data and 3136 bytes of binary data, wanted one", len(both), both)
        refused(data[:-8] + struct.pack("<ff", float("nan"), 1), "element 782 of input 'image' is nan; wanted finite")
        refused(struct.pack("<784f", *[3e38, -3e38] * 392), "not a finite number")
        self.refused(data[:-1], "the body has 3135 bytes, wanted 3136, the FP32 of one \"image\", or a PNG or JPEG",
                     Inference_Header_Content_Length=0)

    # --- statistics ---

    def test_statistics(self):
        def stats(path="/v2/models/tiny/stats"):
            return self.get(path)["model_stats"][0]
        before = stats()
        self.assertEqual((before["name"], before["version"]), ("tiny", "1"))
        self.assertEqual((before["inference_count"], before["execution_count"]), (0, 0))
        self.infer({"inputs": [tensor(data=TENSOR)]})
        self.infer({"inputs": [tensor(5, TENSOR * 5)]})
        self.d.post("/classify/tiny", PICTURE)
        self.d.post("/classify/tiny", PICTURE[:50])
        after = stats("/v2/models/tiny/versions/1/stats")
        self.assertEqual(after["inference_count"], 7)
        self.assertEqual(sum(b["batch_size"] * b["compute_infer"]["count"] for b in after["batch_stats"]), 7)
        self.assertEqual(sum(b["compute_infer"]["count"] for b in after["batch_stats"]), after["execution_count"])
        counted = after["inference_stats"]
        self.assertEqual({k: v["count"] for k, v in counted.items()}, {
            "success": 3, "fail": 1, "queue": 4, "compute_input": 3, "compute_infer": 3, "compute_output": 3,
            "cache_hit": 0, "cache_miss": 0})
        self.assertGreaterEqual(counted["success"]["ns"], counted["compute_infer"]["ns"])
        self.assertGreater(after["last_inference"], 1600000000000)
        every = self.get("/v2/models/stats")["model_stats"]
        self.assertEqual([(s["name"], s["version"]) for s in every], [("quad", "1"), ("tiny", "1")])
        self.assertEqual(every[1], after)

    def test_writing_answers_takes_time(self):
        for _ in range(20):  # a microsecond counts
            self.infer({"inputs": [tensor(8, TENSOR * 8)]})
        stats = self.get("/v2/models/tiny/stats")["model_stats"][0]
        counted = stats["inference_stats"]
        self.assertGreater(counted["compute_output"]["ns"], 0)
        self.assertGreaterEqual(counted["success"]["ns"], counted["compute_output"]["ns"])
        self.assertEqual({b["compute_output"]["ns"] for b in stats["batch_stats"]}, {0})

    def test_phases_have_one_count_at_any_moment(self):
        """perf_analyzer reads while requests run, and ends with an error if they differ."""
        stop = threading.Event()

        def load(body):
            while not stop.is_set():
                self.post(body)
        threads = [threading.Thread(target=load, args=(json.dumps({"inputs": [tensor(n, TENSOR * n)]}).encode(),))
                   for n in (1, 2, 8)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(200):
                stats = self.get("/v2/models/tiny/stats")["model_stats"][0]
                for counted in (stats["inference_stats"], *stats["batch_stats"]):
                    self.assertEqual(len({counted["compute_" + phase]["count"]
                                          for phase in ("input", "infer", "output")}), 1, counted)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertGreater(stats["inference_count"], 0)

    def test_batching_is_described(self):
        with open(os.path.join(self.models, "tiny", "config.json"), "w") as f:
            json.dump({"batching": {"max_queue": 9, "max_delay_us": 2500, "default_priority": 3}}, f)
        d = self.start("--request-timeout-ms", "1500", "--max-delay-us", "7")
        for name, delay, priority, room in (("tiny", 2500, 3, 9), ("quad", 7, 5, 1024)):
            batching = d.get("/v2/models/%s/config" % name).json()["dynamic_batching"]
            self.assertEqual(batching, {
                "max_queue_delay_microseconds": delay, "preserve_ordering": False, "priority_levels": 10,
                "default_priority_level": priority, "default_queue_policy": {
                    "timeout_action": "REJECT", "default_timeout_microseconds": 1500000,
                    "allow_timeout_override": True, "max_queue_size": room}})

    def test_statistics_of_every_version(self):
        self.write_model(version=2, seed=2)
        self.assertEqual(self.d.post("/reload", admin=True).status, 200)
        for version, n in ((1, 2), (2, 3)):
            self.infer({"inputs": [tensor(n, TENSOR * n)]}, "/v2/models/tiny/versions/%d/infer" % version)
        both = self.get("/v2/models/tiny/stats")["model_stats"]
        self.assertEqual([(s["name"], s["version"], s["inference_count"]) for s in both],
                         [("tiny", "1", 2), ("tiny", "2", 3)])
        for stats in both:
            one = self.get("/v2/models/tiny/versions/%s/stats" % stats["version"])
            self.assertEqual(one["model_stats"], [stats])
        self.check_error(self.d.get("/v2/models/none/stats"), 404, "model_not_found")

    def test_what_perf_analyzer_reads(self):
        """Its sources take these members with these types, and end the run without them."""
        metadata, config = self.get("/v2/models/tiny"), self.get("/v2/models/tiny/config")
        self.assertIn("statistics", self.get("/v2")["extensions"])
        self.assertIs(type(config["max_batch_size"]), int)
        self.assertNotIn("model_transaction_policy", config)
        self.assertNotIn("sequence_batching", config)
        self.assertIn("dynamic_batching", config)
        for described, configured in (("inputs", "input"), ("outputs", "output")):
            self.assertEqual([t["name"] for t in metadata[described]], [t["name"] for t in config[configured]])
            for t, c in zip(metadata[described], config[configured]):
                self.assertEqual("TYPE_" + t["datatype"], c["data_type"])
                self.assertEqual(t["shape"], [-1, *c["dims"]])  # it skips the first if max_batch_size > 0
        before = self.get("/v2/models/tiny/stats")["model_stats"][0]
        head = {"inputs": [tensor(parameters={"binary_data_size": 3136})],
                "outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]}
        for i in range(5):
            self.infer_binary(dict(head, id=str(i)), struct.pack("<784f", *TENSOR))
        after = self.get("/v2/models/tiny/stats")["model_stats"][0]
        int(after["version"])  # std::stoll
        for member in ("inference_count", "execution_count"):
            self.assertEqual(after[member] - before[member], 5)
        parts = {}
        for member in ("success", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit",
                       "cache_miss"):
            found, earlier = after["inference_stats"][member], before["inference_stats"][member]
            self.assertEqual({type(v) for v in found.values()}, {int})
            self.assertEqual(found["count"] - earlier["count"], 0 if member.startswith("cache") else 5)
            parts[member] = found["ns"] - earlier["ns"]
        self.assertGreaterEqual(parts.pop("success"), sum(parts.values()))  # the rest is its overhead


if __name__ == "__main__":
    unittest.main()
