import { expect, test } from "vitest";
import type { BodySink, BodySource } from "../../transport/transport.ts";
import { TransportError } from "../../transport/transport.ts";
import { GATHERED_BYTES, gathered, mayBeGathered } from "./gathered-body.ts";

const FULL = GATHERED_BYTES;

/** What comes out, chunk by chunk: sizes, `end` with trailers, `fail`. */
function passed(steps: readonly (number | "end" | "fail")[]): (number | string)[] {
  const out: (number | string)[] = [];
  let into: BodySink | null = null;
  const source: BodySource = {
    length: undefined,
    start: (sink) => void (into = sink),
    resume: () => {},
    cancel: () => {},
  };
  gathered(source).start({
    write: (chunk) => out.push(chunk.length) > 0,
    end: (trailers) => void out.push(`end ${trailers?.join("=") ?? ""}`.trim()),
    fail: ({ code }) => void out.push(`fail ${code}`),
  });
  for (const step of steps) {
    if (step === "end") into!.end(["x-sum", "1"]);
    else if (step === "fail") into!.fail(new TransportError("idle_timeout", "it broke off"));
    else into!.write(new Uint8Array(step));
  }
  return out;
}

test.each<[Parameters<typeof passed>[0], (number | string)[]]>([
  [["end"], ["end x-sum=1"]],
  [[1, 2], []],
  [
    [1, 2, "end"],
    [3, "end x-sum=1"],
  ],
  [[FULL], [FULL]],
  [[FULL - 1], []],
  [
    [FULL - 1, 1],
    [FULL - 1, 1],
  ],
  [
    [10, FULL, 5, "end"],
    [10, FULL, 5, "end x-sum=1"],
  ],
  [
    [3 * FULL, 1, "fail"],
    [3 * FULL, 1, "fail idle_timeout"],
  ],
])("chunks of %j", (steps, expected) => {
  expect(passed(steps)).toEqual(expected);
});

test("what is held is a copy, in order", () => {
  const out: string[] = [];
  let into: BodySink | null = null;
  const source: BodySource = {
    length: undefined,
    start: (sink) => void (into = sink),
    resume: () => {},
    cancel: () => {},
  };
  gathered(source).start({
    write: (chunk) => out.push(Buffer.from(chunk).toString()) > 0,
    end: () => void out.push("end"),
    fail: () => {},
  });
  const shared = Buffer.from("one ");
  into!.write(shared);
  shared.write("two ");
  into!.write(shared);
  into!.end();
  expect(out).toEqual(["one two ", "end"]);
});

test.each<[string | null, boolean]>([
  [null, true],
  ["application/json; charset=utf-8", true],
  ["application/octet-stream", true],
  ["text/plain", true],
  ["text/event-stream; charset=utf-8", false],
  ["application/vnd.amazon.eventstream", false],
  ["application/x-ndjson", false],
  ["application/jsonl", false],
  ["application/grpc+proto", false],
])("%s may be gathered: %s", (contentType, expected) => {
  expect(mayBeGathered(contentType)).toBe(expected);
});
