"""A real Prometheus scrapes the daemon; what the dashboard and the alerts ask it for is there.
Skipped without Debian's package prometheus."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import daemon
from daemon import png

DOCKER = os.path.join(daemon.SOURCE, "docker")
METRIC = re.compile(r"(?<![\w:$\"])(?:classifyd|process|up)[a-z0-9_]*(?=[{\[ )]|$)")
# What promtool says of names that are not ours to choose.
FOREIGN = re.compile(r"^(?:nv_inference_\w+|:tensorflow:serving:\w+) (?:counter metrics should have \"_total\" suffix"
                     r"|non-histogram and non-summary metrics should not have \"_count\" suffix"
                     r"|metric names should not contain (?:':'|abbreviated units))$")


def promtool(*arguments, text=None):
    return subprocess.run(["promtool", *arguments], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=daemon.PATIENCE_S)


def dashboard_queries():
    with open(os.path.join(DOCKER, "grafana", "classifyd.json")) as f:
        dashboard = json.load(f)
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def alert_queries():
    """Of the rules, as Prometheus itself reads them, folded lines and all."""
    with open(os.path.join(DOCKER, "alerts.yml")) as f:
        text = f.read()
    found = re.findall(r"^        expr: (?:>\n((?:          .*\n)+)|(.*)\n)", text, re.MULTILINE)
    assert len(found) == text.count("- alert:"), found
    return [" ".join((folded or plain).split()) for folded, plain in found]


class Prometheus:
    """On a free port of the loopback, with a folder of its own that goes with it."""

    def __init__(self, target):
        self.folder = tempfile.mkdtemp(prefix="classifyd_prometheus_")
        with open(os.path.join(DOCKER, "prometheus.yml")) as f:
            config = f.read().replace("classifyd:8080", target).replace("scrape_interval: 5s", "scrape_interval: 300ms\n  evaluation_interval: 500ms")
        with open(os.path.join(self.folder, "prometheus.yml"), "w") as f:
            f.write(config)
        shutil.copy(os.path.join(DOCKER, "alerts.yml"), self.folder)
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["prometheus", "--config.file", os.path.join(self.folder, "prometheus.yml"),
             "--storage.tsdb.path", os.path.join(self.folder, "data"),
             "--web.listen-address", "127.0.0.1:%d" % self.port, "--log.level", "warn"],
            cwd=self.folder, env=dict(os.environ, GOMAXPROCS="1", GOMEMLIMIT="256MiB"), stdout=self.log,
            stderr=self.log)

    def ask(self, path, **parameters):
        url = "http://127.0.0.1:%d/api/v1/%s?%s" % (self.port, path, urllib.parse.urlencode(parameters))
        with contextlib.closing(urllib.request.urlopen(url, timeout=10)) as reply:
            return json.load(reply)["data"]

    def value(self, query):
        """The one value, None if there is not exactly one yet."""
        try:
            result = self.ask("query", query=query)["result"]
        except (OSError, KeyError):
            return None  # it is still starting
        return float(result[0]["value"][1]) if len(result) == 1 else None

    def wait_for(self, query, wanted):
        until = time.monotonic() + daemon.PATIENCE_S
        while self.value(query) != wanted:
            if self.process.poll() is not None or time.monotonic() > until:
                self.log.seek(0)
                raise AssertionError("%s is %s, wanted %s: %s" % (query, self.value(query), wanted, self.log.read()))
            time.sleep(0.1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(daemon.PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)


@unittest.skipUnless(shutil.which("prometheus") and shutil.which("promtool"), "the package prometheus is not installed")
class Scraped(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()

    def ask_all_kinds(self, d):
        for _ in range(3):
            self.assertEqual(d.post("/classify/tiny", png()).status, 200)
        self.assertEqual(d.post("/classify/tiny", b"\x89PNG\r\n\x1a\nbroken").status, 400)
        self.assertEqual(d.post("/classify/nobody", png()).status, 404)
        self.assertEqual(d.post("/reload", admin=True).status, 200)

    def test_prometheus_scrapes_and_answers(self):
        d = self.start("--metrics-aliases", "all")
        self.ask_all_kinds(d)
        p = Prometheus("127.0.0.1:%d" % d.port)
        self.addCleanup(p.stop)
        p.wait_for('up{job="classifyd"}', 1)
        p.wait_for('sum(classifyd_requests_total{route="classify",code="200"})', 3)
        p.wait_for('classifyd_inference_duration_seconds_count{model="tiny",version="1"}', 3)
        p.wait_for('sum(classifyd_inference_failures_total{model="tiny",code="400"})', 1)
        p.wait_for('nv_inference_request_success{model="tiny",version="1"}', 3)
        p.wait_for('nv_inference_request_failure{model="tiny",reason="OTHER"}', 1)
        p.wait_for('{__name__=":tensorflow:serving:request_count",model_name="tiny",status="OK"}', 3)
        p.wait_for('sum(:tensorflow:serving:request_latency_count)', 3)
        self.check_queries(p)
        self.check_rules(p)

    def check_queries(self, p):
        """Every query of the dashboard is understood; those of gauges have answers by now."""
        for query in dashboard_queries():
            query = query.replace("$__rate_interval", "1m").replace("$job", "classifyd").replace("$model", ".*")
            result = p.ask("query", query=query)["result"]
            if "rate(" not in query and "increase(" not in query:
                self.assertTrue(result, query)

    def check_rules(self, p):
        def rules():
            return [rule for group in p.ask("rules")["groups"] for rule in group["rules"]]
        until = time.monotonic() + daemon.PATIENCE_S
        while any(rule["health"] == "unknown" for rule in rules()) and time.monotonic() < until:
            time.sleep(0.2)
        self.assertEqual({rule["name"]: rule["health"] for rule in rules()},
                         {rule["name"]: "ok" for rule in rules()})
        self.assertEqual(len(rules()), len(alert_queries()))

    def test_promtool_is_content(self):
        d = self.start()
        self.ask_all_kinds(d)
        result = promtool("check", "metrics", text=d.get("/metrics").body)
        self.assertEqual((result.returncode, result.stdout), (0, b""))

    def test_promtool_understands_the_aliases(self):
        """The names are other servers' and break its rules of style: it says that and nothing else."""
        d = self.start("--metrics-aliases", "all")
        self.ask_all_kinds(d)
        text = d.get("/metrics").body
        for name in (b"\nnv_inference_count{", b"\n:tensorflow:serving:runtime_latency_bucket{"):
            self.assertIn(name, text)
        said = promtool("check", "metrics", text=text).stdout.decode().splitlines()
        self.assertTrue(said)
        self.assertEqual([line for line in said if not FOREIGN.match(line)], [])

    def test_alerts_fire_when_they_should(self):
        """promtool's clock begins at 0: that is when its series say what they say."""
        day, cases = 86400, []
        for days, alert, wanted in ((13, "Expires", True), (15, "Expires", False), (0.9, "Expired", True),
                                    (-1, "Expired", True), (2, "Expired", False)):
            series = 'classifyd_tls_certificate_expiry_timestamp_seconds{instance="i",job="classifyd",listener="public"}'
            cases.append((series, "%dx200" % (days * day + 7200), "2h", "ClassifydCertificate" + alert, wanted))
        series = 'classifyd_metric_series_refused_total{instance="i",job="classifyd"}'
        cases += [(series, "5x200", "2h", "ClassifydSeriesRefused", False),
                  (series, "0x110 3x90", "2h", "ClassifydSeriesRefused", True)]
        text = "rule_files: [%s]\ntests:\n" % os.path.join(DOCKER, "alerts.yml")
        for series, values, at, alert, _ in cases:
            text += ("  - interval: 1m\n    input_series:\n      - {series: '%s', values: '%s'}\n"
                     "    alert_rule_test:\n      - {eval_time: %s, alertname: %s, exp_alerts: []}\n"
                     % (series, values, at, alert))
        path = os.path.join(self.models, ".alerts.yml")
        with open(path, "w") as f:
            f.write(text)
        said = promtool("test", "rules", path).stdout.decode()
        fired = re.findall(r"alertname: (\w+), time: 2h", said)
        self.assertEqual(fired, [alert for *_, alert, wanted in cases if wanted], said)

    def test_promtool_takes_the_shipped_files(self):
        result = promtool("check", "config", os.path.join(DOCKER, "prometheus.yml"))
        self.assertEqual(result.returncode, 0, result.stdout)


class Names(daemon.TestCase):
    """Without a Prometheus: what dashboard, alerts and page name exists."""

    def test_every_metric_that_is_asked_for_exists(self):
        self.write_model()
        d = self.start()
        d.post("/classify/tiny", png())
        known = set(re.findall(r"^# TYPE (\S+)", d.get("/metrics").body.decode(), re.MULTILINE)) | {"up"}
        with open(os.path.join(daemon.SOURCE, "docs", "metrics.md")) as f:
            known |= set(re.findall(r"^\| `([^`]+)`", f.read(), re.MULTILINE))
        with open(os.path.join(daemon.SOURCE, "docs", "operations.md")) as f:
            page = re.findall(r"`([^`\n]+)`", f.read())
        queries = dashboard_queries() + alert_queries()
        self.assertGreater(len(queries), 20)
        for query in queries:
            names = METRIC.findall(query)
            self.assertTrue(names, query)
            self.check_names(names, known, query)
        for text in page:
            self.check_names([name for name in METRIC.findall(text) if name.startswith("classifyd_")], known, text)

    def check_names(self, names, known, where):
        for name in names:
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            self.assertTrue(name in known or base in known, "%s in: %s" % (name, where))


if __name__ == "__main__":
    unittest.main()
