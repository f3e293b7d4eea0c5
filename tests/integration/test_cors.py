"""CORS: preflights, what answers say to pages of other origins, and that nothing is said where it is off."""
import json
import os
import re
import shutil
import tempfile

import daemon
from daemon import png, run

PAGE = "https://app.example.org"


def preflight(origin=PAGE, method="POST", **more):
    return {"Origin": origin, "Access-Control-Request-Method": method, **more}


class Cors(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()

    def start_for(self, origins, *flags):
        return self.start("--cors-allow-origins", origins, *flags)

    def cors_headers(self, reply):
        return {k.lower(): v for k, v in reply.headers.items() if k.lower().startswith("access-control-")}

    def test_off(self):
        d = self.start()
        reply = d.request("OPTIONS", "/classify", headers=preflight())
        self.check_error(reply, 405, "method_not_allowed")
        self.assertEqual(self.cors_headers(reply), {})
        reply = d.post("/classify", png(), headers={"Origin": PAGE})
        self.assertEqual(reply.status, 200)
        self.assertEqual(self.cors_headers(reply), {})
        self.assertNotIn("Origin", reply.headers.get_all("Vary") or [])

    def test_preflight(self):
        d = self.start_for("http://localhost:3000, %s" % PAGE)
        reply = d.request("OPTIONS", "/classify/tiny", headers=preflight(
            **{"Access-Control-Request-Headers": "authorization,content-type"}))
        self.assertEqual((reply.status, reply.body), (200, b"{}\n"))
        headers = self.cors_headers(reply)
        self.assertEqual(headers["access-control-allow-origin"], PAGE)
        self.assertEqual(headers["access-control-allow-methods"], "POST, PUT")
        allowed = re.split(", *", headers["access-control-allow-headers"].lower())
        for name in ("authorization", "content-type", "x-api-key", "x-request-id", "inference-header-content-length"):
            self.assertIn(name, allowed)
        self.assertEqual(headers["access-control-max-age"], "600")
        self.assertIn("Origin", reply.headers.get_all("Vary"))
        self.assertNotIn("access-control-allow-credentials", headers)
        reply = d.request("OPTIONS", "/models", headers=preflight(method="GET"))
        self.assertEqual(self.cors_headers(reply)["access-control-allow-methods"], "GET, HEAD")

    def test_a_preflight_is_no_request_of_the_rate_limit(self):
        d = self.start_for(PAGE, "--rate-limit-per-s", "1", "--rate-limit-burst", "1")
        for _ in range(5):
            self.assertEqual(d.request("OPTIONS", "/classify", headers=preflight()).status, 200)
        self.assertEqual(d.post("/classify", png(), headers={"Origin": PAGE}).status, 200)

    def test_what_is_no_preflight(self):
        d = self.start_for(PAGE)
        self.check_error(d.request("OPTIONS", "/classify"), 405, "method_not_allowed")
        self.check_error(d.request("OPTIONS", "/classify", headers={"Origin": PAGE}), 405, "method_not_allowed")
        self.check_error(d.request("OPTIONS", "/nowhere", headers=preflight()), 404, "not_found")
        reply = d.request("DELETE", "/classify", headers=preflight())
        self.check_error(reply, 405, "method_not_allowed")
        self.assertEqual(self.cors_headers(reply)["access-control-allow-origin"], PAGE)
        reply = d.request("OPTIONS", "/reload", headers=preflight(), admin=True)
        self.check_error(reply, 405, "method_not_allowed")
        self.assertEqual(self.cors_headers(reply), {})

    def test_a_preflight_with_a_body(self):
        d = self.start_for(PAGE)
        self.assertEqual(d.request("OPTIONS", "/classify", b"x" * 1000, headers=preflight()).status, 200)

    def test_other_origins(self):
        d = self.start_for(PAGE)
        for origin in ("https://evil.example.org", "null", PAGE + ".evil.org", "http://app.example.org",
                       PAGE + ":8443", PAGE.upper(), PAGE[:-1], ""):
            reply = d.request("OPTIONS", "/classify", headers=preflight(origin))
            self.check_error(reply, 403, "forbidden", "is not among cors_allow_origins")
            self.assertEqual(self.cors_headers(reply), {})
            reply = d.post("/classify", png(), headers={"Origin": origin})
            self.assertEqual((reply.status, self.cors_headers(reply)), (200, {}))
            self.assertIn("Origin", reply.headers.get_all("Vary"))

    def test_answers(self):
        d = self.start_for(PAGE)
        for reply in (d.post("/classify", png(), headers={"Origin": PAGE}),
                      d.post("/classify", b"rubbish", headers={"Origin": PAGE}),
                      d.get("/nowhere", headers={"Origin": PAGE}), d.get("/readyz", headers={"Origin": PAGE})):
            headers = self.cors_headers(reply)
            self.assertEqual(headers["access-control-allow-origin"], PAGE)
            exposed = re.split(", *", headers["access-control-expose-headers"].lower())
            standard = ("content-type", "content-length", "connection", "date", "vary", "allow")
            for name in reply.headers:
                if name.lower() not in standard and not name.lower().startswith("access-control-"):
                    self.assertIn(name.lower(), exposed)
            self.assertEqual(reply.headers.get_all("Vary").count("Origin"), 1)
        reply = d.post("/classify", png())  # no page asks
        self.assertEqual(self.cors_headers(reply), {})
        self.assertIn("Origin", reply.headers.get_all("Vary"))
        self.assertEqual(self.cors_headers(d.get("/models", headers={"Origin": PAGE}, admin=True)), {})

    def test_all_origins(self):
        d = self.start_for("*")
        for origin in (PAGE, "null", "http://[::1]:5"):
            reply = d.post("/classify", png(), headers={"Origin": origin})
            self.assertEqual(self.cors_headers(reply)["access-control-allow-origin"], "*")
            self.assertNotIn("Origin", reply.headers.get_all("Vary") or [])
            reply = d.request("OPTIONS", "/classify", headers=preflight(origin))
            self.assertEqual((reply.status, self.cors_headers(reply)["access-control-allow-origin"]), (200, "*"))

    def test_with_keys(self):
        folder = tempfile.mkdtemp(prefix="classifyd_cors_")
        self.addCleanup(shutil.rmtree, folder)
        keys = os.path.join(folder, "keys")
        with open(keys, "w") as f:
            f.write("page:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\n")
        d = self.start_for(PAGE, "--api-keys-file", keys)
        self.assertEqual(d.request("OPTIONS", "/classify", headers=preflight()).status, 200)
        reply = d.post("/classify", png(), headers={"Origin": PAGE})
        self.check_error(reply, 401, "unauthorized")  # which the page can read
        self.assertEqual(self.cors_headers(reply)["access-control-allow-origin"], PAGE)
        reply = d.post("/classify", png(), headers={"Origin": PAGE, "Authorization": "Bearer secret"})
        self.assertEqual(reply.status, 200)

    def test_a_reload_of_the_settings_holds_at_once(self):
        config = os.path.join(self.models, ".config.json")

        def allow(origins):
            with open(config, "w") as f:
                json.dump({"cors_allow_origins": origins}, f)
        allow("")
        d = self.start("--config", config)
        self.check_error(d.request("OPTIONS", "/classify", headers=preflight()), 405, "method_not_allowed")
        allow(PAGE)
        self.assertEqual(d.post("/config/reload", admin=True).status, 200)
        self.assertEqual(d.request("OPTIONS", "/classify", headers=preflight()).status, 200)
        allow("nonsense")
        self.check_error(d.post("/config/reload", admin=True), 422, "config_rejected", "cors_allow_origins has")
        self.assertEqual(d.request("OPTIONS", "/classify", headers=preflight()).status, 200)

    def test_bad_settings(self):
        for origins in ("app.example.org", PAGE + "/", PAGE + "/page", "*, " + PAGE, "https://*.example.org", "null",
                        "https://", "://x", "https://a@b", "https://" + 300 * "x"):
            result = run("--cors-allow-origins", origins, "--models", self.models)
            self.assertEqual(result.returncode, 1)
            self.assertIn("cors_allow_origins has", result.stderr)


if __name__ == "__main__":
    daemon.main()
