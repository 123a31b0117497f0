import * as fc from "fast-check";
import { expect, test } from "vitest";
import { imageSizeOfBase64, imageSizeOfDataUrl } from "./image-size.ts";

const be16 = (n: number) => [n >> 8, n & 255];
const le16 = (n: number) => [n & 255, n >> 8];
const be32 = (n: number) => [...be16(n >>> 16), ...be16(n & 0xffff)];
const ascii = (text: string) => [...Buffer.from(text, "latin1")];
const url = (octets: readonly number[], type = "image/png") =>
  `data:${type};base64,${Buffer.from(octets).toString("base64")}`;

const png = (width: number, height: number) => [
  0x89,
  ...ascii("PNG\r\n\x1a\n"),
  ...be32(13),
  ...ascii("IHDR"),
  ...be32(width),
  ...be32(height),
  ...ascii("\x08\x06\0\0\0"),
];
const segment = (marker: number, length: number) => [
  0xff,
  marker,
  ...be16(length + 2),
  ...Array<number>(length).fill(7),
];
const sof = (marker: number, width: number, height: number) => [
  0xff,
  marker,
  ...be16(17),
  8,
  ...be16(height),
  ...be16(width),
  3,
  ...Array<number>(9).fill(0),
];
const gif = (width: number, height: number) => [...ascii("GIF89a"), ...le16(width), ...le16(height), 0, 0, 0];
const webp = (kind: string, body: readonly number[]) => [
  ...ascii("RIFF\0\0\0\0WEBP"),
  ...ascii(kind),
  ...ascii("\0\0\0\0"),
  ...body,
  ...Array<number>(10).fill(0),
];

test.each<[string, number[], readonly [number, number] | null]>([
  ["PNG", png(640, 480), [640, 480]],
  ["PNG as large as can be", png(0xffffffff, 1), [0xffffffff, 1]],
  ["PNG of nothing", png(0, 480), null],
  ["PNG without its header", png(1, 1).slice(0, 16), null],
  ["JPEG", [0xff, 0xd8, ...segment(0xe0, 14), ...sof(0xc0, 800, 600)], [800, 600]],
  [
    "progressive JPEG behind metadata, padding and tables",
    [
      0xff,
      0xd8,
      ...segment(0xe1, 65_533),
      ...segment(0xe2, 40_000),
      0xff,
      ...segment(0xc4, 30),
      ...sof(0xc2, 4000, 3000),
    ],
    [4000, 3000],
  ],
  ["JPEG without a frame", [0xff, 0xd8, ...segment(0xe0, 14), 0xff, 0xd9, ...Array<number>(9).fill(0)], null],
  ["JPEG with an empty segment", [0xff, 0xd8, 0xff, 0xe0, 0, 0, ...Array<number>(20).fill(0)], null],
  [
    "JPEG of endless segments",
    [0xff, 0xd8, ...Array.from({ length: 5000 }, () => segment(0xe0, 0)).flat()],
    null,
  ],
  ["JPEG of padding", [0xff, 0xd8, ...Array<number>(5000).fill(0xff)], null],
  ["GIF", gif(320, 200), [320, 200]],
  ["lossy WebP", webp("VP8 ", [0, 0, 0, 0x9d, 0x01, 0x2a, ...le16(550), ...le16(368)]), [550, 368]],
  [
    "lossless WebP",
    webp("VP8L", [0x2f, (386 - 1) & 255, ((386 - 1) >> 8) | (((395 - 1) & 3) << 6), (395 - 1) >> 2, 0]),
    [386, 395],
  ],
  ["extended WebP", webp("VP8X", [0, 0, 0, 0, 0xff, 0x03, 0, 0xff, 0x01, 0]), [1024, 512]],
  ["something else", ascii("%PDF-1.7 and so on"), null],
  ["nothing", [], null],
])("%s", (_name, octets, expected) => {
  const found = imageSizeOfDataUrl(url(octets));
  expect(found).toEqual(expected === null ? null : { width: expected[0], height: expected[1] });
  expect(imageSizeOfBase64(Buffer.from(octets).toString("base64"))).toEqual(found);
});

test.each([
  "https://example.com/a.png",
  "data:image/png,abc",
  "data:",
  "",
  `data:${"x".repeat(1000)};base64,iVBOR`,
])("%.40s is not asked", (value) => {
  expect(imageSizeOfDataUrl(value)).toBeNull();
});

test("whatever octets come, there is a size or none", () => {
  const heads = [png(5, 6), [0xff, 0xd8, ...sof(0xc0, 5, 6)], gif(5, 6), webp("VP8X", []), []];
  fc.assert(
    fc.property(
      fc.constantFrom(...heads),
      fc.nat(40),
      fc.uint8Array({ maxLength: 80 }),
      (head, cut, rest) => {
        const found = imageSizeOfDataUrl(url([...head.slice(0, cut), ...rest]));
        if (found !== null) {
          expect(found.width).toBeGreaterThan(0);
          expect(found.height).toBeGreaterThan(0);
        }
      },
    ),
    { seed: 11, numRuns: 3000 },
  );
});

test("twenty megabytes of base64 are not decoded for twenty octets", () => {
  const huge = url(png(640, 480)) + "A".repeat(20_000_000);
  expect(imageSizeOfDataUrl(huge)).toEqual({ width: 640, height: 480 });
});
