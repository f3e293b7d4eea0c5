"""Models of each operator with one number, or all of a list, at an extreme. Needs python3-onnx."""
import every_operator
import numpy as np
from onnx import AttributeProto, numpy_helper

INTEGERS = [-2 ** 63, -2 ** 62, -2 ** 40, -2 ** 31, -5, -2, -1, 0, 1, 2, 3, 7, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 32,
            2 ** 40, 2 ** 62, 2 ** 63 - 1]
REALS = [np.nan, np.inf, -np.inf, 0, -1, 1e30, -1e30, 1e-30, 0.3]
DIMENSIONS = [0, -1, 1, 2, 3, 7, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 40, 2 ** 62, 2 ** 63 - 1]
MAX_NUMBERS = 16  # of a constant that is looked at: shapes, axes, scales


def _copy(made):
    copy = type(made)()
    copy.CopyFrom(made)
    return copy


def _lists(values, numbers):
    """Each place with each number, and all places with it."""
    for number in numbers:
        for at in range(len(values)):
            yield [*values[:at], number, *values[at + 1:]]
        yield [number] * len(values)


def _constants(made):
    for i, tensor in enumerate(made.graph.initializer):
        array = numpy_helper.to_array(tensor)
        if array.size > MAX_NUMBERS or array.dtype not in (np.int64, np.float32):
            continue
        for values in _lists(array.reshape(-1).tolist(), INTEGERS if array.dtype == np.int64 else REALS):
            copy = _copy(made)
            changed = np.array(values, array.dtype).reshape(array.shape)
            copy.graph.initializer[i].CopyFrom(numpy_helper.from_array(changed, tensor.name))
            yield copy


def _attributes(made):
    for i, attribute in enumerate(made.graph.node[0].attribute):
        if attribute.type == AttributeProto.INT:
            for number in INTEGERS:
                copy = _copy(made)
                copy.graph.node[0].attribute[i].i = number
                yield copy
        elif attribute.type == AttributeProto.FLOAT:
            for number in REALS:
                copy = _copy(made)
                copy.graph.node[0].attribute[i].f = number
                yield copy
        elif attribute.type == AttributeProto.INTS:
            for values in _lists(list(attribute.ints), INTEGERS):
                copy = _copy(made)
                copy.graph.node[0].attribute[i].ints[:] = values
                yield copy


def _dimensions(made):
    for i, value in enumerate(made.graph.input):
        for at in range(len(value.type.tensor_type.shape.dim)):
            for number in DIMENSIONS:
                copy = _copy(made)
                copy.graph.input[i].type.tensor_type.shape.dim[at].dim_value = number
                for output in copy.graph.output:
                    output.type.tensor_type.ClearField("shape")
                yield copy


def models():
    for _, _, _, made in every_operator.models():
        yield from _constants(made)
        yield from _attributes(made)
        yield from _dimensions(made)
