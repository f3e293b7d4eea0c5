"""Small ONNX, PNG and IDX files written byte by byte, so that tests need no other library."""
import gzip
import json
import struct
import zlib

FLOAT, UINT8, INT32, INT64 = 1, 2, 6, 7  # onnx.TensorProto.DataType


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def _int(field, value):
    return varint(field << 3) + varint(value & (1 << 64) - 1)


def delimited(field, value):
    """A field of bytes or text, or of a message that is bytes already."""
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def node(op_type, inputs, outputs, name="", **ints):
    """A NodeProto; keyword arguments are integer attributes."""
    out = b"".join(delimited(1, i) for i in inputs) + b"".join(delimited(2, o) for o in outputs)
    out += delimited(3, name or outputs[0]) + delimited(4, op_type)
    for key, value in ints.items():
        out += delimited(5, delimited(1, key) + _int(3, value) + _int(20, 2))
    return out


def floats(name, dims, values):
    """A TensorProto of float32."""
    return (b"".join(_int(1, d) for d in dims) + _int(2, FLOAT) + delimited(8, name)
            + delimited(9, struct.pack(f"<{len(values)}f", *values)))


def value_info(name, dims, elem_type=FLOAT):
    """A ValueInfoProto; a dimension that is text is symbolic."""
    shape = b"".join(delimited(1, delimited(2, d) if isinstance(d, str) else _int(1, d)) for d in dims)
    return delimited(1, name) + delimited(2, delimited(1, _int(1, elem_type) + delimited(2, shape)))


def model(nodes, initializers, inputs, outputs, metadata=None, opset=17):
    """The bytes of an .onnx file."""
    graph = b"".join(delimited(1, n) for n in nodes) + delimited(2, "tiny")
    graph += b"".join(delimited(5, i) for i in initializers)
    graph += b"".join(delimited(11, i) for i in inputs) + b"".join(delimited(12, o) for o in outputs)
    out = _int(1, 8) + delimited(2, "tiny_files") + delimited(7, graph) + delimited(8, _int(2, opset))
    for key, value in (metadata or {}).items():
        out += delimited(14, delimited(1, key) + delimited(2, value))
    return out


QUADRANTS = ["upper left", "upper right", "lower left", "lower right"]


def quadrant_model(softmax=True, labels=True, batch="N", metadata=None):
    """Says which pixel of a 2 x 2 picture is the brightest: scores are 8 x pixel / 255."""
    nodes = [node("Flatten", ["x"], ["flat"]), node("Gemm", ["flat", "w", "b"], ["scores"])]
    if softmax:
        nodes.append(node("Softmax", ["scores"], ["p"], axis=1))
    weights = [8.0 if i == j else 0.0 for i in range(4) for j in range(4)]
    return model(nodes, [floats("w", [4, 4], weights), floats("b", [4], [0.0] * 4)],
                 [value_info("x", [batch, 1, 2, 2])],
                 [value_info("p" if softmax else "scores", [batch, 4])],
                 {**({"classifyd.labels": json.dumps(QUADRANTS)} if labels else {}), **(metadata or {})})


def two_input_model():
    """sum = a + b and product = a * b, of shape [N, 3]."""
    return model([node("Add", ["a", "b"], ["sum"]), node("Mul", ["a", "b"], ["product"])], [],
                 [value_info("a", ["N", 3]), value_info("b", ["N", 3])],
                 [value_info("sum", ["N", 3]), value_info("product", ["N", 3])])


def png(width, height, pixels, channels=1):
    """The bytes of an 8-bit PNG, grey or, with 3 channels, RGB."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    row = width * channels
    rows = b"".join(b"\0" + bytes(pixels[y * row:(y + 1) * row]) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def png_size(path):
    """Width and height, from the header."""
    with open(path, "rb") as file:
        return struct.unpack(">8x4x4xII", file.read(24))


def write_idx(folder, width, height, samples, labels, split="t10k"):
    """Two gzipped IDX files, named as MNIST's are."""
    images = struct.pack(">IIII", 0x803, len(samples), height, width) + b"".join(map(bytes, samples))
    with gzip.open(f"{folder}/{split}-images-idx3-ubyte.gz", "wb") as file:
        file.write(images)
    with gzip.open(f"{folder}/{split}-labels-idx1-ubyte.gz", "wb") as file:
        file.write(struct.pack(">II", 0x801, len(labels)) + bytes(labels))
