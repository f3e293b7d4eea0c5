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

N_MODELS, SEED = 1200, 20261123

# Invalid for the checker, and served all the same.
SERVED = [
    # The standard calls "ai.onnx" another name of the domain "".
    "No opset import for domain 'ai.onnx'",
]

# Valid for the checker, which looks at names and types, and infers shapes where that is easy; the standard's text and
# the computation want more.
REFUSED = [
    "comes twice, wanted once",  # two outputs of one name
    "is not computed by any node",  # the checker does not look where outputs come from
    "the graph has no output",
    r"raw_data has \d+ bytes",  # nor at the numbers of elements,
    r"_data has \d+ elements", "holds no data", "holds both raw_data", "is -1, wanted 0 or more",
    "element type has the unknown number",
    "is declared as",  # it infers the shapes of some operators only
    "must be one of", "must lie in",  # nor at the attributes' values
    "attribute 'nonsense' is not known",  # of operators that it knows as functions
    r"input \d+ is left out",  # an input between others, or of Sum
    "is missing", r"lies outside", "is named twice", "named twice",
    r"input \d+ has shape", r"input \d+ .*has shape", "do not broadcast", "do not fit", "does not fit",  # shapes
    r"input \d+ has element type", "is wanted", "are wanted",  # types that the operator does not have; values
    "cannot become", "cannot be", "the parts leave", "cut more off", "would be", "where", "covers",
    "is computed from the picture",
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

    def test_changed_models(self):
        rng = random.Random(SEED)
        models = [(name, made) for name, op, opset, made in every_operator.models()
                  if opset <= every_operator.CHECKED_OPSET and op != "KNearest"]
        n_valid = n_invalid = 0
        for i in range(N_MODELS):
            name, made = rng.choice(models)
            changed, how = mutate_onnx.mutate(made, rng)
            data = changed.SerializeToString()
            reason = self.checker.verdict(data)
            if reason is None:
                continue
            with self.subTest(i, model=name, changes=how):
                sentence = self.ours(data)
                if reason and not any(text in reason for text in SERVED):
                    n_invalid += 1
                    self.assertTrue(sentence, f"the checker says: {reason}")
                elif not reason and sentence:
                    n_valid += 1
                    self.assertTrue(any(re.search(text, sentence) for text in REFUSED), sentence)
                else:
                    n_valid += 1
        self.assertGreater(min(n_valid, n_invalid), N_MODELS / 5)


if __name__ == "__main__":
    unittest.main()
