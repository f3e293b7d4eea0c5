#!/usr/bin/env python3
"""Draws the pictures in this folder: python3 tests/images/make.py. Needs python3-pil. See README.md."""
import math
import os
import random
import struct
import zlib

from PIL import Image, ImageDraw

HERE = os.path.dirname(os.path.abspath(__file__))
SIDE, ZOOM = 28, 20  # drawn ZOOM times larger, then averaged down: antialiased strokes


def arc(cx, cy, rx, ry, start, end, n=40):
    """Points of an ellipse; degrees, 0 is right, 90 is down."""
    angles = [math.radians(start + (end - start) * i / n) for i in range(n + 1)]
    return [(cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles]


# Strokes in a box of 20 x 20, as a hand would draw them.
DIGITS = {
    "zero": [arc(10, 10, 6.2, 8.6, -70, 290)],
    "one": [[(11.5, 1.2), (9.5, 18.8)]],
    "two": [arc(9.5, 6.2, 5.0, 4.8, -165, 35) + [(4.0, 17.6), (17.0, 16.8)]],
    "three": [arc(9.2, 5.8, 4.6, 4.2, -150, 95) + arc(9.0, 14.0, 5.6, 4.6, -85, 140)],
    "four": [[(6.0, 1.8), (4.4, 10.8), (15.0, 9.8)], [(14.6, 1.6), (12.4, 18.8)]],
    "five": [[(15.6, 1.8), (7.0, 2.6), (6.2, 8.8)] + arc(8.6, 13.4, 5.6, 5.0, -110, 135)],
    "six": [[(12.8, 1.4), (8.0, 6.4), (5.6, 11.6)] + arc(10.0, 13.8, 4.6, 4.6, 195, -165)],
    "seven": [[(3.6, 3.4), (15.8, 2.6), (12.6, 9.0), (9.0, 18.8)]],
    "eight": [arc(10.2, 5.4, 4.2, 4.0, 90, 450) + arc(9.8, 14.2, 4.8, 4.6, -90, 270)],
    "nine": [arc(9.6, 6.4, 4.8, 4.8, -20, -380) + [(13.9, 8.0), (12.6, 18.8)]],
}


def digit(strokes):
    """White on black, 28 x 28, its centre of mass in the middle, as MNIST prepares them."""
    canvas = Image.new("L", (SIDE * ZOOM, SIDE * ZOOM), 0)
    draw = ImageDraw.Draw(canvas)
    radius = 1.15 * ZOOM
    for stroke in strokes:
        points = [((x + 4) * ZOOM, (y + 4) * ZOOM) for x, y in stroke]
        draw.line(points, fill=255, width=round(2 * radius), joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    small = canvas.resize((SIDE, SIDE), Image.BOX)
    mass = [(x, y, small.getpixel((x, y))) for y in range(SIDE) for x in range(SIDE)]
    total = sum(m for _, _, m in mass)
    dx = (SIDE - 1) / 2 - sum(x * m for x, _, m in mass) / total
    dy = (SIDE - 1) / 2 - sum(y * m for _, y, m in mass) / total
    moved = Image.new("L", canvas.size, 0)
    moved.paste(canvas, (round(dx * ZOOM), round(dy * ZOOM)))
    return moved.resize((SIDE, SIDE), Image.BOX)


# Outlines in 28 x 28 with a grey level each, as Fashion-MNIST shows clothes.
CLOTHES = {
    "trouser": [(210, [(9, 1), (19, 1), (20, 27), (15.5, 27), (14, 9), (12.5, 27), (8, 27)])],
    "tshirt": [(190, [(9, 2), (12, 3.5), (16, 3.5), (19, 2), (26, 6), (24, 12), (20.5, 10.5), (20.5, 26),
                      (7.5, 26), (7.5, 10.5), (4, 12), (2, 6)])],
    "bag": [(120, [(9, 12), (10, 5), (18, 5), (19, 12), (17.5, 12), (16.8, 6.5), (11.2, 6.5), (10.5, 12)]),
            (200, [(2, 11), (26, 11), (26, 25), (2, 25)])],
    "ankle_boot": [(170, [(11, 5), (19, 4), (20, 14), (26, 18), (27, 22), (2, 22), (2, 19), (9, 15)]),
                   (90, [(1.5, 21.5), (27, 21.5), (27, 24), (1.5, 24)])],
}


def garment(parts):
    canvas = Image.new("L", (SIDE * ZOOM, SIDE * ZOOM), 0)
    draw = ImageDraw.Draw(canvas)
    for level, outline in parts:
        draw.polygon([(x * ZOOM, y * ZOOM) for x, y in outline], fill=level)
    return canvas.resize((SIDE, SIDE), Image.BOX)


def scene(width, height):
    """Sky, sun, hills and grain: smooth and busy parts, as in a photograph."""
    noise = random.Random(7)
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            hill = 0.62 + 0.12 * math.sin(5.0 * x / width) + 0.03 * math.sin(31.0 * x / width)
            if y / height < hill:
                r, g, b = 90 + 120 * y / height, 140 + 60 * y / height, 235 - 40 * y / height
            else:
                r, g, b = 60 + 40 * x / width, 120 - 50 * (y / height - hill), 50
            if math.hypot(x - 0.75 * width, y - 0.22 * height) < 0.1 * height:
                r, g, b = 250, 225, 120
            grain = noise.randint(-9, 9)
            image.putpixel((x, y), tuple(max(0, min(255, round(v) + grain)) for v in (r, g, b)))
    return image


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, depth, color, interlace, rows, extra=b""):
    """Pillow writes neither interlaced files nor 16-bit colour, so this does."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def interlaced(image):
    rows = b""
    for x0, y0, dx, dy in ADAM7:
        for y in range(y0, image.height, dy):
            line = b"".join(bytes(image.getpixel((x, y))) for x in range(x0, image.width, dx))
            rows += b"\0" + line if line else b""
    return png(image.width, image.height, 8, 2, 1, rows)


def rgb16(image):
    """The low bytes are noise: a reader that does not drop them shows it."""
    noise = random.Random(16)
    rows = b""
    for y in range(image.height):
        rows += b"\0" + b"".join(bytes((v, noise.randint(0, 255))) for x in range(image.width)
                                 for v in image.getpixel((x, y)))
    return png(image.width, image.height, 16, 2, 0, rows)


def gray16(image):
    rows = b"".join(b"\0" + b"".join(bytes((image.getpixel((x, y)), 255 - x)) for x in range(image.width))
                    for y in range(image.height))
    return png(image.width, image.height, 16, 0, 0, rows)


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


def save(image, name, **options):
    image.save(os.path.join(HERE, name), **options)


def main():
    for name, strokes in DIGITS.items():
        save(digit(strokes), f"{name}.png", optimize=True)
    for name, parts in CLOTHES.items():
        save(garment(parts), f"{name}.png", optimize=True)
    save(digit(DIGITS["three"]), "three.jpg", quality=95)
    seven, small = digit(DIGITS["seven"]), scene(37, 23)
    save(scene(96, 64), "scene.jpg", quality=85)
    save(scene(96, 64), "scene_progressive.jpg", quality=85, progressive=True)
    save(small, "scene.png", optimize=True)
    save(small.convert("CMYK"), "scene_cmyk.jpg", quality=50)
    save(small.quantize(16), "scene_palette.png", transparency=bytes(range(0, 256, 16)))
    save(Image.merge("RGBA", small.split() + (small.convert("L"),)), "scene_alpha.png")
    save(Image.merge("LA", (seven, seven)), "seven_alpha.png")
    save(seven.convert("1", dither=Image.Dither.NONE), "seven_1bit.png")
    write("seven_16bit.png", gray16(seven))
    write("scene_16bit.png", rgb16(small))
    write("scene_interlaced.png", interlaced(small))


if __name__ == "__main__":
    main()
