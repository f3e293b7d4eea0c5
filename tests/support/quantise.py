"""Quantises a chain of layers after training, as exporters do: QuantizeLinear and DequantizeLinear around each."""
import copy

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


def _parameters(model):
    return {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}


def _affine(node, known):
    """BatchNormalization as a factor and what is added, for each channel."""
    scale, shift, mean, variance = (known[name].astype(numpy.float64) for name in node.input[1:5])
    epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
    factor = scale / numpy.sqrt(variance + epsilon)
    return factor, shift - mean * factor


def layers(model):
    """[(node, weights, bias)]: BatchNormalization goes into the convolution before it, or becomes one of its own that
    sees one channel each; weights are None where there are none."""
    known, out = _parameters(model), []
    for node in model.graph.node:
        if node.op_type == "Dropout":
            continue
        if node.op_type in ("Conv", "Gemm"):
            weights = known[node.input[1]].astype(numpy.float64)
            if node.op_type == "Gemm":  # outputs come first, as a convolution's do
                weights = weights if any(a.name == "transB" and a.i for a in node.attribute) else weights.T
                node = helper.make_node("Gemm", node.input, node.output, transB=1)
            bias = known[node.input[2]] if len(node.input) > 2 else numpy.zeros(len(weights))
            out.append((node, weights, bias.astype(numpy.float64)))
        elif node.op_type != "BatchNormalization":
            out.append((node, None, None))
        else:
            factor, shift = _affine(node, known)
            before, weights, bias = out[-1]
            if before.op_type == "Conv":
                out[-1] = (before, weights * factor[:, None, None, None], bias * factor + shift)
            else:
                alone = helper.make_node("Conv", ["x", "w", "b"], ["y"], group=len(factor))
                out.append((alone, factor[:, None, None, None], shift))
    return out


class _Graph:
    """A chain that grows node by node."""

    def __init__(self, value):
        self.nodes, self.constants, self.value = [], [], value

    def constant(self, array):
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        return name

    def node(self, kind, *inputs, **attributes):
        name = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=f"{kind}{len(self.nodes)}", **attributes))
        return name

    def like(self, node, *inputs):
        """The same operator on other inputs; it becomes the chain's end."""
        own = copy.deepcopy(node)
        del own.input[:], own.output[:]
        own.name = f"{node.op_type}{len(self.nodes)}"
        own.input.extend(inputs)
        own.output.append(f"value{len(self.nodes)}")
        self.nodes.append(own)
        self.value = own.output[0]

    def model(self, source, outputs):
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "quantised", list(source.graph.input), values, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.metadata_props.extend(source.metadata_props)
        return model


def with_middles(model):
    """The same in floats, every layer's output an output of the graph, the last one first."""
    graph, outputs = _Graph(model.graph.input[0].name), []
    for node, weights, bias in layers(model):
        more = [] if weights is None else [graph.constant(a.astype(numpy.float32)) for a in (weights, bias)]
        graph.like(node, graph.value, *more)
        outputs.append(graph.value)
    return graph.model(model, outputs[::-1])


def _steps(low, high):
    """Scale and zero point of bytes from low to high."""
    scale = numpy.float32((high - low) / 255 or 1)
    return scale, numpy.uint8(round(-low / float(scale)))


def _error(values, scale, zero):
    bytes_ = numpy.clip(numpy.round(values / scale) + zero, 0, 255)
    return float((((bytes_ - zero) * scale - values) ** 2).sum())


def _range(values):
    """Of bytes that stand for such numbers with the least squared error: the largest may be cut off."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    return min((_steps(low * part, high * part) for part in numpy.linspace(0.4, 1, 25)),
               key=lambda step: _error(values, *step))


def _rounded(graph, scale, zero):
    """The chain's end goes through bytes."""
    names = [graph.constant(scale), graph.constant(zero)]
    graph.value = graph.node("DequantizeLinear", graph.node("QuantizeLinear", graph.value, *names), *names)


def _weights(graph, weights, bias, scale):
    """Weights as int8 with a scale for each output, bias as int32 in units of the sums."""
    axes = tuple(range(1, weights.ndim))
    scales = (abs(weights).max(axis=axes) / 127).astype(numpy.float32)
    scales[scales == 0] = 1
    bytes_ = numpy.round(weights / scales.reshape(-1, *[1] * len(axes))).astype(numpy.int8)
    units = (scale * scales).astype(numpy.float32)
    words = numpy.round(bias / units).astype(numpy.int32)
    return [graph.node("DequantizeLinear", graph.constant(bytes_), graph.constant(scales), axis=0),
            graph.node("DequantizeLinear", graph.constant(words), graph.constant(units), axis=0)]


def quantised(model, pictures, middles):
    """middles: what with_middles gives for the pictures. Softmax stays as it is."""
    graph, scale = _Graph(model.graph.input[0].name), None
    steps = layers(model)
    scale, zero = _range(pictures)
    _rounded(graph, scale, zero)
    for i, ((node, weights, bias), values) in enumerate(zip(steps, middles[::-1])):
        more = [] if weights is None else _weights(graph, weights, bias, scale)
        graph.like(node, graph.value, *more)
        if node.op_type == "Softmax" or (i + 1 < len(steps) and steps[i + 1][0].op_type == "Relu"):
            continue
        if weights is not None or node.op_type == "Relu":
            scale, zero = _range(values)
        _rounded(graph, scale, zero)
    return graph.model(model, [graph.value])


def save(model, path):
    onnx.save(model, path)
