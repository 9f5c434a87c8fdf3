"""Makes a screenshot small: at most 256 colours, as PNG. Chromium reads the pixels, so that no image library is needed."""

import base64
import struct
import zlib

from playwright.sync_api import Page

_QUANTISE = """
async (source) => {
  const image = new Image();
  image.src = "data:image/png;base64," + source;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const parts = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  // The commonest colours stay exact: surfaces, text, controls. The edges of letters share what is left.
  const ranked = [...counts].sort((a, b) => b[1] - a[1]);
  const palette = ranked.slice(0, 176).map(([pixel]) => parts(pixel));
  const shared = new Map();
  for (const [pixel, count] of ranked.slice(176)) {
    const [r, g, b] = parts(pixel);
    const bucket = ((r >> 4) << 8) | ((g >> 4) << 4) | (b >> 4);
    const held = shared.get(bucket) ?? [0, 0, 0, 0];
    shared.set(bucket, [held[0] + r * count, held[1] + g * count, held[2] + b * count, held[3] + count]);
  }
  const common = [...shared.values()].sort((a, b) => b[3] - a[3]).slice(0, 80);
  for (const [r, g, b, count] of common) palette.push([r, g, b].map((sum) => Math.round(sum / count)));
  const nearest = new Map();
  for (const [pixel] of ranked) {
    const [r, g, b] = parts(pixel);
    let best = 0, least = Infinity;
    for (let i = 0; i < palette.length && least > 0; i++) {
      const far = (r - palette[i][0]) ** 2 + (g - palette[i][1]) ** 2 + (b - palette[i][2]) ** 2;
      if (far < least) [best, least] = [i, far];
    }
    nearest.set(pixel, best);
  }
  const indices = Uint8Array.from(pixels, (pixel) => nearest.get(pixel));
  let text = "";
  for (let at = 0; at < indices.length; at += 32768) text += String.fromCharCode(...indices.subarray(at, at + 32768));
  return { width: image.width, height: image.height, palette: palette.flat(), indices: btoa(text) };
}
"""


def squeeze(page: Page, image: bytes) -> bytes:
    """The same picture with a palette. `page` is any page of a running Chromium; an empty one does."""
    found = page.evaluate(_QUANTISE, base64.b64encode(image).decode())
    width, height = found["width"], found["height"]
    pixels = base64.b64decode(found["indices"])
    lines = b"".join(b"\0" + pixels[row * width : (row + 1) * width] for row in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", head),
        (b"PLTE", bytes(found["palette"])),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
