import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Section } from "../../compiler/policy.ts";
import type { GatewayError } from "../../gateway/errors.ts";
import {
  ChunkSource,
  exchangeOf,
  mistakesOf,
  policyStep,
  responseOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { findAndReplace } from "./policy.ts";

interface Given {
  readonly section?: Section;
  readonly headers?: readonly string[];
  readonly body: string | Uint8Array;
  readonly from: unknown;
  readonly to: unknown;
}

/** The body afterwards, as latin1 text; or what went wrong. */
async function run({ section = "outbound", headers = [], body, from, to }: Given): Promise<string> {
  const chunks = typeof body === "string" ? [body] : [body.subarray(0, 3), body.subarray(3)];
  const exchange = exchangeOf({
    headers: section === "inbound" ? headers : [],
    body: new ChunkSource(chunks),
  });
  exchange.response = responseOf(200, new ChunkSource(chunks), headers);
  const step = policyStep(findAndReplace, { attributes: { from, to } }, { section });
  try {
    await step.run(exchange, null);
  } catch (error) {
    const { status, reason } = error as GatewayError;
    return `${status} ${reason}`;
  }
  const target = section === "inbound" ? exchange.request : exchange.response;
  if (!target.body!.buffered) return "left alone";
  return Buffer.from(target.body!.bytes()).toString("latin1");
}

const latin1 = (text: string, encoding: BufferEncoding = "utf8"): string =>
  Buffer.from(text, encoding).toString("latin1");
const charset = (name: string): string[] => ["Content-Type", `text/plain; charset=${name}`];

test.each<[string, Given, string]>([
  ["all occurrences", { body: "a-b-c", from: "-", to: "+" }, "a+b+c"],
  ["split over chunks", { body: Buffer.from("xxabcabc"), from: "abc", to: "z" }, "xxzz"],
  ["the request in inbound", { section: "inbound", body: "abc", from: "b", to: "" }, "ac"],
  ["the response on error", { section: "on-error", body: "abc", from: "b", to: "B" }, "aBc"],
  ["case counts", { body: "Aa", from: "a", to: "x" }, "Ax"],
  ["no patterns", { body: "a.c abc", from: "a.c", to: "$&" }, "$& abc"],
  ["not again in what was put in", { body: "aa", from: "a", to: "aa" }, "aaaa"],
  ["nothing there", { body: "abc", from: "x", to: "y" }, "abc"],
  ["an empty body", { body: "", from: "x", to: "y" }, ""],
  ["expressions", { body: "abc", from: () => "b", to: () => "B" }, "aBc"],
  ["beyond ASCII", { body: "grün", from: "ü", to: "ue" }, "gruen"],
  [
    "octets that are no text stay",
    { body: Buffer.of(0xff, 0xfe, 0x61, 0x80, 0x61), from: "a", to: "bb" },
    "\xff\xfebb\x80bb",
  ],
  [
    "latin1",
    { headers: charset("ISO-8859-1"), body: Buffer.from("gr\xfcn", "latin1"), from: "ü", to: "ö" },
    "gr\xf6n",
  ],
  [
    "windows-1252",
    { headers: charset("windows-1252"), body: Buffer.of(0x80, 0x31), from: "€", to: "EUR " },
    "EUR 1",
  ],
  [
    "a letter that the charset lacks is not there",
    { headers: charset("us-ascii"), body: "abc", from: "日", to: "x" },
    "abc",
  ],
  [
    "and cannot be put in",
    { headers: charset("iso-8859-1"), body: "abc", from: "b", to: "日" },
    "500 InvalidReplacementText",
  ],
  [
    "UTF-16",
    { headers: charset("utf-16"), body: Buffer.from("a日b", "utf16le"), from: "日", to: "-" },
    latin1("a-b", "utf16le"),
  ],
  [
    "UTF-16: no match across characters",
    { headers: charset("utf-16le"), body: Buffer.of(0x01, 0x61, 0x00, 0x61), from: "a", to: "b" },
    "\x01\x61\x00\x61",
  ],
  [
    "UTF-16, big end first",
    { headers: charset("utf-16be"), body: Buffer.of(0, 0x61, 0, 7), from: "a", to: "b" },
    "\x00b\x00\x07",
  ],
  [
    "UTF-16 with half a character",
    { headers: charset("utf-16be"), body: Buffer.of(0, 0x61, 7), from: "a", to: "b" },
    "\x00a\x07",
  ],
  [
    "a charset that cannot be searched",
    { headers: charset("shift_jis"), body: "abc", from: "b", to: "x" },
    "abc",
  ],
  ["compressed", { headers: ["Content-Encoding", "gzip"], body: gzipSync("abc"), from: "b", to: "x" }, "axc"],
  [
    "a coding that nobody knows",
    { headers: ["Content-Encoding", "zstd"], body: "abc", from: "b", to: "x" },
    "left alone",
  ],
  ["nothing to look for", { body: "abc", from: () => "", to: "x" }, "500 InvalidFindText"],
  ["too large a result", { body: "a".repeat(10_000), from: "a", to: "b".repeat(10_000) }, "500 BodyTooLarge"],
])("find-and-replace: %s", async (_name, given, expected) => {
  expect(await run(given)).toBe(expected);
});

test("a body too large to hold is refused", async () => {
  const exchange = exchangeOf(
    { body: new ChunkSource(["x".repeat(20)]) },
    snapshotOf({ options: { bufferLimitBytes: 10 } }),
  );
  const step = policyStep(findAndReplace, { attributes: { from: "x", to: "y" } }, { section: "inbound" });
  await expect(step.run(exchange, null)).rejects.toMatchObject({
    reason: "RequestBodyTooLarge",
    status: 413,
  });
});

test("no body, nothing to do", () => {
  const step = policyStep(findAndReplace, { attributes: { from: "x", to: "y" } }, { section: "inbound" });
  expect(step.run(exchangeOf(), null)).toBeUndefined();
});

test("an empty text to look for is told when the document is saved", () => {
  expect(mistakesOf(findAndReplace, { attributes: { from: "", to: "x" } })).toEqual([
    "there is nothing to look for, which fails every request",
  ]);
  expect(mistakesOf(findAndReplace, { attributes: { from: "x", to: "" } })).toEqual([]);
});
