"""A test case that makes models of one operator with python3-onnx and runs them with `classify run`."""
import sys

try:
    import numpy
    import onnx
    from onnx import helper, numpy_helper
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
from classify_case import ClassifyCase

RELATIVE, ABSOLUTE = 1e-5, 1e-6
IR_VERSION = {19: 9, 20: 9, 21: 10}  # the oldest that may hold the opset; before: 8


class Known:
    """An input that stands in the file, as exporters write shapes, axes and weights."""

    def __init__(self, values, dtype=None):
        self.array = numpy.array(values, dtype)


def ints(*values):
    return Known(values, numpy.int64)


def _element_type(array):
    return helper.mapping.NP_TYPE_TO_TENSOR_TYPE[array.dtype]


class OnnxCase(ClassifyCase):
    def save_model(self, op, inputs, outputs, opset, attributes):
        """One node; outputs are (element type, rank or None) or None for one that is left out."""
        names = ["" if value is None else f"in{i}" for i, value in enumerate(inputs)]
        makes = ["" if value is None else f"out{i}" for i, value in enumerate(outputs)]
        node = helper.make_node(op, names, makes, name="node", **attributes)
        graph = helper.make_graph(
            [node], "one operator",
            [helper.make_tensor_value_info(name, _element_type(value), value.shape)
             for name, value in zip(names, inputs) if isinstance(value, numpy.ndarray)],
            [helper.make_tensor_value_info(name, element_type, None)
             for name, element_type in zip(makes, outputs) if name],
            [numpy_helper.from_array(value.array, name) for name, value in zip(names, inputs)
             if isinstance(value, Known)])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        model.ir_version = IR_VERSION.get(opset, 8)
        onnx.save(model, self.path("model.onnx"))
        return self.path("model.onnx")

    def arguments(self, inputs):
        arguments = []
        for i, value in enumerate(inputs):
            if isinstance(value, numpy.ndarray):
                numpy.save(self.path(f"in{i}.npy"), value)
                arguments += ["--input", f"in{i}={self.path(f'in{i}.npy')}"]
        return arguments

    def run_op(self, op, inputs, element_types, opset, **attributes):
        """The outputs as arrays; element_types are ONNX's numbers."""
        model = self.save_model(op, inputs, element_types, opset, attributes)
        self.classify("run", model, *self.arguments(inputs), "--output-dir", self.folder)
        n = sum(t is not None for t in element_types)
        return [numpy.load(self.path(f"out_{i}.npy")) for i in range(n)]

    def check(self, op, inputs, wanted, opset, relative=RELATIVE, absolute=ABSOLUTE, **attributes):
        """wanted: an array, or a list of arrays with None for outputs that are left out."""
        wanted = wanted if isinstance(wanted, list) else [wanted]
        wanted = [w if w is None else numpy.asarray(w) for w in wanted]
        found = self.run_op(op, inputs, [None if w is None else _element_type(w) for w in wanted], opset,
                            **attributes)
        what = f"{op} of opset {opset} {attributes}"
        for array, right in zip(found, (w for w in wanted if w is not None)):
            self.assertEqual((array.dtype, array.shape), (right.dtype, right.shape), what)
            if right.dtype.kind == "f":
                numpy.testing.assert_allclose(array, right, rtol=relative, atol=absolute, err_msg=what)
            else:
                numpy.testing.assert_array_equal(array, right, err_msg=what)

    def refuse(self, says, op, inputs, opset, n_outputs=1, element_type=1, **attributes):
        """The model is refused, by a sentence that names the node and holds every text of says."""
        model = self.save_model(op, inputs, [element_type] * n_outputs, opset, attributes)
        texts = [says] if isinstance(says, str) else says
        self.refused("run", model, *self.arguments(inputs), "--output-dir", self.folder,
                     says=["'node'", *texts])


def floats(*shape, seed=1, low=-2.0, high=2.0, dtype=numpy.float32):
    return numpy.random.default_rng(seed).uniform(low, high, shape).astype(dtype)
