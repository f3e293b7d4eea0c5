"""Networks in the forms that timm and people's own PyTorch code export answer as they do in PyTorch.

What torchvision's networks do not have: standardised and blurred convolutions, squeeze-excitation by means, attention
by Einsum, unbind and expand, norms and pooling written out, inputs of doubles and bytes, labels as outputs. Small, with
random weights; at several opsets, with a batch of 1 or an open one in the file, one sample and four.
"""
import os
import sys
import unittest

try:
    import numpy
    import torch
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
import warnings

from classify_case import ClassifyCase
from torch import nn
from torch.nn import functional as F

TOLERANCE = 1e-5
ENGINES = [engine for engine in ("fbgemm", "qnnpack", "onednn") if engine in torch.backends.quantized.supported_engines]
ENGINE = ENGINES[0] if ENGINES else None


class StandardisedConv(nn.Conv2d):
    """Weights of mean 0 and variance 1, made in the graph: as a formula or, as timm does, by batch_norm."""

    def __init__(self, *args, by_batch_norm, **kwargs):
        super().__init__(*args, **kwargs)
        self.by_batch_norm = by_batch_norm

    def forward(self, x):
        w = self.weight
        if self.by_batch_norm:
            w = F.batch_norm(w.reshape(1, len(w), -1), None, None, training=True, momentum=0.0).reshape_as(w)
        else:
            mean, var = w.mean(dim=(1, 2, 3), keepdim=True), w.var(dim=(1, 2, 3), keepdim=True, unbiased=False)
            w = (w - mean) * torch.rsqrt(var + 1e-5)
        return F.conv2d(x, w, self.bias, self.stride, self.padding)


class BlurPool(nn.Module):
    """A binomial filter behind a reflecting border, one per channel, expanded in the graph."""

    def __init__(self, channels):
        super().__init__()
        self.channels, line = channels, torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("filter", (line[:, None] * line[None, :])[None, None])

    def forward(self, x):
        x = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(x, self.filter.expand(self.channels, -1, -1, -1), stride=2, groups=self.channels)


class SameConv(nn.Conv2d):
    """TensorFlow's SAME padding, worked out from the input's size as timm's tf_ networks do."""

    def forward(self, x):
        pad = []
        for size, kernel, stride in zip(x.shape[:-3:-1], self.kernel_size[::-1], self.stride[::-1]):
            missing = max((-(size // -stride) - 1) * stride + kernel - size, 0)
            pad += [missing // 2, missing - missing // 2]
        return F.conv2d(F.pad(x, pad), self.weight, self.bias, self.stride, 0, 1, self.groups)


class SqueezeExcite(nn.Module):
    def __init__(self, channels, gate):
        super().__init__()
        self.reduce, self.expand, self.gate = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1), gate

    def forward(self, x):
        s = x.mean((2, 3), keepdim=True)
        s = self.reduce(s)
        return x * self.gate(self.expand(s * s.sigmoid()))


class EfficientNet(nn.Module):
    """Inverted residuals with SAME padding, SiLU as x * sigmoid(x), a gate, a mean over places as head."""

    def __init__(self, gate):
        super().__init__()
        self.stem, self.norm = SameConv(3, 8, 3, 2), nn.BatchNorm2d(8)
        self.wide, self.deep = nn.Conv2d(8, 16, 1), SameConv(16, 16, 5, 2, groups=16)
        self.gate, self.project, self.head = SqueezeExcite(16, gate), nn.Conv2d(16, 8, 1), nn.Linear(8, 5)

    def forward(self, x):
        x = self.norm(self.stem(x))
        x = x * torch.sigmoid(x)
        y = F.silu(self.wide(x))
        y = self.project(self.gate(F.silu(self.deep(y))))
        return self.head((y + F.avg_pool2d(x, 2)).mean([2, 3]))


class NormFree(nn.Module):
    """Standardised weights, scaled GELU, blurred strides, GroupNorm, the max and the mean over places joined."""

    def __init__(self, by_batch_norm):
        super().__init__()
        self.stem = StandardisedConv(3, 8, 3, padding=1, by_batch_norm=by_batch_norm)
        self.blur, self.norm = BlurPool(8), nn.GroupNorm(2, 8)
        self.conv = StandardisedConv(8, 8, 3, padding=1, by_batch_norm=by_batch_norm)
        self.gain, self.head = nn.Parameter(torch.full((8, 1, 1), 0.2)), nn.Linear(16, 5)

    def forward(self, x):
        x = self.norm(self.blur(F.gelu(self.stem(x)) * 1.7015))
        x = x + self.conv(F.relu(x)) * self.gain
        x = torch.cat([F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)], 1)
        return self.head(x.flatten(1))


class WrittenNorm(nn.Module):
    """LayerNorm as formula."""

    def __init__(self, n):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.rand(n) + 0.5), nn.Parameter(torch.randn(n))

    def forward(self, x):
        d = x - x.mean(-1, keepdim=True)
        return d / torch.sqrt(d.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight + self.bias


class Attention(nn.Module):
    """In timm's form, with unbind; or with Einsum, chunks and a learned bias between places."""

    def __init__(self, n, heads, einsum, places):
        super().__init__()
        self.qkv, self.out, self.heads, self.einsum = nn.Linear(n, 3 * n), nn.Linear(n, n), heads, einsum
        self.table = nn.Parameter(torch.randn(2 * places, heads))
        self.register_buffer("index", torch.arange(places)[:, None] - torch.arange(places)[None, :] + places - 1)

    def forward(self, x):
        b, n, c = x.shape
        if self.einsum:
            q, k, v = (part.reshape(b, n, self.heads, c // self.heads) for part in self.qkv(x).chunk(3, dim=-1))
            bias = self.table[self.index.view(-1)].view(n, n, -1).permute(2, 0, 1)
            weights = torch.einsum("bihd,bjhd->bhij", q * (c // self.heads) ** -0.5, k) + bias.unsqueeze(0)
            x = torch.einsum("bhij,bjhd->bihd", weights.softmax(-1), v).reshape(b, n, c)
        else:
            qkv = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
            q, k, v = qkv.unbind(0)
            weights = (q @ k.transpose(-2, -1)) * (c // self.heads) ** -0.5
            x = (weights.softmax(dim=-1) @ v).transpose(1, 2).reshape(b, n, c)
        return self.out(x)


class Transformer(nn.Module):
    """Patches, a class token, positions resized in the graph, blocks with layer scale, token or mean as head."""

    def __init__(self, einsum, head):
        super().__init__()
        n, self.by_token = 16, head == "token"
        self.patches, self.token = nn.Conv2d(3, n, 4, 4), nn.Parameter(torch.randn(1, 1, n))
        self.positions = nn.Parameter(torch.randn(1, n, 4, 4))
        self.norm, self.attend = WrittenNorm(n), Attention(n, 4, einsum, 37)
        self.scale, self.mlp = nn.Parameter(torch.rand(n)), nn.Sequential(nn.Linear(n, 32), nn.GELU(), nn.Linear(32, n))
        self.last, self.head = nn.LayerNorm(n), nn.Linear(n, 5)

    def forward(self, x):
        x = self.patches(x)
        x = x + F.interpolate(self.positions, size=x.shape[2:], mode="bilinear", align_corners=False)
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1)
        x = x + self.scale * self.attend(self.norm(x))
        x = self.last(x + self.mlp(self.norm(x)))
        return self.head(x[:, 0] if self.by_token else x[:, 1:].mean(dim=1))


class Windows(nn.Module):
    """Windows that are cut out, rolled, masked and put back, channels last; patches merged by strided slices."""

    def __init__(self):
        super().__init__()
        self.stem, self.attend, self.merge = nn.Conv2d(3, 8, 4, 4), Attention(8, 2, False, 9), nn.Linear(32, 8)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x).permute(0, 2, 3, 1)[:, :6, :6]
        b, h, w, c = x.shape
        y = torch.roll(x, (-1, -1), (1, 2)).view(b, h // 3, 3, w // 3, 3, c).permute(0, 1, 3, 2, 4, 5)
        y = self.attend(y.reshape(-1, 9, c)).view(b, h // 3, w // 3, 3, 3, c)
        y = y.permute(0, 1, 3, 2, 4, 5).contiguous().view(b, h, w, -1)
        x = self.norm(x + torch.roll(y, (1, 1), (1, 2)))
        x = torch.cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)
        return self.head(self.merge(x).mean((1, 2)))


class Mixer(nn.Module):
    """MLPs across places and channels; hard activations; channels shuffled; learned pooling."""

    def __init__(self):
        super().__init__()
        self.stem, self.places, self.prelu = nn.Conv2d(3, 8, 4, 4), nn.Linear(36, 36), nn.PReLU(8)
        self.norm, self.weigh, self.head = nn.InstanceNorm2d(8, affine=True), nn.Conv2d(8, 1, 1), nn.Linear(8, 5)

    def forward(self, x):
        x = self.prelu(self.stem(x))
        b, c, h, w = x.shape
        x = self.places(x.flatten(2)).view(b, c, h, w) + F.hardswish(x) * F.hardsigmoid(x)
        x = x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)
        x = F.mish(self.norm(x)) + F.softplus(x) - F.elu(x).clamp(-0.5, 2) + F.leaky_relu(x)
        weights = self.weigh(x).view(b, 1, -1).softmax(-1)
        x = (x.flatten(2) * weights).sum(-1)
        return self.head(F.normalize(x, dim=1))


class TwoAnswers(nn.Module):
    """Bytes in, channels last; mean and deviation in the graph; the label and the probabilities out."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3, 2), nn.Linear(8, 5)
        self.register_buffer("mean", torch.tensor([123.675, 116.28, 103.53])[:, None, None])

    def forward(self, x):
        x = (x.permute(0, 3, 1, 2).float() - self.mean) / 58.0
        x = F.relu(self.conv(x)).amax((2, 3))
        p = F.softmax(self.head(x), dim=1)
        return p.argmax(dim=1), p


class Doubles(nn.Module):
    """A perceptron of doubles."""

    def __init__(self):
        super().__init__()
        layers = nn.Flatten(), nn.Linear(48, 9), nn.Tanh(), nn.Linear(9, 5), nn.LogSoftmax(1)
        self.layers = nn.Sequential(*layers).double()

    def forward(self, x):
        return self.layers(x).exp()


class Quantised(nn.Module):
    """As PyTorch quantises: exported as pairs of QuantizeLinear and DequantizeLinear, zeros from ConstantOfShape."""

    def __init__(self):
        super().__init__()
        self.quantise, self.dequantise = torch.ao.quantization.QuantStub(), torch.ao.quantization.DeQuantStub()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU())
        self.second, self.head = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.ReLU()), nn.Linear(8, 5)

    def forward(self, x):
        x = self.second(self.first(self.quantise(x)))
        return self.dequantise(self.head(F.adaptive_avg_pool2d(x, 1).flatten(1)))


# name, network, opsets, shape of a sample
FORMS = [
    ("efficientnet", lambda: EfficientNet(torch.sigmoid), (11, 13, 17), (3, 24, 24)),
    ("efficientnet, hard gate", lambda: EfficientNet(lambda x: F.relu6(x + 3.0) / 6.0), (11, 13), (3, 24, 24)),
    ("norm-free", lambda: NormFree(False), (11, 13, 17), (3, 24, 24)),
    ("norm-free by batch_norm", lambda: NormFree(True), (13, 17), (3, 24, 24)),
    ("transformer", lambda: Transformer(False, "token"), (11, 13, 17), (3, 24, 24)),
    ("transformer, Einsum", lambda: Transformer(True, "mean"), (12, 13, 17), (3, 24, 24)),
    ("windows", Windows, (11, 13, 17), (3, 24, 24)),
    ("mixer", Mixer, (11, 14, 17), (3, 24, 24)),
    ("two answers", TwoAnswers, (11, 13, 17), (24, 24, 3)),
    ("doubles", Doubles, (11, 13, 17), (3, 4, 4)),
]


def randomise(network):
    """Weights, and means and variances as if trained."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return network.eval()


def samples(name, shape):
    x = torch.randn(4, *shape)
    if name == "two answers":
        return (x * 60 + 128).clamp(0, 255).to(torch.uint8)
    return x.double() if name == "doubles" else x


class TorchForms(ClassifyCase):
    def export(self, network, x, n_outputs, opset, is_open):
        path, outputs = self.path("model.onnx"), [f"y{i}" for i in range(n_outputs)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(network, x[:1], path, opset_version=opset, input_names=["x"], output_names=outputs,
                              dynamic_axes={name: {0: "batch"} for name in ["x", *outputs]} if is_open else None)
        return path

    def answers(self, model, x):
        numpy.save(self.path("x.npy"), x.numpy())
        self.classify("run", model, "--input", self.path("x.npy"), "--output-dir", self.folder)

    def compare(self, wanted):
        for i, right in enumerate(wanted):
            found = numpy.load(self.path(f"out_{i}.npy"))
            self.assertEqual((found.dtype, found.shape), (right.numpy().dtype, right.shape))
            numpy.testing.assert_allclose(found, right.numpy(), rtol=TOLERANCE, atol=TOLERANCE)

    def check_form(self, name, network, x, opset, is_open):
        with torch.no_grad():
            wanted = network(x)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        self.assertGreater(wanted[-1].std(dim=0).max(), 1e-3, "all samples look alike")
        model = self.export(network, x, len(wanted), opset, is_open)
        for n in 1, 4:
            self.answers(model, x[:n])
            self.compare([right[:n] for right in wanted])
        self.assertGreater(self.classify_json("inspect", model)["at_max_batch"]["batch"], 1, "runs one by one")

    def test_forms(self):
        for name, make, opsets, shape in FORMS:
            torch.manual_seed(3)
            network, x = randomise(make()), samples(name, shape)
            for opset in opsets:
                for is_open in {False, opset == opsets[-1]}:
                    with self.subTest(form=name, opset=opset, is_open=is_open):
                        self.check_form(name, network, x, opset, is_open)

    @unittest.skipIf(ENGINE is None, "this PyTorch has no quantised kernels")
    def test_quantised(self):
        torch.manual_seed(3)
        torch.backends.quantized.engine = ENGINE
        network, x = Quantised().eval(), torch.randn(4, 3, 24, 24)
        network.qconfig = torch.ao.quantization.get_default_qconfig(ENGINE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pairs = [["first.0", "first.1"], ["second.0", "second.1"]]
            torch.ao.quantization.fuse_modules(network, pairs, inplace=True)
            torch.ao.quantization.prepare(network, inplace=True)
            network(x)
            torch.ao.quantization.convert(network, inplace=True)
        wanted = network(x).numpy()
        self.assertGreater(wanted.std(axis=0).max() / network.head.scale, 3, "all samples look alike")
        self.answers(self.export(network, x, 1, 13, True), x)
        steps = (numpy.load(self.path("out_0.npy")) - wanted) / network.head.scale
        self.assertLess(abs(steps).max(), 1.5, "more than a step apart: sums are rounded elsewhere, but not that much")


if __name__ == "__main__":
    unittest.main()
