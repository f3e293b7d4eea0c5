"""The maps of classify explain are those that PyTorch's automatic gradients give for the same formulas.

A convolutional network with all that such have, and a small transformer; both with random weights. The formulas of
docs/explain.md are written down once more here, with torch.autograd in the place of our backward passes.
"""
import os
import sys

sys.path[0] = os.path.join(os.environ["CLASSIFYD_SOURCE"], "tests", "support")  # not here, where a torchvision.py is
try:
    import numpy
    import torch
    from torch_networks import calibrate, export
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
import unittest

import tiny_files
from classify_case import ClassifyCase

SIDE, N_CLASSES, STEPS, PATCH, STRIDE = 24, 5, 350, 7, 4  # more than 341 steps are not tripled


class Convolutions(torch.nn.Module):
    """Depthwise and grouped convolutions, BatchNormalization, a squeeze-and-excite block, a shortcut, two branches."""

    def __init__(self):
        super().__init__()
        conv = torch.nn.Conv2d
        self.stem, self.norm = conv(3, 8, 3, stride=2, padding=1), torch.nn.BatchNorm2d(8)
        self.deep, self.deep_norm = conv(8, 8, 3, padding=1, groups=8), torch.nn.BatchNorm2d(8)
        self.squeeze, self.excite = conv(8, 4, 1), conv(4, 8, 1)
        self.left, self.right = conv(8, 6, 3, padding=1), conv(8, 6, 1, groups=2)
        self.drop, self.head = torch.nn.Dropout(0.5), torch.nn.Linear(12, N_CLASSES)

    def forward(self, x):
        x = torch.nn.functional.hardswish(self.norm(self.stem(x)))
        y = torch.relu(self.deep_norm(self.deep(x)))
        scale = torch.sigmoid(self.excite(torch.relu(self.squeeze(y.mean((2, 3), keepdim=True)))))
        x = torch.nn.functional.max_pool2d(x + y * scale, 2)
        self.features = torch.relu(torch.cat([torch.tanh(self.left(x)), self.right(x)], dim=1))
        return self.head(self.drop(self.features.mean((2, 3))))


class Attention(torch.nn.Module):
    """Patches by a convolution, LayerNormalization, attention with two heads, GELU, a mean over patches."""

    def __init__(self):
        super().__init__()
        linear, n = torch.nn.Linear, 16
        self.patches = torch.nn.Conv2d(3, n, 6, stride=6)
        self.first, self.second = torch.nn.LayerNorm(n), torch.nn.LayerNorm(n)
        self.query, self.key, self.value, self.out = linear(n, n), linear(n, n), linear(n, n), linear(n, n)
        self.wide, self.narrow, self.head = linear(n, 2 * n), linear(2 * n, n), linear(n, N_CLASSES)

    def forward(self, x):
        self.features = self.patches(x)
        x = self.features.flatten(2).transpose(1, 2)
        y = self.first(x)
        q, k, v = (part(y).reshape(-1, 16, 2, 8).transpose(1, 2) for part in (self.query, self.key, self.value))
        seen = torch.softmax(q @ k.transpose(-1, -2) / 8 ** 0.5, dim=-1) @ v
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        x = x + self.narrow(torch.nn.functional.gelu(self.wide(self.second(x))))
        return torch.softmax(self.head(x.mean(1)), dim=-1)


class Maps(ClassifyCase):
    def prepare(self, kind):
        torch.manual_seed(3)
        self.network = kind().eval()
        generator = torch.Generator().manual_seed(4)
        if kind is Convolutions:
            calibrate(self.network, torch.rand(8, 3, SIDE, SIDE, generator=generator))
        self.pixels = (torch.rand(SIDE, SIDE, 3, generator=generator) * 255).round().byte().numpy()
        self.x = torch.from_numpy(self.pixels.transpose(2, 0, 1).copy())[None].float() / 255
        self.best = self.network(self.x).argmax().item()
        export(self.network, self.x, self.path("model.onnx"), 17, True)
        self.write("picture.png", tiny_files.png(SIDE, SIDE, self.pixels.tobytes(), channels=3))

    def explain(self, method, *options):
        answer = self.classify_json("explain", self.path("model.onnx"), self.path("picture.png"), "--method",
                                    method, *options)
        return answer, numpy.array(answer["map"]["values"])

    def scores(self, x):
        """Those of the class that the picture gets. Of the transformer the logits: the head's, before its softmax."""
        heads = []
        hook = self.network.head.register_forward_hook(lambda module, inputs, output: heads.append(output))
        self.network(x)
        hook.remove()
        return heads[0][:, self.best]

    def gradients(self, x):
        x = x.clone().requires_grad_()
        return torch.autograd.grad(self.scores(x).sum(), x)[0]

    def check_map(self, found, wanted):
        wanted = wanted.detach().numpy()
        self.assertEqual(found.shape, wanted.shape)
        self.assertGreater(numpy.abs(wanted).max(), 1e-4)
        self.assertLess(numpy.abs(found - wanted).max(), 1e-3 * numpy.abs(wanted).max())

    def check_scores_and_gradient(self):
        answer, found = self.explain("smoothgrad", "--noise", "0", "--samples", "1")
        self.assertTrue(answer["is_logit"])
        self.assertAlmostEqual(answer["score"], self.scores(self.x).item(), places=4)
        self.check_map(found, self.gradients(self.x)[0].abs().sum(0))

    def check_integrated_gradients(self):
        answer, found = self.explain("integrated-gradients", "--baseline", "gray", "--steps", str(STEPS))
        baseline = torch.full_like(self.x, 0.5)
        shares = ((torch.arange(STEPS) + 0.5) / STEPS)[:, None, None, None]
        mean = self.gradients(baseline + shares * (self.x - baseline)).mean(0)
        self.check_map(found, ((self.x - baseline)[0] * mean).sum(0))
        self.assertAlmostEqual(answer["baseline_score"], self.scores(baseline).item(), places=4)

    def check_occlusion(self):
        _, found = self.explain("occlusion", "--baseline", "white", "--patch", str(PATCH), "--stride", str(STRIDE))
        falls, times = torch.zeros(SIDE, SIDE), torch.zeros(SIDE, SIDE)
        starts = sorted({min(at, SIDE - PATCH) for at in range(0, SIDE - PATCH + STRIDE, STRIDE)})
        for top in starts:
            for left in starts:
                covered = self.x.clone()
                covered[:, :, top:top + PATCH, left:left + PATCH] = 1
                falls[top:top + PATCH, left:left + PATCH] += (self.scores(self.x) - self.scores(covered)).item()
                times[top:top + PATCH, left:left + PATCH] += 1
        self.check_map(found, falls / times)

    def check_gradcam(self):
        _, found = self.explain("gradcam")
        score = self.scores(self.x).sum()
        gradient = torch.autograd.grad(score, self.network.features)[0]
        weighted = (gradient.mean((2, 3), keepdim=True) * self.network.features).sum(1, keepdim=True).relu()
        self.check_map(found, torch.nn.functional.interpolate(weighted, size=(SIDE, SIDE), mode="bilinear",
                                                              align_corners=False)[0, 0])

    def check_all(self, kind):
        self.prepare(kind)
        self.check_scores_and_gradient()
        self.check_integrated_gradients()
        with torch.no_grad():
            self.check_occlusion()
        self.check_gradcam()

    def test_convolutions(self):
        self.check_all(Convolutions)

    def test_attention(self):
        self.check_all(Attention)


if __name__ == "__main__":
    unittest.main()
