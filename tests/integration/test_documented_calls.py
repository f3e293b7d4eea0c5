"""The calls of curl that the documentation of TensorFlow Serving, TorchServe and Triton shows, with our names in them."""
import json
import os
import shlex
import subprocess

import daemon
import tiny_files
import tiny_onnx
from daemon import png

KITTEN = png(40, 30, lambda x, y: (x * 9 + y * 5) % 256, channels=3)


class DocumentedCalls(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model("resnet-18", size=28, prefix="c")
        self.write_model("resnet-18", version=2, size=28, seed=2, prefix="c")
        tiny_onnx.write(self.models, "half", 1, tiny_files.quadrant_model())
        self.d = self.start()
        self.kitten = os.path.join(self.models, ".kitten.png")
        with open(self.kitten, "wb") as f:
            f.write(KITTEN)

    def curl(self, command, status=200, given=None):
        """The JSON that the command gets, and what it says besides. PUBLIC and ADMIN are the listeners, KITTEN is a
        file; given goes into its standard input."""
        for name, value in (("PUBLIC", "127.0.0.1:%d" % self.d.port), ("ADMIN", "127.0.0.1:%d" % self.d.admin_port),
                            ("KITTEN", self.kitten)):
            command = command.replace(name, value)
        words = shlex.split(command)
        run = subprocess.run([words[0], "-sS", "-w", "\n%{http_code} %{content_type}", *words[1:]], check=True,
                             input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        body, _, written = run.stdout.decode().rpartition("\n")
        self.assertEqual(written, "%d application/json" % status, body)
        return json.loads(body.rpartition("\r\n\r\n")[2]), run.stderr.decode()

    def top_five(self, path="/classify/resnet-18"):
        return {p["label"]: p["probability"] for p in self.d.post(path, KITTEN).json()["predictions"][:5]}

    def test_tensorflow_serving(self):
        status, _ = self.curl("curl http://PUBLIC/v1/models/half")
        self.assertEqual(status["model_version_status"], [
            {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}])
        body = '{"instances": [[1.0,2.0,5.0,0]]}'
        answer, _ = self.curl("curl -d '%s' -X POST http://PUBLIC/v1/models/half:predict" % body)
        self.assertEqual(list(answer), ["predictions"])
        self.assertEqual(answer["predictions"][0].index(max(answer["predictions"][0])), 2)
        for more in ("-H 'Content-Type: application/json'", "-i"):
            again, _ = self.curl("curl %s -d '%s' -X POST http://PUBLIC/v1/models/half:predict" % (more, body))
            self.assertEqual(again, answer)
        error, _ = self.curl("curl -i -d '%s' -X POST http://PUBLIC/v1/models/whole:predict" % body, 404)
        self.assertIn("whole", error["error"])
        body = '{"signature_name": "tensorflow/serving/regress", "examples": [{"x": 1.0}]}'
        error, _ = self.curl("curl -d '%s' -X POST http://PUBLIC/v1/models/half:regress" % body, 405)
        self.assertIn("error", error)

    def test_torchserve(self):
        ping, _ = self.curl("curl http://PUBLIC/ping")
        self.assertEqual(ping, {"status": "Healthy"})
        for command in ("curl http://PUBLIC/predictions/resnet-18 -T KITTEN",
                        'curl http://PUBLIC/predictions/resnet-18 -F "data=@KITTEN"',
                        'curl http://PUBLIC/predictions/resnet-18 -F "data=<KITTEN"',
                        "curl -X POST http://PUBLIC/predictions/resnet-18 -T KITTEN",
                        'curl http://PUBLIC/predictions/resnet-18 -T KITTEN -H "Authorization: Bearer FINhR1fj"',
                        "curl http://PUBLIC/predictions/resnet-18/2 -T KITTEN"):
            body, _ = self.curl(command)
            self.assertEqual(body, self.top_five(), command)
        body, _ = self.curl("curl http://PUBLIC/predictions/resnet-18 -T -", given=KITTEN)  # in chunks
        self.assertEqual(body, self.top_five())
        self.assertNotEqual(self.top_five(), self.top_five("/classify/resnet-18/1"))
        body, _ = self.curl('curl http://PUBLIC/predictions/resnet-18/1 -F "data=@KITTEN"')
        self.assertEqual(body, self.top_five("/classify/resnet-18/1"))
        body, _ = self.curl("curl http://PUBLIC/predictions/resnet-18 -F 'data=@KITTEN' -F 'data=@KITTEN'")
        self.assertEqual(body, [self.top_five()] * 2)

    def test_torchserve_management(self):
        for path in ("models", "models?limit=2&next_page_token=2"):
            models, _ = self.curl('curl "http://ADMIN/%s"' % path)
            self.assertEqual([m["modelName"] for m in models["models"]], ["half", "resnet-18"])
        for path, versions in (("", ["2"]), ("/1", ["1"]), ("/all", ["1", "2"]), ("/1?customized=true", ["1"])):
            described, _ = self.curl('curl "http://ADMIN/models/resnet-18%s"' % path)
            self.assertEqual([m["modelVersion"] for m in described], versions)
        for command, status in (('curl -X POST "http://ADMIN/models?url=squeezenet1_1.mar"', 405),
                                ('curl -v -X PUT "http://ADMIN/models/resnet-18?min_worker=3"', 405),
                                ("curl -X DELETE http://ADMIN/models/resnet-18/1", 405),
                                ("curl -v -X PUT http://ADMIN/models/resnet-18/1/set-default", 404),
                                ("curl -X OPTIONS http://PUBLIC", 405)):
            error, _ = self.curl(command, status)
            self.assertTrue(error["error"])

    def test_triton(self):
        ready, said = self.curl("curl -v PUBLIC/v2/health/ready")
        self.assertIn("< HTTP/1.1 200 OK", said)
        self.assertEqual(ready, {"ready": True})
        config, _ = self.curl("curl PUBLIC/v2/models/resnet-18/config")
        self.assertEqual((config["name"], config["max_batch_size"]), ("resnet-18", 32))
        index, _ = self.curl("curl -X POST ADMIN/v2/repository/index")
        self.assertEqual([(m["name"], m["version"]) for m in index],
                         [("half", "1"), ("resnet-18", "1"), ("resnet-18", "2")])


if __name__ == "__main__":
    daemon.main()
