"""The log: its level, changed by a call."""
import unittest

import daemon
from daemon import png


class Level(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()

    def put(self, body, **more):
        return self.d.request("PUT", "/log_level", body, admin=True, **more)

    def test_it_is_changed_by_a_call(self):
        self.d = self.start("--log-level", "warn")
        self.assertEqual(self.d.get("/log_level", admin=True).json(), {"level": "warn"})
        self.d.get("/healthz")
        reply = self.put('{"level": "info"}', headers={"X-Request-Id": "who-did-it"})
        self.assertEqual((reply.status, reply.json()), (200, {"level": "info"}))
        self.assertEqual(self.d.get("/log_level", admin=True).json(), {"level": "info"})
        self.d.get("/readyz")
        self.d.wait_for(lambda: "path=/readyz" in self.d.log(), "line of the new level")
        self.assertNotIn("path=/healthz", self.d.log())
        self.assertIn('level=warn msg="log level changed" from=warn to=info id=who-did-it', self.d.log())
        self.put('{"level":"error"}')
        self.d.get("/models")
        self.d.stop()
        self.assertNotIn("path=/models", self.d.log())

    def test_bad_bodies_change_nothing(self):
        self.d = self.start()
        for body, part in (("", "wanted"), ("[]", "wanted"), ("{}", "there is no level"), ("{", ""),
                           ('{"level": 3}', "level"), ('{"level": "loud"}', 'no level "loud"'),
                           ('{"level": "debug", "level": "info"}', "one member too many"),
                           ('{"levels": "info"}', "one member too many"), ('{"level":"info"} x', ""),
                           ('{"level": "%s"}' % ("x" * 99), "")):
            self.check_error(self.put(body), 400, "invalid_request", part)
        self.assertEqual(self.d.get("/log_level", admin=True).json(), {"level": "info"})

    def test_it_is_on_the_admin_listener_only(self):
        self.d = self.start()
        self.check_error(self.d.get("/log_level"), 404, "not_found")
        reply = self.d.post("/log_level", b"{}", admin=True)
        self.check_error(reply, 405, "method_not_allowed")
        self.assertEqual(reply.headers["Allow"], "GET, HEAD, PUT")


if __name__ == "__main__":
    unittest.main()
