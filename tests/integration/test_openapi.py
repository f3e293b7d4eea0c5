"""/openapi.json: what it describes is sent to a daemon, and what comes back is what it describes."""
import json
import os
import re
import sys

import daemon
from daemon import png

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

CAPTURES = {"model": "mnist", "version": "1", "label": "stable"}
BOUNDARY = "x1y2z3"
KEYWORDS = {  # of a schema
    "title", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength",
    "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "enum", "type",
    "allOf", "oneOf", "anyOf", "not", "items", "properties", "additionalProperties", "description", "format", "default",
    "nullable", "discriminator", "readOnly", "writeOnly", "xml", "externalDocs", "example", "deprecated"}
BINARY = "application/octet-stream"  # tensors, which have tests of their own


def read_image(name):
    with open(os.path.join(daemon.SOURCE, "tests/images", name), "rb") as f:
        return f.read()


def form(picture):
    head = "--%s\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.png\"\r\n\r\n" % BOUNDARY
    return head.encode() + picture + ("\r\n--%s--\r\n" % BOUNDARY).encode()


class OpenApi(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model("mnist", size=28)
        self.d = self.start()
        self.put_label()

    def put_label(self):
        reply = self.d.request("PUT", "/models/mnist/labels/stable", '{"version": "1"}', admin=True)
        self.assertEqual(reply.status, 200, reply.body)

    def put_back(self, path, method):
        """What the requests of a route took away."""
        if path.endswith("/unload"):
            self.assertEqual(self.d.post("/v2/repository/models/mnist/load", admin=True).status, 200)
        if method == "DELETE" or path.endswith("/unload"):
            self.put_label()

    def document(self, admin):
        reply = self.d.get("/openapi.json", admin=admin)
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "application/json"))
        return reply.json()

    def operations(self):
        """Every one: is it the admin listener's, its path, its method, what the document says, the document."""
        for admin in (False, True):
            document = self.document(admin)
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    yield admin, path, method.upper(), operation, document

    def validate(self, value, schema, document):
        """References lead into the document's components."""
        jsonschema.Draft4Validator(dict(schema, components=document["components"])).validate(value)

    def bodies(self, operation, document):
        """Each form of body that is described, with its headers; None for none."""
        content = operation.get("requestBody", {}).get("content")
        if not content:
            yield None, {}
            return
        for media_type, described in content.items():
            if media_type == "application/json":
                name = described["schema"]["$ref"].rsplit("/", 1)[1]
                example = document["components"]["schemas"][name]["example"]
                self.validate(example, described["schema"], document)
                yield json.dumps(example), {"Content-Type": media_type}
            elif media_type == "multipart/form-data":
                yield form(png()), {"Content-Type": media_type + "; boundary=" + BOUNDARY}
            elif media_type != BINARY:
                names = {"image/png": "seven.png", "image/jpeg": "three.jpg"}
                yield read_image(names[media_type]), {"Content-Type": media_type}

    def check_reply(self, reply, responses, document):
        """Returns the media type."""
        self.assertEqual(reply.status, 200, reply.body)
        described = responses["200"].get("content", {})
        if not described:
            self.assertEqual(reply.body, b"")
            return None
        media_type = reply.headers["Content-Type"].split(";")[0]
        self.assertIn(media_type, described)
        if media_type == "application/json":
            self.assertEqual(reply.headers["Content-Type"], media_type)
            self.validate(reply.json(), described[media_type]["schema"], document)
        elif media_type == "image/png":
            self.assertEqual(reply.body[:8], b"\x89PNG\r\n\x1a\n")
        else:
            self.assertTrue(reply.body.decode())
        return media_type

    def send(self, admin, path, method, body, headers, **captures):
        for name, value in {**CAPTURES, **captures}.items():
            path = path.replace("{%s}" % name, value)
        return self.d.request(method, path, body, headers, admin=admin)

    def test_every_route_answers_as_described(self):
        for admin, path, method, operation, document in self.operations():
            with self.subTest(method=method, path=path):
                described = operation["responses"]["200"].get("content", {None: {}})
                names = {p["name"] for p in operation["parameters"]}
                seen = set()
                for body, headers in self.bodies(operation, document):
                    for media_type in set(described) - {BINARY}:
                        show = "?show=input" if media_type == "image/png" and "show" in names else ""
                        reply = self.send(admin, path + show, method, body, dict(headers, Accept=media_type or "*/*"))
                        seen.add(self.check_reply(reply, operation["responses"], document))
                seen.update({BINARY} & set(described))
                self.assertEqual(seen, set(described))
            self.put_back(path, method)

    def test_headers_are_as_described(self):
        """Whole numbers: what is described is taken, anything else is refused by name."""
        for admin, path, method, operation, document in self.operations():
            headers = {p["name"]: p["schema"] for p in operation["parameters"] if p["in"] == "header"}
            wanted = set()
            if re.match(r"/(classify|explain|predictions)|.*(:predict|:classify|/infer)$", path):
                wanted |= {"X-Request-Deadline-Ms", "X-Request-Priority"}
            if path.endswith("/infer"):
                wanted.add("Inference-Header-Content-Length")
            self.assertEqual(set(headers), wanted, path)
            body, its_headers = next(self.bodies(operation, document))
            for name, schema in headers.items():
                largest = schema.get("maximum", len(body))
                for value, status in (largest, 200), (largest + 1, 400), (schema["minimum"] - 1, 400), ("soon", 400):
                    with self.subTest(method=method, path=path, header=name, value=value):
                        reply = self.send(admin, path, method, body, dict(its_headers, **{name: str(value)}))
                        self.assertEqual(reply.status, status, reply.body)
                        if status == 400:
                            self.assertIn(name, reply.json()["error"])

    def test_errors_are_as_described(self):
        for admin, path, method, operation, document in self.operations():
            with self.subTest(method=method, path=path):
                error = document["components"]["responses"]["Error"]["content"]["application/json"]["schema"]
                self.assertEqual(operation["responses"]["default"], {"$ref": "#/components/responses/Error"})
                if "{model}" in path:
                    body, headers = next(self.bodies(operation, document))
                    reply = self.send(admin, path, method, body, headers or {}, model="other")
                    self.assertEqual(reply.status, 400 if "/repository/" in path else 404, reply.body)  # as Triton
                    self.validate(reply.json(), error, document)
                reply = self.send(admin, path, "BREW", None, {})
                self.assertEqual(reply.status, 405)
                self.assertIn(method, reply.headers["Allow"].split(", "))
                self.validate(reply.json(), error, document)

    def test_a_rejected_reload_is_as_described(self):
        with open(os.path.join(self.models, "mnist", "1", "model.onnx"), "wb") as f:
            f.write(b"no model")
        document = self.document(admin=True)
        for path in ("/reload", "/models/mnist/reload"):
            reply = self.d.post(path, admin=True)
            self.assertEqual(reply.status, 422, reply.body)
            self.validate(reply.json(), {"$ref": "#/components/schemas/Error"}, document)
            self.assertEqual(reply.json()["models"][0]["result"], "rejected")

    def test_lists_are_as_described(self):
        """Forms of answers that the examples do not bring about."""
        image = json.dumps({"images": [self.example()] * 2})
        document = self.document(admin=False)
        for path, schema in (("/classify/mnist", "Predictions"), ("/predictions/mnist", "TorchServePredictions")):
            reply = self.d.post(path, image)
            self.assertEqual(reply.status, 200, reply.body)
            self.validate(reply.json(), {"$ref": "#/components/schemas/" + schema}, document)
        column = json.dumps({"inputs": [{"b64": self.example()}]})
        reply = self.d.post("/v1/models/mnist:predict", column)
        self.validate(reply.json(), {"$ref": "#/components/schemas/V1Predictions"}, document)

    def example(self):
        return self.document(admin=False)["components"]["schemas"]["Pictures"]["example"]["image"]

    def check_keywords(self, schema, where):
        """OpenAPI 3.0.3, 4.7.24: JSON Schema has more (const, say), which generators of clients refuse."""
        if "$ref" in schema:
            self.assertEqual(set(schema), {"$ref"}, where)
            return
        self.assertLessEqual(set(schema), KEYWORDS, where)
        self.assertIsInstance(schema.get("type", ""), str, where)
        for name, inner in schema.get("properties", {}).items():
            self.check_keywords(inner, where + "." + name)
        for key in ("items", "additionalProperties", "not"):
            if isinstance(schema.get(key), dict):
                self.check_keywords(schema[key], where + "." + key)
        for key in ("allOf", "anyOf", "oneOf"):
            for inner in schema.get(key, []):
                self.check_keywords(inner, where + "." + key)

    def test_schemas_are_schemas(self):
        for admin in (False, True):
            for name, schema in self.document(admin)["components"]["schemas"].items():
                jsonschema.Draft4Validator.check_schema(schema)
                self.check_keywords(schema, name)
        self.assertNotEqual(set(self.document(False)["paths"]), set(self.document(True)["paths"]))
        # The validation itself can fail.
        with self.assertRaises(jsonschema.ValidationError):
            self.validate({"predictions": []}, {"$ref": "#/components/schemas/Predictions"}, self.document(False))


if __name__ == "__main__":
    daemon.main()
