"""Writes small networks node by node, as an exporter does."""
import numpy
import onnx
from onnx import helper, numpy_helper

IR_VERSION = {7: 3, 8: 3, 9: 4, 10: 5, 11: 6, 12: 7, 13: 7}  # after: 8


class GraphMaker:
    """The graph so far. Constants become initializers, of IR version 3 also inputs, as they had to be."""

    def __init__(self, opset, shape, dtype=numpy.float32, seed=1):
        self.opset, self.batch, self.rng = opset, shape[0], numpy.random.default_rng(seed)
        self.nodes, self.constants, self.outputs = [], [], []
        element_type = helper.mapping.NP_TYPE_TO_TENSOR_TYPE[numpy.dtype(dtype)]
        self.input = helper.make_tensor_value_info("input", element_type, shape)
        self.domains = {""}

    def name(self, value):
        """That of a value; what is none becomes a constant: floats float32, whole numbers int64."""
        if isinstance(value, str):
            return value
        array = numpy.asarray(value)
        if not isinstance(value, (numpy.ndarray, numpy.generic)):
            array = array.astype(numpy.int64 if array.dtype.kind == "i" else numpy.float32)
        self.constants.append(numpy_helper.from_array(array, f"constant{len(self.constants)}"))
        return self.constants[-1].name

    def add(self, operator, *inputs, n_outputs=1, domain="", **attributes):
        """The name of the output, or a list of names."""
        names = [f"{operator}_{len(self.nodes)}:{k}" for k in range(n_outputs)]
        self.nodes.append(helper.make_node(operator, [self.name(value) for value in inputs], names,
                                           name=f"{operator}_{len(self.nodes)}", domain=domain, **attributes))
        self.domains.add(domain)
        return names[0] if n_outputs == 1 else names

    def weights(self, *shape):
        """As large as keeps the scale of what goes through."""
        n = numpy.prod(shape[1:]) if len(shape) > 2 else shape[0]
        return (self.rng.normal(0, 1, shape) * (2 / n) ** 0.5).astype(numpy.float32)

    def positive(self, *shape):
        return self.rng.uniform(0.5, 1.5, shape).astype(numpy.float32)

    def output(self, value, *dims, element_type=onnx.TensorProto.FLOAT):
        """dims: those of a sample."""
        self.outputs.append(helper.make_tensor_value_info(value, element_type, [self.batch, *dims]))

    def save(self, path):
        ir_version, inputs = IR_VERSION.get(self.opset, 8), [self.input]
        if ir_version == 3:
            inputs += [helper.make_tensor_value_info(c.name, c.data_type, c.dims) for c in self.constants]
        graph = helper.make_graph(self.nodes, "made", inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[
            helper.make_opsetid(domain, 1 if domain else self.opset) for domain in sorted(self.domains)])
        model.ir_version = ir_version
        onnx.checker.check_model(model)
        onnx.save(model, path)
