"""A small model of each operator and form: seeds of the fuzzer, and what the checker's verdicts are compared on."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper, shape_inference

FLOAT, INT64, BOOL, UINT8, INT32 = (TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT8,
                                    TensorProto.INT32)
CHECKED_OPSET = 17  # the last that python3-onnx 1.12 knows
IMAGE = (1, 4, 6, 6)


class X:
    """A graph input."""

    def __init__(self, *shape, dtype=np.float32):
        self.shape, self.dtype = shape, np.dtype(dtype)


def weights(*shape, dtype=np.float32):
    n = int(np.prod(shape))
    return (np.arange(n) % 5 - (2 if np.dtype(dtype).kind != "u" else 0)).astype(dtype).reshape(shape)


def ints(*values, dtype=np.int64):
    return np.array(values, dtype)


def scalar(value, dtype=np.float32):
    return np.array(value, dtype)


def _model(op, opset, inputs, types, attributes):
    names = ["" if value is None else f"x{i}" for i, value in enumerate(inputs)]
    outputs = ["" if kind is None else f"y{i}" for i, kind in enumerate(types)]
    element = helper.mapping.NP_TYPE_TO_TENSOR_TYPE
    domain = "classifyd" if op == "KNearest" else ""
    node = helper.make_node(op, names, outputs, name="node", domain=domain, **attributes)
    graph = helper.make_graph(
        [node], op,
        [helper.make_tensor_value_info(name, element[x.dtype], x.shape)
         for name, x in zip(names, inputs) if isinstance(x, X)],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in zip(outputs, types) if name],
        [numpy_helper.from_array(value, name)
         for name, value in zip(names, inputs) if isinstance(value, np.ndarray)])
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, 1)] * bool(domain)
    made = helper.make_model(graph, opset_imports=opsets)
    made.ir_version = {19: 9, 20: 9, 21: 10}.get(opset, 8)
    if opset > CHECKED_OPSET or domain:
        return made
    inferred = shape_inference.infer_shapes(made)
    return inferred


UNARY = ["Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp",
         "Floor", "HardSigmoid", "HardSwish", "Hardmax", "Identity", "LeakyRelu", "Log", "LogSoftmax",
         "LpNormalization", "MeanVarianceNormalization", "Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid",
         "Sign", "Sin", "Sinh", "Softmax", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu",
         "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "Flatten", "Squeeze", "Dropout", "Transpose", "Trilu"]
REDUCE = ["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
          "ReduceProd", "ReduceSumSquare"]


def _elementwise():
    x = X(*IMAGE)
    for op in UNARY:
        yield op, 17, [x], [FLOAT], {}
    yield "IsNaN", 13, [x], [BOOL], {}
    yield "IsInf", 10, [x], [BOOL], {"detect_negative": 0}
    yield "Not", 7, [X(2, 3, dtype=bool)], [BOOL], {}
    for op in ("Gelu", "Mish"):
        yield op, 20, [x], [FLOAT], {}
    yield "Gelu", 20, [x], [FLOAT], {"approximate": "tanh"}
    for op in ("Add", "Sub", "Mul", "Div", "Pow", "PRelu"):
        yield op, 14, [x, weights(4, 1, 1)], [FLOAT], {}
    yield "Div", 14, [X(3, dtype=np.int32), X(3, dtype=np.int32)], [INT32], {}
    yield "Mod", 13, [x, weights(1)], [FLOAT], {"fmod": 1}
    yield "Mod", 13, [X(3, dtype=np.int32), X(3, dtype=np.int32)], [INT32], {}
    for op in ("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"):
        yield op, 16, [x, weights(6)], [BOOL], {}
    for op in ("And", "Or", "Xor"):
        yield op, 7, [X(2, 3, dtype=bool), X(3, dtype=bool)], [BOOL], {}
    for op in ("Min", "Max", "Sum", "Mean"):
        yield op, 13, [x, weights(1, 4, 1, 1), weights(6)], [FLOAT], {}
    yield "Where", 16, [X(2, 1, dtype=bool), X(1, 3), weights(3)], [FLOAT], {}
    yield "Cast", 13, [x], [UINT8], {"to": UINT8}
    yield "CastLike", 15, [x, weights(1, dtype=np.int32)], [INT32], {}
    yield "Clip", 13, [x, scalar(-1), scalar(2)], [FLOAT], {}
    yield "Clip", 7, [x], [FLOAT], {"min": -1.0, "max": 1.0}


def _products():
    x = X(*IMAGE)
    yield "Gemm", 13, [X(2, 3), weights(4, 3), weights(4)], [FLOAT], {"transB": 1, "alpha": 0.5, "beta": 2.0}
    yield "MatMul", 13, [X(2, 1, 3, 4), X(5, 4, 2)], [FLOAT], {}
    yield "Einsum", 12, [X(2, 3, 4), X(2, 4, 5)], [FLOAT], {"equation": "bij,bjk->bik"}
    yield "Einsum", 12, [X(2, 3, 3)], [FLOAT], {"equation": "...ii->...i"}
    yield "Einsum", 12, [X(2, 3), X(3, 4), X(4)], [FLOAT], {"equation": "ij, jk, k -> ik"}
    yield "Conv", 11, [x, weights(2, 4, 3, 3), weights(2)], [FLOAT], {"pads": [1, 1, 1, 1]}
    yield "Conv", 11, [x, weights(4, 1, 3, 3)], [FLOAT], {"group": 4, "strides": [2, 2], "auto_pad": "SAME_LOWER"}
    yield "Conv", 11, [x, weights(4, 2, 2, 2)], [FLOAT], {"group": 2, "dilations": [1, 2]}
    yield "Conv", 11, [X(1, 2, 8), weights(3, 2, 3)], [FLOAT], {"kernel_shape": [3]}
    yield "Conv", 11, [X(1, 2, 3, 4, 5), weights(3, 2, 2, 2, 2)], [FLOAT], {}
    yield "ConvTranspose", 11, [x, weights(4, 2, 3, 3), weights(2)], [FLOAT], {
        "strides": [2, 2], "pads": [1, 0, 0, 1], "output_padding": [1, 0]}
    yield "ConvTranspose", 11, [x, weights(4, 1, 2, 2)], [FLOAT], {"group": 2, "dilations": [1, 2],
                                                                  "auto_pad": "SAME_UPPER"}
    yield "ConvTranspose", 11, [X(1, 2, 4), weights(2, 3, 3)], [FLOAT], {"strides": [2], "output_shape": [10]}
    yield "KNearest", 13, [X("N", 1, 2, 2), weights(4, 4, dtype=np.uint8), ints(0, 1, 2, 1)], [FLOAT], {"k": 3}
    yield "MatMulInteger", 10, [X(2, 3, dtype=np.uint8), weights(3, 4, dtype=np.int8), scalar(3, np.uint8),
                                weights(4, dtype=np.int8)], [INT32], {}
    yield "ConvInteger", 10, [X(1, 2, 4, 4, dtype=np.uint8), weights(3, 2, 2, 2, dtype=np.uint8),
                              scalar(7, np.uint8), scalar(1, np.uint8)], [INT32], {"pads": [0, 1, 0, 1]}
    yield "QLinearMatMul", 10, [X(2, 3, dtype=np.uint8), scalar(0.1), scalar(3, np.uint8),
                                weights(3, 4, dtype=np.uint8), scalar(0.2), scalar(1, np.uint8), scalar(0.3),
                                scalar(9, np.uint8)], [UINT8], {}
    yield "QLinearConv", 10, [X(1, 2, 4, 4, dtype=np.uint8), scalar(0.1), scalar(3, np.uint8),
                              weights(3, 2, 2, 2, dtype=np.uint8), weights(3) + np.float32(4),
                              weights(3, dtype=np.uint8), scalar(0.3), scalar(9, np.uint8),
                              weights(3, dtype=np.int32)], [UINT8], {"strides": [2, 1]}
    yield "QuantizeLinear", 13, [X(2, 3), scalar(0.1), scalar(3, np.uint8)], [UINT8], {}
    yield "QuantizeLinear", 13, [X(2, 3), weights(3) + np.float32(3), weights(3, dtype=np.int8)], [TensorProto.INT8], {}
    yield "DequantizeLinear", 13, [X(2, 3, dtype=np.int8), weights(2), weights(2, dtype=np.int8)], [FLOAT], {"axis": 0}
    yield "DequantizeLinear", 10, [X(2, 3, dtype=np.int32), scalar(0.5)], [FLOAT], {}
    yield "DynamicQuantizeLinear", 11, [X(2, 3)], [UINT8, FLOAT, UINT8], {}


def _pictures():
    x = X(*IMAGE)
    channels = [weights(4) + np.float32(3) for _ in range(4)]
    yield "BatchNormalization", 15, [x, *channels], [FLOAT], {}
    yield "BatchNormalization", 9, [x, *channels], [FLOAT], {"epsilon": 0.1}
    yield "InstanceNormalization", 7, [x, *channels[:2]], [FLOAT], {}
    yield "GroupNormalization", 18, [x, weights(2), weights(2)], [FLOAT], {"num_groups": 2}
    yield "GroupNormalization", 21, [x, weights(4), weights(4)], [FLOAT], {"num_groups": 2}
    yield "LayerNormalization", 17, [x, weights(6), weights(6)], [FLOAT, FLOAT, FLOAT], {}
    yield "LayerNormalization", 17, [x, weights(4, 6, 6)], [FLOAT], {"axis": 1}
    yield "LRN", 13, [x], [FLOAT], {"size": 3}
    yield "MaxPool", 12, [x], [FLOAT, INT64], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]}
    yield "MaxPool", 12, [x], [FLOAT], {"kernel_shape": [2, 2], "dilations": [2, 2], "ceil_mode": 1}
    yield "AveragePool", 11, [x], [FLOAT], {"kernel_shape": [3, 2], "count_include_pad": 1, "pads": [1, 0, 1, 0]}
    yield "AveragePool", 19, [x], [FLOAT], {"kernel_shape": [2, 2], "dilations": [2, 1], "auto_pad": "SAME_UPPER"}
    yield "LpPool", 18, [x], [FLOAT], {"kernel_shape": [2, 2], "p": 3}
    none = np.zeros(0, np.float32)
    yield "Resize", 10, [x, scalar([1, 1, 2, 0.5])], [FLOAT], {"mode": "linear"}
    yield "Resize", 11, [x, none, none, ints(1, 4, 9, 4)], [FLOAT], {"mode": "cubic", "exclude_outside": 1}
    yield "Resize", 11, [x, scalar([0, 0, 0.2, 0.3, 1, 1, 0.8, 1.2]), none, ints(1, 4, 3, 8)], [FLOAT], {
        "mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 9.0}
    yield "Resize", 13, [x, None, scalar([1, 1, 1.5, 1.5])], [FLOAT], {
        "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    yield "Resize", 19, [x, None, None, ints(9, 4)], [FLOAT], {
        "axes": [2, 3], "keep_aspect_ratio_policy": "not_larger", "antialias": 1, "mode": "linear"}
    yield "Upsample", 9, [x, scalar([1, 1, 2, 2])], [FLOAT], {"mode": "nearest"}
    yield "Upsample", 7, [x], [FLOAT], {"mode": "linear", "scales": [1.0, 1.0, 2.0, 1.5]}
    yield "DepthToSpace", 13, [x], [FLOAT], {"blocksize": 2, "mode": "CRD"}
    yield "SpaceToDepth", 13, [x], [FLOAT], {"blocksize": 3}


def _reductions():
    x = X(*IMAGE)
    for op in REDUCE:
        yield op, 13, [x], [FLOAT], {"axes": [1, -1], "keepdims": 0}
        yield op, 18, [x, ints(2, 3)], [FLOAT], {"noop_with_empty_axes": 1}
    yield "ReduceSum", 13, [x, ints(1)], [FLOAT], {"keepdims": 0}
    yield "ArgMax", 13, [x], [INT64], {"axis": 1, "select_last_index": 1}
    yield "ArgMin", 13, [x], [INT64], {"keepdims": 0}
    yield "TopK", 11, [x, ints(3)], [FLOAT, INT64], {"axis": 1, "largest": 0}
    yield "TopK", 7, [x], [FLOAT, INT64], {"k": 2}
    yield "CumSum", 14, [x, scalar(2, np.int32)], [FLOAT], {"exclusive": 1, "reverse": 1}


def _moves():
    x = X(*IMAGE)
    yield "Reshape", 14, [x, ints(0, -1, 2)], [FLOAT], {}
    yield "Squeeze", 13, [X(1, 3, 1), ints(-1)], [FLOAT], {}
    yield "Squeeze", 11, [X(1, 3, 1)], [FLOAT], {"axes": [0]}
    yield "Unsqueeze", 13, [X(2, 3), ints(0, 3)], [FLOAT], {}
    yield "Unsqueeze", 11, [X(2, 3)], [FLOAT], {"axes": [1]}
    yield "Transpose", 13, [x], [FLOAT], {"perm": [0, 3, 1, 2]}
    yield "Concat", 13, [x, weights(1, 2, 6, 6), x], [FLOAT], {"axis": 1}
    yield "Split", 13, [x, ints(1, 3)], [FLOAT, FLOAT], {"axis": 1}
    yield "Split", 11, [x], [FLOAT, FLOAT], {"axis": -1, "split": [2, 4]}
    yield "Split", 18, [x], [FLOAT, FLOAT, FLOAT], {"axis": 1, "num_outputs": 3}
    yield "Slice", 13, [x, ints(3, 1), ints(0, 99), ints(1, -1), ints(-2, 1)], [FLOAT], {}
    yield "Slice", 9, [x], [FLOAT], {"axes": [2], "starts": [-3], "ends": [2 ** 31]}
    for mode in ("constant", "edge", "reflect"):
        yield "Pad", 13, [x, ints(0, 0, 1, 2, 0, 0, 2, -1)], [FLOAT], {"mode": mode}
    yield "Pad", 19, [x, ints(1, 2), scalar(0.5), ints(3)], [FLOAT], {"mode": "wrap"}
    yield "Pad", 7, [x], [FLOAT], {"pads": [0, 0, 1, 1, 0, 0, 1, 1], "value": 3.0}
    yield "Expand", 13, [X(3, 1), ints(2, 1, 4)], [FLOAT], {}
    yield "Tile", 13, [X(3, 2), ints(2, 3)], [FLOAT], {}
    yield "Trilu", 14, [X(3, 4), scalar(-1, np.int64)], [FLOAT], {"upper": 0}
    yield "Gather", 13, [x, X(2, 2, dtype=np.int64)], [FLOAT], {"axis": -1}
    yield "GatherElements", 13, [X(2, 3), X(2, 2, dtype=np.int64)], [FLOAT], {"axis": 1}
    yield "GatherND", 13, [X(2, 3, 4), X(2, 1, dtype=np.int64)], [FLOAT], {"batch_dims": 1}
    yield "ScatterElements", 18, [X(3, 3), X(2, 3, dtype=np.int64), weights(2, 3)], [FLOAT], {"reduction": "max"}
    yield "ScatterElements", 16, [X(3, 3), ints(*range(3)).reshape(1, 3), X(1, 3)], [FLOAT], {"axis": 1}
    yield "ScatterND", 16, [X(4, 3), X(2, 1, dtype=np.int64), weights(2, 3)], [FLOAT], {"reduction": "add"}
    yield "Scatter", 9, [X(3, 3), ints(0, 1, 2).reshape(1, 3), X(1, 3)], [FLOAT], {}
    yield "Shape", 15, [x], [INT64], {"start": 1, "end": -1}
    yield "Size", 13, [x], [INT64], {}
    yield "ConstantOfShape", 9, [ints(2, 3)], [INT64], {"value": numpy_helper.from_array(ints(7))}
    yield "Range", 11, [scalar(1), scalar(9), scalar(2.5)], [FLOAT], {}
    yield "Constant", 13, [], [FLOAT], {"value": numpy_helper.from_array(weights(2, 3))}
    yield "Constant", 12, [], [INT64], {"value_ints": [1, 2, 3]}


def models():
    """Yields (name, operator, opset, ModelProto); names are unique, and fit for files."""
    seen = {}
    for make in (_elementwise, _products, _pictures, _reductions, _moves):
        for op, opset, inputs, types, attributes in make():
            n = seen[op] = seen.get(op, 0) + 1
            yield f"op_{op}_{n}", op, opset, _model(op, opset, inputs, types, attributes)
