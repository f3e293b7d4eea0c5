"""What is JSON and what is not, by the bodies of inference requests over HTTP: as JSONTestSuite names them, y_ must be
taken and n_ refused, in every dialect that reads JSON."""
import base64
import contextlib
import http.client
import json

import daemon
from daemon import png

SIDE = 4
SIXTEEN = b"[" + b",".join(b"0.25" for _ in range(SIDE * SIDE)) + b"]"
PICTURE = base64.b64encode(png(SIDE, SIDE)).decode().encode()

# Dialects: path, body with a place for any value that is passed over.
DIALECTS = {
    "predict rows": ("/v1/models/tiny:predict", b'{"parameters": %s, "instances": [' + SIXTEEN + b"]}"),
    "predict columns": ("/v1/models/tiny:predict", b'{"inputs": [' + SIXTEEN + b'], "parameters": %s}'),
    "classify": ("/v1/models/tiny:classify", b'{"x": [{"y": %s}], "examples": [{"b64": "' + PICTURE + b'"}]}'),
    "infer": ("/v2/models/tiny/infer", b'{"parameters": {"x": %s}, "inputs": [{"name": "image", "datatype": "FP32", '
                                       b'"shape": [1, 1, 4, 4], "data": ' + SIXTEEN + b"}]}"),
}

VALUES = {
    "y_null": b"null",
    "y_true": b"true",
    "y_false": b"false",
    "y_empty_list": b"[]",
    "y_empty_list_with_blanks": b"[ \t\r\n]",
    "y_empty_object": b"{ }",
    "y_empty_text": b'""',
    "y_empty_name": b'{"": 0}',
    "y_same_name_twice": b'{"a": 1, "a": 2}',
    "y_lists_in_lists": b"[[[[]]], [], [[0]]]",
    "y_depth_20": b"[" * 20 + b"]" * 20,
    "y_objects_in_objects": b'{"a": {"b": {"c": [{}]}}}',
    "y_blanks_everywhere": b' { "a" : [ 1 , 2 ] , "b" : null } ',
    "y_zero": b"0",
    "y_minus_zero": b"-0",
    "y_minus_zero_point_zero": b"-0.0",
    "y_exponent": b"1e5",
    "y_exponent_plus": b"1E+5",
    "y_exponent_minus": b"25e-1",
    "y_exponent_zeros": b"1e005",
    "y_fraction": b"123.456e-7",
    "y_many_digits": b"0." + b"1234567890" * 30,
    "y_whole_beyond_64_bits": b"123456789012345678901234567890",
    "y_underflow": b"1e-400",
    "y_largest_double": b"1.7976931348623157e308",
    "y_short_escapes": b'"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    "y_unicode_escape": b'"\\u00e9\\uD83D\\ude00"',
    "y_two_byte_character": '"é"'.encode(),
    "y_three_byte_character": '"€"'.encode(),
    "y_four_byte_character": '"😀"'.encode(),
    "y_line_separator": '"\u2028\u2029"'.encode(),
    "y_not_a_character": b'"\xef\xbf\xbf"',
    "y_delete_character": b'"\x7f"',
    "y_slash": b'"/"',
    "y_long_text": b'"' + b"x" * 100000 + b'"',
    "y_name_with_escapes": b'{"\\u0061\\n": 1}',

    "n_nothing": b"",
    "n_blank": b" ",
    "n_open_list": b"[1",
    "n_open_object": b'{"a": 1',
    "n_open_text": b'"abc',
    "n_closed_twice": b"[1]]",
    "n_closed_by_the_other": b"[1}",
    "n_comma_at_the_end_of_a_list": b"[1,]",
    "n_comma_at_the_end_of_an_object": b'{"a": 1,}',
    "n_comma_at_the_start": b"[,1]",
    "n_two_commas": b"[1,,2]",
    "n_no_comma": b"[1 2]",
    "n_semicolon": b"[1;2]",
    "n_no_colon": b'{"a" 1}',
    "n_two_colons": b'{"a":: 1}',
    "n_comma_for_colon": b'{"a", 1}',
    "n_name_without_quotes": b"{a: 1}",
    "n_name_in_single_quotes": b"{'a': 1}",
    "n_number_as_name": b"{1: 1}",
    "n_null_as_name": b"{null: 1}",
    "n_value_missing": b'{"a":}',
    "n_text_in_single_quotes": b"'abc'",
    "n_word": b"nothing",
    "n_capital_null": b"Null",
    "n_capital_true": b"TRUE",
    "n_cut_true": b"tru",
    "n_longer_true": b"truey",
    "n_nan": b"NaN",
    "n_infinity": b"Infinity",
    "n_minus_infinity": b"-Infinity",
    "n_plus": b"+1",
    "n_minus": b"-",
    "n_minus_word": b"-a",
    "n_two_minus": b"--1",
    "n_blank_behind_minus": b"- 1",
    "n_leading_zero": b"01",
    "n_leading_zero_behind_minus": b"-012",
    "n_leading_point": b".5",
    "n_trailing_point": b"5.",
    "n_point_and_exponent": b"5.e1",
    "n_two_points": b"1.2.3",
    "n_exponent_without_digits": b"1e",
    "n_exponent_sign_without_digits": b"1e+",
    "n_exponent_with_fraction": b"1e2.5",
    "n_two_exponents": b"1e2e3",
    "n_hexadecimal": b"0x1F",
    "n_digit_separator": b"1_000",
    "n_full_width_digit": "１".encode(),
    "n_letter_behind_number": b"1a",
    "n_number_that_no_double_holds": b"1e999",
    "n_unknown_escape": b'"\\a"',
    "n_hexadecimal_escape": b'"\\x41"',
    "n_escaped_end": b'"\\"',
    "n_short_unicode_escape": b'"\\u00e"',
    "n_bad_unicode_escape": b'"\\u00eg"',
    "n_lone_high_surrogate": b'"\\ud83d"',
    "n_lone_low_surrogate": b'"\\ude00"',
    "n_high_surrogate_twice": b'"\\ud83d\\ud83d"',
    "n_line_in_text": b'"a\nb"',
    "n_tab_in_text": b'"a\tb"',
    "n_zero_byte_in_text": b'"a\x00b"',
    "n_zero_byte": b"\x00",
    "n_latin_1": b'"\xe9"',
    "n_cut_character": b'"\xe2\x82"',
    "n_overlong_character": b'"\xc0\xaf"',
    "n_surrogate_in_utf8": b'"\xed\xa0\x80"',
    "n_beyond_unicode": b'"\xf4\x90\x80\x80"',
    "n_continuation_alone": b'"\x80"',
    "n_form_feed": b"[1\x0c]",
    "n_no_break_space": b"[1,\xc2\xa02]",
    "n_line_comment": b"1 // one",
    "n_block_comment": b"/* one */ 1",
    "n_hash_comment": b"1 # one",
    "n_endless_lists": b"[" * 100000,
    "n_endless_objects": b'{"a":' * 50000,
}

# Whole bodies: what stands before and behind the object.
AROUND = {
    "y_blanks": (b" \r\n\t", b" \r\n\t"),
    "n_byte_order_mark": (b"\xef\xbb\xbf", b""),
    "n_word_behind": (b"", b" x"),
    "n_object_behind": (b"", b"{}"),
    "n_comma_behind": (b"", b","),
    "n_brace_behind": (b"", b"}"),
    "n_zero_byte_behind": (b"", b"\x00"),
    "n_form_feed_before": (b"\x0c", b""),
    "n_list_around": (b"[", b"]"),
}

# One of the numbers of a tensor.
NUMBERS = {
    "y_" + text: text.encode() for text in
    ("0", "-0", "0.5", "-0.5", "5e-1", "0.05E1", "0.005e+2", "1", "1.0", "1e0", "0.1", "0.30000000000000004",
     "1e-45", "1e-46", "1e-400", "3.4028234663852886e38", "16777217", "0.1000000014901161193847656250000000000001")
}
NUMBERS.update({
    "n_" + text: text.encode() for text in
    ("NaN", "-NaN", "nan", "Infinity", "-Infinity", "inf", "1e39", "-1e39", "1e999", "+1", ".5", "5.", "01", "-", "0x1",
     "1e", "1 2", "1,,2", "null", "true", '"1"', "[1]", "{}", "1f", "1.5.5", "")
})


class JsonBodies(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=SIDE, n_classes=3)
        self.d = self.start()

    @contextlib.contextmanager
    def sender(self):
        """Sends bodies over one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.d.port, timeout=daemon.PATIENCE_S)
        with contextlib.closing(connection):
            def send(path, body):
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                return daemon.Reply(response, response.read())
            yield send

    def check(self, reply, name):
        if name.startswith("y_"):
            self.assertEqual(reply.status, 200, reply.body)
            reply.json()
        else:
            self.check_error(reply, 400, "invalid_request")

    def test_values(self):
        for dialect, (path, template) in DIALECTS.items():
            with self.sender() as send:
                for name, text in VALUES.items():
                    with self.subTest(dialect=dialect, name=name):
                        self.check(send(path, template.replace(b"%s", text)), name)

    def test_around(self):
        for dialect, (path, template) in DIALECTS.items():
            with self.sender() as send:
                for name, (before, behind) in AROUND.items():
                    with self.subTest(dialect=dialect, name=name):
                        self.check(send(path, before + template.replace(b"%s", b"{}") + behind), name)

    def test_cut_anywhere(self):
        """A body that ends early is refused wherever it ends."""
        for dialect, (path, template) in DIALECTS.items():
            body = template.replace(b"%s", b'{"a": [true, "\xc3\xa9\\u00e9", -1.5e3]}')
            with self.sender() as send:
                for n in range(len(body)):
                    with self.subTest(dialect=dialect, n=n):
                        self.check(send(path, body[:n]), "n_")

    def test_numbers(self):
        """Each in the last place of a row; what is taken is the float that Python reads."""
        before = b'{"instances": [[' + b"0.25," * (SIDE * SIDE - 1)
        with self.sender() as send:
            for name, text in NUMBERS.items():
                with self.subTest(name=name):
                    reply = send("/v1/models/tiny:predict", before + text + b"]]}")
                    self.check(reply, name)
                    if name.startswith("n_"):
                        # The sentence says where, but for what only looks like the list's end.
                        where = "instances[0]" if text in (b"1 2", b"1,,2", b"") else "instances[0][15]"
                        self.assertIn(where, reply.json()["error"])
                        continue
                    python = send("/v1/models/tiny:predict", before + json.dumps(float(text)).encode() + b"]]}")
                    self.assertEqual(reply.body, python.body)

    def test_our_own_route(self):
        """/classify takes pixels: the same numbers are numbers."""
        before = b'{"pixels": [' + b"7," * (SIDE * SIDE - 1)
        with self.sender() as send:
            for name, text in NUMBERS.items():
                taken = name.startswith("y_") and 0 <= float(text) <= 255
                with self.subTest(name=name):
                    self.check(send("/classify/tiny", before + text + b"]}"), "y_" if taken else "n_")


if __name__ == "__main__":
    daemon.main()
