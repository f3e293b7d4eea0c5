"""Networks in the forms that tf2onnx, keras2onnx, CNTK, MXNet, Paddle and the quantisers write, and scikit-learn's
perceptrons as skl2onnx writes them, answer as in ONNX Runtime or scikit-learn.

Small, with random weights; with the batch that the exporter writes; one sample and four.
"""
import os
import sys
import unittest

try:
    import numpy
    import onnx
    import onnxruntime
    from graph_maker import GraphMaker
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

from classify_case import ClassifyCase

try:
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler
except ImportError:
    MLPClassifier = None

INT64, INT32, DOUBLE, FLOAT16, FLOAT = (onnx.TensorProto.INT64, onnx.TensorProto.INT32, onnx.TensorProto.DOUBLE,
                                        onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT)
TOLERANCE = 1e-5
FAR = numpy.iinfo(numpy.int64).max


def keras_mobilenet(batch, opset):
    """tf2onnx: channels last in and out of pairs of Transpose, Pad before strided convolutions, hard sigmoids as
    Add, Clip, Mul; the gate's shape from Shape, Slice, Concat; a mean over places."""
    g = GraphMaker(opset, [batch, 16, 16, 3])

    def relu6(x):
        return g.add("Clip", x, 0.0, 6.0)

    def hard_sigmoid(x):
        return g.add("Mul", relu6(g.add("Add", x, 3.0)), 1 / 6)

    x = g.add("Sub", g.add("Mul", "input", 2.0), 1.0)
    x = g.add("Transpose", x, perm=[0, 3, 1, 2])
    x = g.add("Pad", x, [0, 0, 0, 0, 0, 0, 1, 1], 0.0, mode="constant")
    x = g.add("Conv", x, g.weights(8, 3, 3, 3), g.weights(8), strides=[2, 2], kernel_shape=[3, 3])
    x = g.add("Mul", x, hard_sigmoid(x))
    y = g.add("Conv", x, g.weights(8, 1, 3, 3), g.weights(8), group=8, auto_pad="SAME_UPPER")
    y = relu6(g.add("BatchNormalization", y, g.positive(8), g.weights(8), g.weights(8), g.positive(8), epsilon=0.001))
    y = g.add("Transpose", y, perm=[0, 2, 3, 1])
    s = g.add("ReduceMean", y, axes=[1, 2], keepdims=0)
    first = g.add("Slice", g.add("Cast", g.add("Shape", s), to=INT32), [0], [1], [0])
    shape = g.add("Concat", g.add("Cast", first, to=INT64), [1, 1, 8], axis=0)
    s = g.add("Reshape", s, shape)
    s = g.add("Transpose", s, perm=[0, 3, 1, 2])
    s = g.add("Relu", g.add("Conv", s, g.weights(4, 8, 1, 1)))
    s = hard_sigmoid(g.add("Conv", s, g.weights(8, 4, 1, 1)))
    y = g.add("Add", g.add("Mul", g.add("Transpose", y, perm=[0, 3, 1, 2]), s), x)
    y = g.add("ReduceMean", g.add("Transpose", y, perm=[0, 2, 3, 1]), axes=[1, 2], keepdims=0)
    g.output(g.add("Softmax", g.add("Add", g.add("MatMul", y, g.weights(8, 5)), g.weights(5)), axis=-1), 5)
    return g


def frozen_inception(batch, opset):
    """tf2onnx of a frozen graph: norms as Mul and Sub, branches joined in the last dimension, LRN, flattening by
    Shape, Gather or Slice, Unsqueeze, Concat and casts."""
    g = GraphMaker(opset, [batch, 12, 12, 3])

    def conv(x, n, kernel, **attributes):
        """Channels last."""
        y = g.add("Transpose", x, perm=[0, 3, 1, 2])
        y = g.add("Transpose", g.add("Conv", y, g.weights(n, 8 if x != "input" else 3, kernel, kernel), **attributes),
                  perm=[0, 2, 3, 1])
        scale = g.add("Mul", g.add("Reciprocal", g.add("Sqrt", g.add("Add", g.positive(n), 0.001))), g.positive(n))
        shift = g.add("Sub", g.weights(n), g.add("Mul", g.weights(n), scale))
        return g.add("Max", g.add("Add", g.add("Mul", y, scale), shift), 0.0)

    def pool(x, operator, **attributes):
        return g.add("Transpose", g.add(operator, g.add("Transpose", x, perm=[0, 3, 1, 2]), **attributes),
                     perm=[0, 2, 3, 1])

    x = conv("input", 8, 3, strides=[2, 2], auto_pad="SAME_UPPER")
    x = g.add("Concat", conv(x, 4, 1), conv(x, 2, 5, auto_pad="SAME_LOWER"),
              pool(x, "AveragePool", kernel_shape=[3, 3], strides=[1, 1], auto_pad="SAME_UPPER"),
              pool(x, "MaxPool", kernel_shape=[3, 3], strides=[1, 1], auto_pad="SAME_UPPER"), axis=-1)
    x = g.add("LRN", g.add("Transpose", x, perm=[0, 3, 1, 2]), size=5, alpha=1e-4)
    x = g.add("Transpose", x, perm=[0, 2, 3, 1])
    x = pool(x, "MaxPool", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])
    sizes = g.add("Cast", g.add("Shape", x), to=INT32)
    if opset < 10:
        rows = g.add("Squeeze", g.add("Slice", sizes, axes=[0], starts=[0], ends=[1]), axes=[0])
    else:
        rows = g.add("Gather", sizes, 0)
    rest = numpy.array([-1], numpy.int32)
    rows = g.add("Unsqueeze", rows, axes=[0]) if opset < 13 else g.add("Unsqueeze", rows, [0])
    x = g.add("Reshape", x, g.add("Cast", g.add("Concat", rows, rest, axis=0), to=INT64))
    x = g.add("Identity", g.add("Add", g.add("MatMul", x, g.weights(198, 5)), g.weights(5)))
    g.output(g.add("Softmax", x, axis=1), 5)
    return g


def keras_decoder(batch, opset):
    """keras2onnx: batch normalisation of channels last, upsampling by Resize, Conv2DTranspose, leaky activations,
    Flatten by Reshape to [-1, n], a Dense with tanh."""
    g = GraphMaker(opset, [batch, 8, 8, 3])
    x = g.add("Transpose", "input", perm=[0, 3, 1, 2])
    x = g.add("Conv", x, g.weights(6, 3, 3, 3), g.weights(6), auto_pad="SAME_UPPER", strides=[2, 2], dilations=[1, 1])
    x = g.add("LeakyRelu", x, alpha=0.3)
    x = g.add("BatchNormalization", x, g.positive(6), g.weights(6), g.weights(6), g.positive(6), momentum=0.99)
    none = numpy.zeros(0, numpy.float32)
    x = g.add("Resize", x, none, [1.0, 1.0, 2.0, 2.0], mode="nearest", coordinate_transformation_mode="asymmetric",
              nearest_mode="floor")
    x = g.add("ConvTranspose", x, g.weights(6, 4, 3, 3), g.weights(4), strides=[2, 2], auto_pad="SAME_UPPER",
              output_shape=[16, 16])
    x = g.add("Resize", g.add("PRelu", x, g.positive(4, 1, 1)), none, [1.0, 1.0, 0.5, 0.5], mode="linear")
    x = g.add("Selu", g.add("Elu", g.add("ThresholdedRelu", x, alpha=0.1), alpha=0.7))
    x = g.add("Pad", x, [0, 0, 1, 1, 0, 0, 1, 1], mode="reflect")
    x = g.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.add("Reshape", g.add("Transpose", x, perm=[0, 2, 3, 1]), [-1, 100])
    x = g.add("Tanh", g.add("Gemm", x, g.weights(100, 7), g.weights(7)))
    g.output(g.add("Softmax", g.add("Gemm", x, g.weights(7, 5), g.weights(5))), 5)
    return g


def keras_transformer(batch, opset):
    """tf2onnx: attention by Einsum, shapes from Gather and Concat, norms by moments, GELU by Erf, a token expanded."""
    g = GraphMaker(opset, [batch, 8, 8, 3])

    def mean(x, **attributes):
        return g.add("ReduceMean", x, axes=[-1], **attributes)

    def norm(x):
        """Keras: x * inv + (beta - mean * inv)."""
        m = mean(x, keepdims=1)
        d = g.add("Sub", x, m)
        inv = g.add("Reciprocal", g.add("Sqrt", g.add("Add", mean(g.add("Mul", d, d), keepdims=1), 1e-6)))
        inv = g.add("Mul", inv, g.positive(8))
        return g.add("Add", g.add("Mul", x, inv), g.add("Sub", g.weights(8), g.add("Mul", m, inv)))

    def gelu(x):
        return g.add("Mul", g.add("Mul", x, 0.5), g.add("Add", g.add("Erf", g.add("Div", x, 2 ** 0.5)), 1.0))

    x = g.add("Transpose", "input", perm=[0, 3, 1, 2])
    x = g.add("Transpose", g.add("Conv", x, g.weights(8, 3, 2, 2), g.weights(8), strides=[2, 2]), perm=[0, 2, 3, 1])
    rows = g.add("Gather", g.add("Shape", x), [0])
    x = g.add("Reshape", x, g.add("Concat", rows, [16, 8], axis=0))
    token = g.add("Expand", g.weights(1, 1, 8), g.add("Concat", rows, [1, 8], axis=0))
    x = g.add("Add", g.add("Concat", token, x, axis=1), g.weights(1, 17, 8))
    y = norm(x)
    q, k, v = (g.add("Add", g.add("Einsum", y, g.weights(8, 2, 4), equation="abc,cde->abde"), g.weights(2, 4))
               for _ in range(3))
    scores = g.add("Einsum", k, g.add("Mul", q, 0.5), equation="aecd,abcd->acbe")
    y = g.add("Einsum", g.add("Softmax", scores, axis=-1), v, equation="acbe,aecd->abcd")
    y = g.add("Add", g.add("Einsum", y, g.weights(2, 4, 8), equation="abcd,cde->abe"), g.weights(8))
    x = g.add("Add", x, y)
    y = gelu(g.add("Add", g.add("MatMul", norm(x), g.weights(8, 16)), g.weights(16)))
    x = g.add("Add", x, g.add("MatMul", y, g.weights(16, 8)))
    x = g.add("Squeeze", g.add("Slice", norm(x), [0, 0, 0], [FAR, 1, FAR], [0, 1, 2], [1, 1, 1]),
              *([[1]] if opset >= 13 else []), **({} if opset >= 13 else {"axes": [1]}))
    g.output(g.add("Add", g.add("MatMul", x, g.weights(8, 5)), g.weights(5)), 5)
    return g


def cntk_convnet(batch, opset):
    """Times as MatMul behind Reshapes of both sides, Plus of [n, 1, 1], SAME_UPPER, weights that are inputs too."""
    g = GraphMaker(opset, [batch, 1, 12, 12])
    x = g.add("Div", "input", 2.0)
    x = g.add("Conv", x, g.weights(4, 1, 5, 5), kernel_shape=[5, 5], strides=[1, 1], auto_pad="SAME_UPPER", group=1,
              dilations=[1, 1])
    x = g.add("Relu", g.add("Add", x, g.weights(4, 1, 1)))
    x = g.add("MaxPool", x, kernel_shape=[3, 3], strides=[3, 3], pads=[0, 0, 0, 0], auto_pad="NOTSET")
    x = g.add("Pad", x, pads=[0, 0, 1, 1, 0, 0, 1, 1], mode="constant", value=0.0)
    x = g.add("Relu", g.add("Conv", x, g.weights(4, 2, 3, 3), g.weights(4), group=2))
    x = g.add("Reshape", x, [1, 64])
    x = g.add("MatMul", x, g.add("Reshape", g.weights(4, 4, 4, 5), [64, 5]))
    g.output(g.add("Add", x, g.weights(1, 5)), 5)
    return g


def mxnet_resnet(batch, opset):
    """Opset 7 and 8: BatchNormalization with momentum and spatial, slopes of PRelu, Dropout with its ratio, Flatten and
    Gemm, an L2 norm; weights that are inputs too."""
    g = GraphMaker(opset, [batch, 3, 10, 10])

    def norm(x, n):
        return g.add("BatchNormalization", x, g.positive(n), g.weights(n), g.weights(n), g.positive(n), epsilon=2e-5,
                     momentum=0.9, **({"spatial": 1} if opset < 9 else {}))

    x = norm(g.add("Mul", g.add("Sub", "input", [0.1]), [0.5]), 3)
    x = g.add("Conv", x, g.weights(8, 3, 3, 3), kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])
    x = g.add("PRelu", norm(x, 8), g.positive(8, 1, 1))
    x = g.add("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    y = g.add("Conv", norm(x, 8), g.weights(8, 8, 3, 3), pads=[1, 1, 1, 1])
    x = g.add("Sum", x, g.add("Relu", y), x) if opset >= 8 else g.add("Add", x, g.add("Relu", y))
    x = g.add("Flatten", g.add("Dropout", x, ratio=0.4))
    x = g.add("Gemm", x, g.weights(5, 200), g.weights(5), alpha=1.0, beta=1.0, transA=0, transB=1)
    g.output(g.add("LpNormalization", norm(x, 5), axis=1, p=2), 5)
    return g


def paddle_mobilenet(batch, opset):
    """Biases as Add of [1, n, 1, 1], HardSwish from HardSigmoid, Split and shuffled channels by Reshape with 0 and -1,
    a head by Squeeze; scores and the label."""
    g = GraphMaker(opset, [batch, 3, 12, 12])
    x = g.add("Conv", "input", g.weights(8, 3, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2])
    x = g.add("Add", x, g.weights(1, 8, 1, 1))
    x = g.add("Mul", x, g.add("HardSigmoid", x, alpha=1 / 6, beta=0.5))
    a, b = (g.add("Split", x, [4, 4], n_outputs=2, axis=1) if opset >= 13 else
            g.add("Split", x, n_outputs=2, axis=1, split=[4, 4]))
    b = g.add("Relu", g.add("Conv", b, g.weights(4, 1, 3, 3), group=4, pads=[1, 1, 1, 1]))
    x = g.add("Concat", a, b, axis=1)
    x = g.add("Reshape", g.add("Transpose", g.add("Reshape", x, [0, 2, 4, 6, 6]), perm=[0, 2, 1, 3, 4]), [0, -1, 6, 6])
    x = g.add("GlobalAveragePool", x)
    x = g.add("Squeeze", x, [2, 3]) if opset >= 13 else g.add("Squeeze", x, axes=[2, 3])
    x = g.add("Softmax", g.add("Add", g.add("MatMul", x, g.weights(8, 5)), g.weights(5)), axis=1)
    g.output(x, 5)
    g.output(g.add("ArgMax", x, axis=1, keepdims=0), element_type=INT64)
    return g


def quantised_by_pairs(batch, opset):
    """quantize_static, QDQ: activations of bytes by pairs, weights per channel, biases of 32 bits."""
    g = GraphMaker(opset, [batch, 3, 10, 10])

    def pair(x, scale, zero):
        scale, zero = g.name(scale), g.name(numpy.uint8(zero))
        return g.add("DequantizeLinear", g.add("QuantizeLinear", x, scale, zero), scale, zero)

    def weight(*shape):
        w = g.weights(*shape)
        scale = abs(w).reshape(len(w), -1).max(axis=1) / 127
        q = numpy.round(w / scale.reshape([-1] + [1] * (len(shape) - 1))).astype(numpy.int8)
        return g.add("DequantizeLinear", q, scale, numpy.zeros(len(w), numpy.int8), axis=0)

    def bias(n):
        scale = g.positive(n) * numpy.float32(1e-4)
        return g.add("DequantizeLinear", g.rng.integers(-2000, 2000, n).astype(numpy.int32), scale,
                     numpy.zeros(n, numpy.int32), axis=0)

    x = pair("input", 0.05, 128)
    x = pair(g.add("Relu", g.add("Conv", x, weight(8, 3, 3, 3), bias(8), strides=[2, 2])), 0.03, 0)
    y = pair(g.add("Conv", x, weight(8, 1, 3, 3), bias(8), group=8, pads=[1, 1, 1, 1]), 0.04, 121)
    x = pair(g.add("GlobalAveragePool", pair(g.add("Add", x, y), 0.05, 100)), 0.0131, 30)
    x = g.add("Gemm", g.add("Flatten", x), weight(5, 8), bias(5), transB=1)
    g.output(pair(x, 0.02, 128), 5)
    return g


def quantised_by_operators(batch, opset):
    """QLinearConv and QLinearMatMul on bytes."""
    g = GraphMaker(opset, [batch, 3, 9, 9])
    zero = numpy.uint8(128)

    def weight(*shape):
        return g.rng.integers(-127, 128, shape).astype(numpy.int8)

    x, scale = g.add("QuantizeLinear", "input", 0.02, zero), g.positive(8) * numpy.float32(0.002)
    x = g.add("QLinearConv", x, 0.02, zero, weight(8, 3, 3, 3), scale, numpy.zeros(8, numpy.int8), 0.03, numpy.uint8(5),
              g.rng.integers(-2000, 2000, 8).astype(numpy.int32), strides=[2, 2], pads=[1, 1, 1, 1])
    x = g.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.add("Reshape", x, [-1, 32])
    x = g.add("QLinearMatMul", x, 0.03, numpy.uint8(5), weight(32, 5), 0.005, numpy.int8(0), 0.05, zero)
    g.output(g.add("Softmax", g.add("DequantizeLinear", x, 0.05, zero), axis=1), 5)
    return g


def halved(batch, opset):
    """onnxconverter-common: float in and out, float16 between."""
    g = GraphMaker(opset, [batch, 3, 8, 8])
    half = numpy.float16
    x = g.add("Cast", "input", to=FLOAT16)
    x = g.add("Relu", g.add("Conv", x, g.weights(8, 3, 3, 3).astype(half), g.weights(8).astype(half)))
    x = g.add("Clip", g.add("Mul", x, half(1.5)), half(0), half(4))
    x = g.add("Flatten", g.add("GlobalAveragePool", x))
    x = g.add("Gemm", x, g.weights(8, 5).astype(half), g.weights(5).astype(half))
    g.output(g.add("Cast", x, to=FLOAT), 5)
    return g


def sklearn_perceptron(scaler, network, opset, dtype):
    """A pipeline by skl2onnx without ZipMap: Scaler or, of doubles, Sub and Div; the input cast, MatMul, Add, Softmax or both columns from Sigmoid, the label by ArgMax
    and ArrayFeatureExtractor."""
    g = GraphMaker(opset, ["N", network.n_features_in_], dtype)
    real = numpy.float64 if dtype == numpy.float64 else numpy.float32
    if dtype == numpy.float64:
        x = g.add("Div", g.add("Sub", "input", scaler.mean_), scaler.scale_)
    else:
        x = g.add("Scaler", "input", domain="ai.onnx.ml", offset=scaler.mean_, scale=1 / scaler.scale_)
    x = g.add("Cast", x, to=DOUBLE if dtype == numpy.float64 else FLOAT)
    activations = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}
    for w, b in zip(network.coefs_, network.intercepts_):
        x = g.add("Add", g.add("MatMul", x, w.astype(real)), b.astype(real)[None, :])
        if w is not network.coefs_[-1]:
            x = g.add(activations[network.activation], x)
    if len(network.classes_) > 2:
        x = g.add("Softmax", x, axis=1)
    else:
        x = g.add("Sigmoid", x)
        x = g.add("Concat", g.add("Sub", numpy.ones(1, real), x), x, axis=1)
    best = g.add("ArgMax", x, axis=1)
    label = g.add("ArrayFeatureExtractor", network.classes_.astype(numpy.int64), best, domain="ai.onnx.ml")
    label = g.add("Reshape", g.add("Cast", label, to=DOUBLE if dtype == real else FLOAT), [-1])
    g.output(g.add("Cast", label, to=INT64), element_type=INT64)
    g.output(x, len(network.classes_), element_type=DOUBLE if real == numpy.float64 else FLOAT)
    return g


def keras_layer_norm(batch):
    """Keras's LayerNormalization: samples and places become the channels of a BatchNormalization in training mode."""
    g = GraphMaker(15, [batch, 4, 6])
    rows = [batch * 4]
    x = g.add("BatchNormalization", g.add("Reshape", "input", [1, *rows, 6, 1]), numpy.ones(rows, numpy.float32),
              numpy.zeros(rows, numpy.float32), numpy.zeros(rows, numpy.float32), numpy.ones(rows, numpy.float32),
              epsilon=0.001, training_mode=1, n_outputs=3)[0]
    x = g.add("Add", g.add("Mul", g.add("Reshape", x, [batch, 4, 6]), g.positive(6)), g.weights(6))
    g.output(x, 4, 6)
    return g


# number type, classes, hidden activation, opset
PERCEPTRONS = [(numpy.float32, [3, 5, 40], "relu", 15), (numpy.int64, [7, 2], "tanh", 12),
               (numpy.float64, [0, 1, 2, 3], "logistic", 13), (numpy.float64, [-1, 1], "relu", 9)]
# form, opsets, batches in the file, tolerance
OPEN, FIXED = "N", 1
FORMS = [
    (keras_mobilenet, (11, 13), (OPEN, FIXED), TOLERANCE),
    (frozen_inception, (8, 9, 11, 13), (OPEN, FIXED), TOLERANCE),
    (keras_decoder, (11, 13), (OPEN, FIXED), TOLERANCE),
    (keras_transformer, (12, 13), (OPEN, FIXED), TOLERANCE),
    (cntk_convnet, (7, 8), (FIXED,), TOLERANCE),
    (mxnet_resnet, (7, 8), (OPEN, FIXED), TOLERANCE),
    (paddle_mobilenet, (11, 13), (OPEN, FIXED), TOLERANCE),
    (quantised_by_pairs, (13, ), (OPEN, FIXED), TOLERANCE),
    (quantised_by_operators, (12, 13), (OPEN, FIXED), TOLERANCE),
    (halved, (13, ), (OPEN, FIXED), 5e-3),
]


class Forms(ClassifyCase):
    def ours(self, model, samples, n_outputs):
        numpy.save(self.path("x.npy"), samples)
        self.classify("run", model, "--input", self.path("x.npy"), "--output-dir", self.folder)
        return [numpy.load(self.path(f"out_{i}.npy")) for i in range(n_outputs)]

    def check_answers(self, model, samples, wanted, tolerance=TOLERANCE):
        for n in 1, len(samples):
            for found, right in zip(self.ours(model, samples[:n], len(wanted)), wanted):
                self.assertEqual((found.dtype, found.shape), (right.dtype, right[:n].shape))
                numpy.testing.assert_allclose(found, right[:n], rtol=tolerance, atol=tolerance)
        self.assertGreater(wanted[0].std(axis=0).max(), 1e-3, "all samples look alike")
        self.assertGreater(self.classify_json("inspect", model)["at_max_batch"]["batch"], 1, "runs one by one")

    @unittest.skipUnless(onnxruntime.is_here(), "build/peers/node_modules holds no onnxruntime-node")
    def test_forms(self):
        for make, opsets, batches, tolerance in FORMS:
            for opset in opsets:
                wanted = None
                for batch in batches:
                    with self.subTest(form=make.__name__, opset=opset, batch=batch):
                        graph, model = make(batch, opset), self.path("model.onnx")
                        graph.save(model)
                        dims = [d.dim_value for d in graph.input.type.tensor_type.shape.dim]
                        samples = numpy.random.default_rng(5).normal(0, 1, [4, *dims[1:]]).astype(numpy.float32)
                        if wanted is None:
                            wanted = onnxruntime.run_all(model, samples, step=1 if batch == FIXED else None)
                        self.check_answers(model, samples, wanted, tolerance)

    @unittest.skipUnless(MLPClassifier, "there is no scikit-learn")
    def test_perceptrons_of_scikit_learn(self):
        rng = numpy.random.default_rng(2)
        for dtype, classes, activation, opset in PERCEPTRONS:
            with self.subTest(dtype=dtype, classes=classes, opset=opset):
                x = rng.normal(2, 9, (60, 6)).astype(dtype)
                y = numpy.array(classes)[((x - 2) @ rng.normal(0, 1, (6, len(classes)))).argmax(axis=1)]
                scaler = StandardScaler().fit(x)
                network = MLPClassifier((8, 5), activation=activation, learning_rate_init=0.05, random_state=1,
                                        tol=1e-3, max_iter=500).fit(scaler.transform(x), y)
                graph, model = sklearn_perceptron(scaler, network, opset, dtype), self.path("model.onnx")
                graph.save(model)
                real = numpy.float64 if dtype == numpy.float64 else numpy.float32
                z = scaler.transform(x)
                wanted = [network.predict(z), network.predict_proba(z).astype(real)]
                self.check_answers(model, x[:20], wanted)

    def test_samples_that_a_batch_would_mix_run_one_by_one(self):
        graph, model = keras_layer_norm(1), self.path("model.onnx")
        graph.save(model)
        x = numpy.random.default_rng(1).normal(0, 1, (4, 4, 6)).astype(numpy.float32)
        scale, shift = (numpy.frombuffer(c.raw_data, numpy.float32) for c in graph.constants[-2:])
        centred = x - x.mean(axis=2, keepdims=True)
        wanted = centred / numpy.sqrt((centred ** 2).mean(axis=2, keepdims=True) + 0.001) * scale + shift
        self.assertEqual(self.classify_json("inspect", model)["at_max_batch"]["batch"], 1)
        for n in 1, 4:
            numpy.testing.assert_allclose(self.ours(model, x[:n], 1)[0], wanted[:n], rtol=TOLERANCE, atol=TOLERANCE)


if __name__ == "__main__":
    unittest.main()
