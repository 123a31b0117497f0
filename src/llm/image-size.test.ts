import fc from "fast-check";
import { expect, test } from "vitest";
import { type ImageSize, base64Bytes, imageSize } from "./image-size.ts";

const hex = (text: string): string => Buffer.from(text.replaceAll(" ", ""), "hex").toString("base64");

const EXIF = "ffe1 0010 457869660000 4d4d002a00000008";

test.each<[string, string, ImageSize | null]>([
  [
    "PNG",
    hex("89504e470d0a1a0a 0000000d 49484452 00000400 00000300 0806000000"),
    { width: 1024, height: 768 },
  ],
  ["GIF", hex("474946383961 4001 f000 f70000"), { width: 320, height: 240 }],
  ["JPEG", hex("ffd8 ffc0 0011 08 01e0 0280 03012200"), { width: 640, height: 480 }],
  [
    "JPEG with EXIF and fill octets",
    hex(`ffd8 ${EXIF} ffff ffc2 0011 08 01e0 0280 03012200`),
    { width: 640, height: 480 },
  ],
  ["JPEG that ends early", hex("ffd8 ffe1 ffff 00 00 00 00 00 00"), null],
  ["JPEG that is broken", hex("ffd8 00c0 0011 08 01e0 0280 0301"), null],
  [
    "WebP, lossy",
    hex("52494646 24000000 57454250 56503820 18000000 3001009d012a 8002 e001 0000"),
    { width: 640, height: 480 },
  ],
  [
    "WebP, lossless",
    hex("52494646 24000000 57454250 5650384c 18000000 2f 7f c2 77 00 00000000000000000000"),
    { width: 640, height: 480 },
  ],
  [
    "WebP, extended",
    hex("52494646 24000000 57454250 56503858 0a000000 10000000 7f0200 df0100 0000"),
    { width: 640, height: 480 },
  ],
  ["no image", hex("25504446 2d312e37 0a000000 00000000 00000000 00000000"), null],
  ["nothing", "", null],
  ["no base64", "!!!", null],
])("size of %s", (_, data, size) => expect(imageSize(data)).toEqual(size));

test("arbitrary octets never throw", () => {
  const starts = ["ffd8", "ffd8ffe0", "89504e47", "47494638", "52494646000000005745425056503858"];
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 60 }), (start, rest) => {
      imageSize(Buffer.concat([Buffer.from(start, "hex"), rest]).toString("base64"));
    }),
    { seed: 5 },
  );
});

test("octets behind base64", () => {
  for (const length of [0, 1, 2, 3, 4, 100]) {
    expect(base64Bytes(Buffer.alloc(length).toString("base64"))).toBe(length);
  }
});
