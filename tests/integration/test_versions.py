"""Which versions serve and what they are called: policies, labels, the default model, the repository API."""
import base64
import json
import os
import shutil
import threading
import time
import unittest

import daemon
import tiny_onnx
from daemon import png


class Case(daemon.TestCase):
    def write_config(self, name="tiny", **keys):
        os.makedirs(os.path.join(self.models, name), exist_ok=True)
        path = os.path.join(self.models, name, "config.json")
        with open(path + ".tmp", "w") as f:
            json.dump(keys, f)
        os.replace(path + ".tmp", path)

    def write_versions(self, *versions, name="tiny"):
        for v in versions:
            self.write_model(name, v, seed=v, prefix="v%d-" % v)

    def models_of(self, d, admin=True):
        return {m["name"]: m for m in d.get("/models", admin=admin).json()["models"]}

    def serving(self, d, name="tiny"):
        return [v["version"] for v in self.models_of(d)[name]["versions"] if v["state"] == "ready"]

    def version(self, d, path="/classify/tiny"):
        reply = d.post(path, png())
        return reply.json()["version"] if reply.status == 200 else reply.status

    def move(self, d, label, version, name="tiny", method="PUT"):
        return d.request(method, "/models/%s/labels/%s" % (name, label), json.dumps({"version": version}), admin=True)

    def repository(self, d, call, name="tiny", body=b""):
        return d.post("/v2/repository/models/%s/%s" % (name, call), body, admin=True)

    def index(self, d, body=b""):
        return {(m["name"], m["version"]): (m["state"], m["reason"])
                for m in d.post("/v2/repository/index", body, admin=True).json()}


class Labels(Case):
    def test_config_sets_them_and_a_call_moves_them(self):
        self.write_versions(1, 2, 3)
        self.write_config(version_labels={"stable": 1, "canary": "3"})
        d = self.start()
        self.assertEqual(self.models_of(d, admin=False)["tiny"]["labels"], {"stable": "1", "canary": "3"})
        self.assertEqual(self.version(d, "/classify/tiny/stable"), "1")
        self.assertEqual(self.version(d, "/classify/tiny/canary"), "3")
        self.assertEqual(self.version(d), "3")
        reply = self.move(d, "stable", "2")
        self.assertEqual((reply.status, reply.json()), (200, {"model": "tiny", "label": "stable", "version": "2"}))
        self.assertEqual(self.move(d, "blue", 1, method="POST").status, 200)
        self.assertEqual(self.version(d, "/classify/tiny/stable"), "2")
        d.post("/reload", admin=True)
        self.assertEqual(self.models_of(d)["tiny"]["labels"], {"stable": "2", "canary": "3", "blue": "1"})
        self.write_config(version_labels={"stable": 3})
        d.post("/models/tiny/reload", admin=True)
        self.assertEqual(self.models_of(d)["tiny"]["labels"], {"stable": "3", "blue": "1"})
        self.assertEqual(d.request("DELETE", "/models/tiny/labels/blue", admin=True).status, 200)
        self.check_error(d.post("/classify/tiny/blue", png()), 404, "model_not_found", "blue")

    def test_a_label_whose_version_is_taken_away(self):
        self.write_versions(1, 2)
        d = self.start()
        self.assertEqual(self.move(d, "stable", "2").status, 200)
        shutil.rmtree(os.path.join(self.models, "tiny", "2"))
        self.assertEqual(d.post("/reload", admin=True).status, 200)
        for path in "/classify/tiny/stable", "/predictions/tiny/stable", "/v1/models/tiny/labels/stable:predict":
            self.check_error(d.post(path, png()), 404, "model_not_found", "label 'stable' of model 'tiny' points to "
                             "version 2, which there is not")

    def test_config_moves_none_from_what_serves_to_what_does_not(self):
        self.write_versions(1)
        self.write_config(version_labels={"stable": 1})
        d = self.start()
        self.write_config(version_labels={"stable": 2, "next": 2})
        tiny_onnx.write(self.models, "tiny", 2, b"no model")
        self.check_error(d.post("/models/tiny/reload", admin=True), 422, "model_rejected")
        self.assertEqual(self.version(d, "/classify/tiny/stable"), "1")
        self.check_error(d.post("/classify/tiny/next", png()), 503, "not_ready", "version 2")
        self.write_versions(2)
        self.assertEqual(d.post("/models/tiny/reload", admin=True).status, 200)
        self.assertEqual(self.version(d, "/classify/tiny/stable"), "2")

    def test_refusals(self):
        self.write_versions(1)
        d = self.start()
        self.check_error(self.move(d, "stable", "2"), 409, "conflict", "the highest that does is 1")
        self.check_error(self.move(d, "stable", "x"), 409, "conflict")
        self.check_error(self.move(d, "7", "1"), 400, "invalid_request", "not a number")
        self.check_error(self.move(d, "stable", "1", name="nope"), 404, "model_not_found", "nope")
        self.check_error(d.request("DELETE", "/models/tiny/labels/x", admin=True), 404, "model_not_found")
        for body in (b"", b"{}", b"[]", b'{"version":{}}', b'{"version":0}', b'{"version":"1","x":1}',
                     b'{"version":"1","version":"1"}', b'{"version":"%s"}' % (b"1" * 99)):
            self.check_error(d.request("PUT", "/models/tiny/labels/stable", body, admin=True), 400, "invalid_request")
        self.assertEqual(self.models_of(d)["tiny"]["labels"], {})
        self.check_error(d.request("PUT", "/models/tiny/labels/stable", b"{}"), 404, "not_found")

    def test_default_model(self):
        self.write_versions(1)
        self.write_versions(1, name="other")
        d = self.start("--default-model", "tiny")
        self.assertEqual(d.post("/classify", png()).json()["model"], "tiny")
        reply = d.request("PUT", "/default_model", b'{"model":"other"}', admin=True)
        self.assertEqual((reply.status, reply.json()), (200, {"default_model": "other"}))
        self.assertEqual(d.post("/classify", png()).json()["model"], "other")
        d.post("/reload", admin=True)
        self.assertEqual(d.get("/models").json()["default_model"], "other")
        self.check_error(d.post("/default_model", b'{"model":"x"}', admin=True), 404, "model_not_found")
        self.assertEqual(d.post("/default_model", b'{"model":""}', admin=True).status, 200)
        self.check_error(d.post("/classify", png()), 404, "model_not_found")


class Policies(Case):
    def test_latest(self):
        self.write_versions(1, 2, 3)
        self.write_config(version_policy={"latest": {"n_versions": 2}})
        d = self.start()
        self.assertEqual(self.serving(d), ["2", "3"])
        self.check_error(d.post("/classify/tiny/1", png()), 404, "model_not_found")
        self.write_versions(10)
        rows = d.post("/models/tiny/reload", admin=True).json()["models"]
        self.assertEqual([(r["version"], r["result"]) for r in rows],
                         [("3", "loaded"), ("10", "loaded"), ("2", "removed")])
        self.assertIn("policy", rows[2]["reason"])
        self.assertEqual(self.serving(d), ["3", "10"])

    def test_specific_all_and_the_daemons_default(self):
        self.write_versions(1, 2, 3)
        self.write_versions(1, 2, name="other")
        self.write_config(version_policy={"specific": {"versions": [1, 3, 7]}})
        d = self.start("--latest-versions", "1")
        self.assertEqual((self.serving(d), self.serving(d, "other")), (["1", "3"], ["2"]))
        self.write_config(version_policy={"all": {}})
        self.assertEqual(d.post("/reload", admin=True).status, 200)
        self.assertEqual((self.serving(d), self.serving(d, "other")), (["1", "2", "3"], ["2"]))
        self.write_config(version_policy={"specific": {"versions": [9]}})
        for _ in range(2):
            self.check_error(d.post("/models/tiny/reload", admin=True), 422, "model_rejected", "leaves no version")
            self.check_error(d.post("/reload", admin=True), 422, "model_rejected", "leaves no version")
        self.check_error(self.repository(d, "load"), 400, "load_failed", "leaves no version")
        self.assertEqual(self.serving(d), ["1", "2", "3"])

    def test_a_policy_that_leaves_nothing_is_no_start(self):
        self.write_versions(1, 2)
        self.write_config(version_policy={"specific": {"versions": [9]}})
        d = self.start(wait=False)
        d.wait_for(lambda: b"tiny has no version that serves: it could not be loaded" in d.get("/readyz").body,
                   "the end of the first load")
        self.assertIn("leaves no version", self.models_of(d)["tiny"]["versions"][0]["reason"])
        checked = daemon.run("--check", "--models", self.models)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("leaves no version of it; the highest that there is is 2", checked.stdout + checked.stderr)

    def test_a_label_keeps_its_version(self):
        self.write_versions(1, 2)
        self.write_config(version_policy={"latest": {"n_versions": 1}}, version_labels={"stable": 1})
        d = self.start()
        self.assertEqual(self.serving(d), ["1", "2"])
        self.assertEqual(self.move(d, "stable", "2").status, 200)
        d.post("/reload", admin=True)
        self.assertEqual(self.serving(d), ["2"])

    def test_more_labels_than_there_may_be(self):
        self.write_versions(1)
        self.write_versions(1, name="other")
        self.write_config(version_labels={"a": 1})
        d = self.start()
        for i in range(5):
            self.assertEqual(self.move(d, "call%d" % i, 1).status, 200)
        before = self.models_of(d)["tiny"]["labels"]
        self.write_versions(2)
        self.write_versions(2, name="other")
        self.write_config(version_labels={"config%d" % i: 1 for i in range(60)})
        reply = d.post("/reload", admin=True)
        self.check_error(reply, 422, "model_rejected", "65 labels")
        self.assertEqual([(r["model"], r["version"], r["result"]) for r in reply.json()["models"]],
                         [("other", "1", "loaded"), ("other", "2", "loaded"),
                          ("tiny", "1", "rejected"), ("tiny", "2", "rejected")])
        self.check_error(self.repository(d, "load"), 400, "load_failed", "65 labels")
        self.assertEqual((self.serving(d), self.serving(d, "other")), (["1"], ["1", "2"]))
        self.assertEqual(self.models_of(d)["tiny"]["labels"], before)
        self.write_config(version_labels={"config%d" % i: 1 for i in range(59)})
        self.assertEqual(d.post("/reload", admin=True).status, 200)
        self.assertEqual(len(self.models_of(d)["tiny"]["labels"]), 64)

    def test_what_no_label_points_to_is_not_loaded(self):
        self.write_versions(*range(1, 10))
        labels = {"l%d" % i: i for i in range(1, 9)}
        self.write_config(version_policy={"latest": {"n_versions": 1}}, version_labels=labels)
        d = self.start()
        for label in labels:
            self.assertEqual(self.move(d, label, 9).status, 200)
        removed = [(str(v), "removed") for v in range(8, 0, -1)]
        for gone in removed, [], []:
            rows = d.post("/reload", admin=True).json()["models"]
            self.assertEqual([(r["version"], r["result"]) for r in rows], [("9", "loaded")] + gone)
        self.assertEqual(self.serving(d), ["9"])

    def test_versions_that_labels_leave_in_the_reload_that_loads_them(self):
        self.write_versions(*range(1, 10))
        latest = {"latest": {"n_versions": 1}}
        self.write_config(version_policy=latest, version_labels={"l%d" % i: i for i in range(1, 9)})
        d = self.start()
        away = os.path.join(self.models, ".away")
        os.mkdir(away)
        for v in range(1, 9):
            os.rename(os.path.join(self.models, "tiny", str(v)), os.path.join(away, str(v)))
        d.post("/reload", admin=True)
        self.assertEqual(self.serving(d), ["9"])
        for v in range(1, 9):
            os.rename(os.path.join(away, str(v)), os.path.join(self.models, "tiny", str(v)))
        self.write_config(version_policy=latest, version_labels={"l%d" % i: 9 for i in range(1, 9)})
        rows = d.post("/reload", admin=True).json()["models"]
        self.assertEqual([(r["version"], r["result"]) for r in rows],
                         [(str(v), "loaded") for v in range(1, 10)] + [(str(v), "removed") for v in range(8, 0, -1)])
        self.assertEqual(self.serving(d), ["9"])

    def test_a_bad_config_changes_nothing(self):
        self.write_versions(1, 2)
        d = self.start()
        self.write_config(version_policy={"newest": {}})
        error = self.check_error(d.post("/reload", admin=True), 422, "model_rejected", "version_policy")
        self.assertEqual([r["result"] for r in error["models"]], ["rejected"] * 2)
        self.assertEqual(self.serving(d), ["1", "2"])

    def test_what_serves_stays_until_the_new_one_does(self):
        self.write_versions(1)
        self.write_config(version_policy={"latest": {"n_versions": 1}})
        d = self.start()
        tiny_onnx.write(self.models, "tiny", 2, b"no model")
        self.check_error(d.post("/models/tiny/reload", admin=True), 422, "model_rejected")
        self.assertEqual(self.serving(d), ["1"])
        self.write_versions(2)
        self.assertEqual(d.post("/models/tiny/reload", admin=True).status, 200)
        self.assertEqual(self.serving(d), ["2"])

    def test_memory_of_a_retired_version_comes_back(self):
        big = tiny_onnx.model(size=256, n_classes=64)  # 16 MB of weights
        self.write_versions(1)
        d = self.start("--access-log", "off")
        d.post("/classify", png())
        before = d.resident_bytes()
        tiny_onnx.write(self.models, "tiny", 2, big)
        self.assertEqual(d.post("/reload", admin=True).status, 200)
        loaded = d.resident_bytes()
        self.write_config(version_policy={"specific": {"versions": [1]}})
        self.assertEqual(d.post("/reload", admin=True).status, 200)
        after = d.resident_bytes()
        print("RSS in MB: %.1f, with the version %.1f, without %.1f" % (before / 1e6, loaded / 1e6, after / 1e6))
        self.assertEqual(self.version(d), "1")
        if not daemon.is_sanitized():
            self.assertGreater(loaded, before + 12e6)
            self.assertLess(after, before + 4e6)


class Repository(Case):
    def test_index(self):
        self.write_versions(1, 2)
        tiny_onnx.write(self.models, "bad", 1, b"no model")
        d = self.start(wait=False)
        d.wait_for(lambda: len(self.index(d)) == 3 and "LOADING" not in str(self.index(d)), "first load")
        index = self.index(d)
        self.assertEqual(index[("tiny", "1")], ("READY", ""))
        self.assertEqual(index[("bad", "1")][0], "UNAVAILABLE")
        self.assertIn("model.onnx", index[("bad", "1")][1])
        self.assertEqual(sorted(self.index(d, b'{"ready":true}')), [("tiny", "1"), ("tiny", "2")])
        for body in (b'{"ready":false}', b'{"ready":null}', b"{}"):
            self.assertEqual(len(self.index(d, body)), 3)
        for body in (b"x", b"[]", b"null", b'{"ready":1}', b'{"x":true}', b'{"x":null}'):
            self.check_error(d.post("/v2/repository/index", body, admin=True), 400, "invalid_request")
        self.check_error(d.post("/v2/repository/index"), 404, "not_found")

    def test_unload_lasts_until_a_load(self):
        self.write_versions(1, 2)
        self.write_versions(1, name="other")
        d = self.start()
        reply = self.repository(d, "unload", body=b'{"parameters":{"unload_dependents":false}}')
        self.assertEqual((reply.status, reply.body), (200, b""))
        for body in (b'{"parameters":{"unload_dependents":null}}', b'{"parameters":null}'):
            reply = self.repository(d, "load", body=b'{"parameters":null}')
            self.assertEqual((reply.status, reply.body), (200, b""))
            self.assertEqual(self.repository(d, "unload", body=body).status, 200)
        self.check_error(d.post("/classify/tiny", png()), 404, "model_not_found", "unloaded")
        self.assertEqual(self.index(d)[("tiny", "2")], ("UNAVAILABLE", "unloaded"))
        self.assertEqual(d.get("/readyz").status, 200)
        rows = d.post("/reload", admin=True).json()["models"]
        self.assertEqual({r["model"] for r in rows}, {"other"})
        self.assertEqual(self.version(d), 404)
        self.assertEqual(self.version(d, "/classify/other"), "1")
        reply = self.repository(d, "load", body=b"{}")
        self.assertEqual((reply.status, reply.body), (200, b""))
        self.assertEqual(self.version(d), "2")
        self.assertEqual(self.repository(d, "unload").status, 200)
        self.assertEqual(d.post("/models/tiny/reload", admin=True).status, 200)
        self.assertEqual(self.version(d), "2")

    def test_refusals(self):
        self.write_versions(1)
        d = self.start()
        for call in ("load", "unload"):
            self.check_error(self.repository(d, call, "nope"), 400, "load_failed", "failed to %s 'nope', " % call)
            for body in (b"x", b"[]", b'{"x":1}', b'{"parameters":[]}', b'{"parameters":{"x":true}}'):
                self.check_error(self.repository(d, call, body=body), 400, "invalid_request")
            self.check_error(d.post("/v2/repository/models/tiny/" + call), 404, "not_found")
        self.check_error(self.repository(d, "load", "a%2Fb"), 400, "load_failed")
        for parameter in ({"config": "{}"}, {"file:1/model.onnx": "AAAA"}):
            body = json.dumps({"parameters": parameter})
            self.check_error(self.repository(d, "load", body=body), 403, "turned_off", "repository_overrides")
        self.assertEqual(self.version(d), "1")

    def test_a_form_is_no_json(self):
        """And not nothing either, which would load and unload."""
        self.write_versions(1)
        d = self.start()
        form = b'--xx\r\nContent-Disposition: form-data; name="config"\r\n\r\n{}\r\n--xx--\r\n'
        for method, path in (("POST", "/v2/repository/index"), ("POST", "/v2/repository/models/tiny/load"),
                             ("POST", "/v2/repository/models/tiny/unload"), ("PUT", "/models/tiny/labels/stable"),
                             ("PUT", "/default_model"), ("PUT", "/log_level")):
            reply = d.request(method, path, form, {"Content-Type": "multipart/form-data; boundary=xx"}, admin=True)
            self.check_error(reply, 415, "unsupported_media_type", "multipart")
        self.assertEqual(self.version(d), "1")

    def test_load_is_all_or_nothing(self):
        self.write_versions(1)
        d = self.start()
        before = d.post("/classify", png()).json()
        self.write_model("tiny", 1, seed=9)
        tiny_onnx.write(self.models, "tiny", 2, b"no model")
        self.check_error(self.repository(d, "load"), 400, "load_failed", "failed to load 'tiny', version 2: ")
        self.assertEqual(d.post("/classify", png()).json(), before)
        shutil.rmtree(os.path.join(self.models, "tiny", "2"))
        self.assertEqual(self.repository(d, "load").status, 200)
        self.assertNotEqual(d.post("/classify", png()).json()["digest"], before["digest"])

    def load(self, d, name="tiny", **parameters):
        names = {k.replace("file_", "file:").replace("_onnx", "/model.onnx"): v for k, v in parameters.items()}
        return self.repository(d, "load", name, json.dumps({"parameters": names}))

    def test_config_override(self):
        self.write_versions(1, 2)
        d = self.start("--repository-overrides", "on")
        config = {"top": 1, "labels": ["l%d" % i for i in range(10)], "version_labels": {"stable": 1},
                  "version_policy": {"specific": {"versions": [1]}}}
        reply = self.load(d, config=json.dumps(config))
        self.assertEqual((reply.status, reply.body), (200, b""))
        answer = d.post("/classify/tiny/stable", png()).json()
        self.assertEqual((answer["version"], len(answer["predictions"])), ("1", 1))
        self.assertTrue(answer["predictions"][0]["label"].startswith("l"))
        self.assertEqual(self.serving(d), ["1"])
        d.post("/reload", admin=True)  # leaves it alone
        self.assertEqual(self.serving(d), ["1"])
        for config in ("{", "[]", '{"labels_file":"/etc/hostname"}', '{"x":1}', '{"version_policy":{}}'):
            self.check_error(self.load(d, config=config), 400, "load_failed", "failed to load 'tiny', ")
            self.assertEqual(self.serving(d), ["1"])
        self.check_error(self.load(d, config=1), 400, "invalid_request", "parameters.config")
        self.assertEqual(self.repository(d, "load").status, 200)
        self.assertEqual(self.serving(d), ["1", "2"])

    def test_upload(self):
        self.write_versions(1)
        d = self.start("--repository-overrides", "on")
        before = sorted(os.walk(self.models))
        contents = tiny_onnx.model(seed=5, prefix="sent-")
        text = base64.b64encode(contents).decode()
        reply = self.load(d, "sent", file_4_onnx=text)
        self.assertEqual((reply.status, reply.body), (200, b""))
        answer = d.post("/classify/sent", png()).json()
        self.assertEqual(answer["version"], "4")
        self.assertTrue(answer["predictions"][0]["label"].startswith("sent-"))
        self.assertEqual(self.load(d, "tiny", file_7_onnx=text, config='{"top":2}').status, 200)
        self.assertEqual((self.serving(d), self.version(d)), (["7"], "7"))
        self.assertEqual(sorted(os.walk(self.models)), before)
        d.post("/reload", admin=True)
        self.assertEqual((self.version(d), self.version(d, "/classify/sent")), ("7", "4"))
        self.assertEqual(self.repository(d, "unload", "sent").status, 200)
        self.assertEqual(self.version(d, "/classify/sent"), 404)
        self.assertEqual(d.post("/models/tiny/reload", admin=True).status, 200)
        self.assertEqual(self.serving(d), ["1"])
        for key, value in (("file:1/model.onnx", "@"), ("file:1/model.onnx", ""), ("file:0/model.onnx", text),
                           ("file:1/../../x", text), ("file:1/model.onnxx", text), ("file:1", text)):
            body = json.dumps({"parameters": {key: value}})
            self.check_error(self.repository(d, "load", body=body), 400, "invalid_request")
        broken = base64.b64encode(contents[:500]).decode()
        self.check_error(self.load(d, "x", file_1_onnx=broken), 400, "load_failed", "failed to load 'x', version 1: ")
        self.assertEqual(self.serving(d), ["1"])
        self.assertNotIn("x", self.models_of(d))
        many = json.dumps({"parameters": {"file:%d/model.onnx" % i: "AAAA" for i in range(1, 18)}})
        self.check_error(self.repository(d, "load", body=many), 400, "invalid_request", "16")

    def test_uploads_are_bounded_together(self):
        self.write_versions(1)
        d = self.start("--repository-overrides", "on", "--max-body-bytes", "1000000", "--max-bodies-bytes", "1048576")
        for n_bytes, status in ((700000, 503), (400000, 200)):  # the body, and as much again for what it holds
            reply = self.load(d, "tiny", config='{"top":2}' + " " * n_bytes)
            self.assertEqual(reply.status, status, reply.body)
            if status == 503:
                self.check_error(reply, 503, "queue_full", "max_bodies_bytes")

    def test_memory_of_an_unloaded_model_comes_back(self):
        self.write_model("big", size=256, n_classes=64)
        self.write_versions(1)
        d = self.start("--access-log", "off")
        loaded = d.resident_bytes()
        self.assertEqual(self.repository(d, "unload", "big").status, 200)
        after = d.resident_bytes()
        print("RSS in MB: loaded %.1f, unloaded %.1f" % (loaded / 1e6, after / 1e6))
        if not daemon.is_sanitized():
            self.assertLess(after, loaded - 12e6)

    def test_unload_drains(self):
        """Requests that have begun are answered; those that come later are told where the model is."""
        told = {404: b"unloaded", 503: b"still being loaded"}
        self.write_versions(1)
        self.write_versions(1, name="other")
        d = self.start("--inline-below-us", "0")
        stop, wrong, seen = threading.Event(), [], set()

        def work():
            while not stop.is_set():
                reply = d.post("/classify/tiny", png())
                seen.add(reply.status)
                if reply.status != 200 and told.get(reply.status, b"-") not in reply.body:
                    wrong.append(reply.body)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        for _ in range(30):
            self.assertEqual(self.repository(d, "unload").status, 200)
            self.assertEqual(self.repository(d, "load").status, 200)
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])
        self.assertLessEqual({200, 404}, seen)

    def test_a_load_delays_nobody(self):
        """While a large model is loaded others are answered, and what was ready stays ready."""
        self.write_versions(1)
        big = tiny_onnx.model(size=512, n_classes=48)  # 50 MB
        d = self.start()
        tiny_onnx.write(self.models, "big", 1, big)
        over, slowest, states, n = threading.Event(), 0.0, set(), 0
        loader = threading.Thread(target=lambda: (self.repository(d, "load", "big"), over.set()))
        loader.start()
        while not over.is_set():
            begin = time.monotonic()
            self.assertEqual(self.version(d), "1")
            slowest = max(slowest, time.monotonic() - begin)
            self.assertEqual(d.get("/readyz").status, 200)
            states.add(self.index(d).get(("big", "1"), ("",))[0])
            n += 1
        loader.join()
        print("%d requests during the load, the slowest took %.0f ms" % (n, slowest * 1e3))
        self.assertGreater(n, 3)
        self.assertEqual(self.index(d)[("big", "1")], ("READY", ""))


if __name__ == "__main__":
    unittest.main()
