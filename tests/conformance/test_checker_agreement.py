"""ONNX's checker and we agree on small models of each operator, randomly changed: what it calls invalid is refused, what
it calls valid is opened, or refused for a reason that stands below."""
import multiprocessing
import random
import re
import subprocess
import sys
import unittest

try:
    import onnx
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
import every_operator
import mutate_onnx
from classify_case import CLASSIFY, FAILED, OK, ClassifyCase

N_CHANGED, N_RETYPED, SEED = 1200, 600, 20261123

# Invalid for the checker, and served all the same.
SERVED = [
    "No opset import for domain 'ai.onnx'",  # which the standard calls another name of ""
    r"Attribute '\w+' is expected to have field 'ints'",  # an empty list; later checkers take it
    "Field 'shape' of 'type' is required but missing",  # of outputs; exporters leave out what they do not know
    "op_type:MeanVarianceNormalization.*inconsistent type",  # of doubles: the standard takes them
]

# Valid for the checker, which looks at names and types and infers some shapes. It does not look
REFUSED = [
    # whether a graph has outputs, at where they come from, and at their names,
    "the graph has no output", r"graph output '\w+' comes twice", r"output '\w+' is not computed by any node",
    # at the size of constants,
    r"raw_data has \d+ bytes, shape", r"holds (no data|both raw_data and float_data|float_data, wanted)",
    r"dimension \d is -1, wanted 0 or more", r"\w+_data has \d+ elements, shape", "element type has the unknown number 0",
    # at what the values of attributes mean,
    r"is '\w*', but must be one of: ", r"is -?[0-9]+, but must lie in ", r"axis -?\d+ lies outside a tensor of rank",
    r"axis \d is named twice", r"attribute 'perm' has \d numbers", r"attribute '\w+' is (missing|0 or missing)",
    r"attribute '\w+' is not known for LayerNormalization",
    # at inputs that are left out where an operator has no use for less, at constants that must be known,
    r"input \d is left out", "is computed from the picture", r"attribute 'fmod' is 1, is wanted",
    # and at shapes that do not fit, unless the operator's inference meets them.
    r"input \d (\(\w+\) )?has shape \[.*\](; | of rank)", r"shapes? .* (and|or) .* do(es)? not (broadcast|fit)",
    r"X \[.*\], W \[.*\] and group -?\d+ do not fit", r"graph output '\w+' is declared as \w+ .*, but what makes it",
    "one label has the sizes", "has neither scales nor sizes",
    # nor at types that go with values of attributes.
    "of element type \w+ whole numbers are wanted", "element type bool, which has only nearest elements",
]


def serve(pipe):
    """Answers '' for a valid model, else the checker's reason."""
    while True:
        data = pipe.recv_bytes()
        try:
            onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
            pipe.send("")
        except Exception as error:  # pylint: disable=broad-except; it raises what its inference does
            pipe.send(str(error).strip() or "invalid")


class Checker:
    """In a process of its own: some models crash it."""

    def __init__(self):
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=serve, args=(other,), daemon=True)
        self.process.start()
        other.close()

    def verdict(self, data):
        """None if it crashed."""
        try:
            self.pipe.send_bytes(data)
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            self.__init__()
            return None

    def close(self):
        self.process.terminate()
        self.process.join()
        self.pipe.close()


class Agreement(ClassifyCase):
    def setUp(self):
        super().setUp()
        self.checker = Checker()
        self.addCleanup(self.checker.close)
        self.models = [(name, made) for name, op, opset, made in every_operator.models()
                       if opset <= every_operator.CHECKED_OPSET and op != "KNearest"]

    def ours(self, data):
        """'' for a model that opens, else the sentence."""
        path = self.write("model.onnx", data)
        done = subprocess.run([CLASSIFY, "inspect", path], capture_output=True, text=True, timeout=300)
        self.assertIn(done.returncode, (OK, FAILED), done.stderr)
        self.assertEqual(done.returncode == OK, done.stderr == "")
        return done.stderr.strip()

    def test_every_operator_opens(self):
        for name, _, opset, made in every_operator.models():
            with self.subTest(name):
                data = made.SerializeToString()
                self.assertEqual(self.ours(data), "")
                if opset <= every_operator.CHECKED_OPSET and not name.startswith("op_KNearest"):
                    self.assertEqual(self.checker.verdict(data), "")

    def compare(self, made, what):
        """Whether the checker calls the model valid; None if it crashed."""
        data = made.SerializeToString()
        reason = self.checker.verdict(data)
        if reason is None:
            return None
        with self.subTest(what):
            sentence = self.ours(data)
            if reason and not any(re.search(text, reason) for text in SERVED):
                self.assertTrue(sentence, f"the checker says: {reason}")
            elif not reason and sentence:
                self.assertTrue(any(re.search(text, sentence) for text in REFUSED), sentence)
        return not reason

    def compare_all(self, changed):
        verdicts = [self.compare(made, what) for made, what in changed]
        self.assertGreater(min(verdicts.count(True), verdicts.count(False)), len(verdicts) / 5)

    def test_changed_models(self):
        rng = random.Random(SEED)
        self.compare_all(
            (changed, f"{i} {name} {how}") for i in range(N_CHANGED)
            for name, made in [rng.choice(self.models)] for changed, how in [mutate_onnx.mutate(made, rng)])

    def test_types_and_opsets(self):
        rng = random.Random(SEED)
        self.compare_all(
            (mutate_onnx.retyped(made, opset, element), f"{name} of opset {opset}, type {element}")
            for _ in range(N_RETYPED) for name, made in [rng.choice(self.models)]
            for opset, element in [(rng.randrange(7, every_operator.CHECKED_OPSET + 1), rng.choice(mutate_onnx.TYPES))])


if __name__ == "__main__":
    unittest.main()
