"""Where a request begins and ends, and which path it asks for: what a proxy in front could read otherwise."""
import daemon
from daemon import png, read_all

NEXT = b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


class Framing(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()
        self.d = self.start()

    def refused(self, headers, sentence, body=b"", version=b"1.1"):
        """400, and the connection ends there: whatever follows is no request."""
        for line in (b"POST /classify", b"GET /healthz"):
            reply = self.d.exchange(b"%s HTTP/%s\r\n%s\r\n%s%s" % (line, version, headers, body, NEXT))
            self.assertTrue(reply.startswith(b"HTTP/1.1 400 "), reply)
            self.assertEqual(reply.count(b"HTTP/1.1 "), 1, reply)
            self.assertIn(b'"code":"invalid_request"', reply)
            self.assertIn(sentence, reply)

    def test_two_lengths(self):
        for headers in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                        b"Content-Length: 5\r\ncontent-length: 5\r\n",
                        b"Content-Length: 5\r\nContent-Length: 6\r\n"):
            self.refused(b"Host: h\r\n" + headers, b"the body's length twice", b"0\r\n\r\n")

    def test_transfer_encodings_that_are_not_taken(self):
        for value in (b"gzip, chunked", b"xchunked", b"identity", b"chunked, chunked", b""):
            self.refused(b"Host: h\r\nTransfer-Encoding: %s\r\n" % value, b"Transfer-Encoding is", b"0\r\n\r\n")
        self.refused(b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0", b"0\r\n\r\n", b"1.0")
        body = png()
        reply = self.d.exchange(b"POST /classify?top=1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: CHUNKED\r\n"
                                b"\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) + NEXT)
        self.assertEqual(reply.count(b"HTTP/1.1 200 "), 2, reply)

    def test_a_name_with_a_blank(self):
        """Some read it as the header's name without the blank."""
        for name in (b"Content-Length ", b"Content-Length\t", b"Transfer-Encoding ", b"X A"):
            self.refused(b"Host: h\r\n%s: 5\r\n" % name, b"blank")

    def test_headers_that_stand_there_twice(self):
        for name in ("Host", "Content-Type", "Content-Encoding", "Authorization", "X-API-Key",
                     "Inference-Header-Content-Length", "X-Request-Deadline-Ms", "X-Request-Priority"):
            lines = "%s: 1\r\n%s: 2\r\n" % (name, name.lower())
            host = "" if name == "Host" else "Host: h\r\n"
            self.refused((host + lines).encode(), ("the header %s stands there twice" % name).encode())
        # What may be a list may also stand on two lines.
        reply = self.d.exchange(NEXT.replace(b"\r\n\r\n", b"\r\nAccept-Encoding: gzip\r\nAccept-Encoding: br\r\n\r\n"))
        self.assertTrue(reply.startswith(b"HTTP/1.1 200 "), reply)

    def test_no_host(self):
        """RFC 9112, 3.2: HTTP/1.1 wants one, which may be empty."""
        for headers in (b"", b"X-Host: h\r\n"):
            self.refused(headers, b"the header Host is missing", version=b"1.1")
        for head in (b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", b"GET /healthz HTTP/1.0\r\n\r\n"):
            self.assertTrue(self.d.exchange(head + NEXT).startswith(b"HTTP/1.1 200 "))

    def test_a_blank_in_the_target(self):
        for target in (b"/health z", b"/healthz?a= b", b"/healthz HTTP/1.1"):
            reply = self.d.exchange(NEXT.replace(b"/healthz", target) + NEXT)
            self.assertTrue(reply.startswith(b"HTTP/1.1 400 "), reply)
            self.assertEqual(reply.count(b"HTTP/1.1 "), 1, reply)
            self.assertIn(b"the request line has a blank", reply)

    def test_absolute_form(self):
        """RFC 9112, 3.2.2: a server takes it, though only proxies are sent it."""
        for target in (b"http://h/healthz", b"HTTPS://h:1/healthz", b"http://h/healthz?a=/b"):
            reply = self.d.exchange(NEXT.replace(b"/healthz", target))
            self.assertIn(b'{"status":"ok"}', reply)
        for target in (b"http://h", b"http://h?top=1"):
            self.assertIn(b'{"status":"alive"}', self.d.exchange(NEXT.replace(b"/healthz", target)))
        for target in (b"ftp://h/healthz", b"http:/healthz", b"healthz", b"*"):
            self.assertTrue(self.d.exchange(NEXT.replace(b"/healthz", target)).startswith(b"HTTP/1.1 404 "), target)

    def test_a_form_in_two_pieces(self):
        """Wherever it is cut, no part becomes two and none gets lost. A chunk comes as a piece of its own."""
        part = b'--xx\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        body = part + png() + b"\r\n" + part + png() + b"\r\n--xx--\r\n"
        head = (b"POST /classify?top=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
                b"Content-Type: multipart/form-data; boundary=xx\r\n\r\n")
        for begin in (len(part), body.index(part, 1) + len(part)):
            for cut in range(begin - 5, begin + 10):
                chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:cut], body[cut:], b"")]
                reply = self.d.exchange(head + b"".join(chunks))
                self.assertIn(b"HTTP/1.1 200 ", reply, cut)
                self.assertEqual(reply.count(b'"label"'), 2, reply)

    def test_a_form_without_a_boundary_is_refused_before_it_is_sent(self):
        with self.d.connect() as s:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 100\r\n"
                      b"Content-Type: multipart/form-data\r\n\r\n")
            reply = read_all(s)
        self.assertTrue(reply.startswith(b"HTTP/1.1 400 "), reply)
        self.assertIn(b"boundary", reply)

    def test_empty_parts(self):
        part = '--xx\r\nContent-Disposition: form-data; name="image"; filename="%s"\r\n\r\n'
        head = {"Content-Type": "multipart/form-data; boundary=xx"}
        empty, full = (part % "a.png").encode(), (part % "b.png").encode() + png()
        for body in (empty, empty + b"\r\n" + full, full + b"\r\n" + empty):
            reply = self.d.post("/classify", body + b"\r\n--xx--\r\n", headers=head)
            self.check_error(reply, 400, "invalid_request", '"a.png" of the form is empty')


if __name__ == "__main__":
    daemon.main()
