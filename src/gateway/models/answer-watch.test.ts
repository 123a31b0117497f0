import { expect, test } from "vitest";
import type { AnswerTap } from "../../llm/response-tap.ts";
import { exchangeOf, responseOf } from "../testing.ts";
import { AnswerWatch } from "./answer-watch.ts";

test.each<[string, boolean, readonly number[], object | null]>([
  ["of a stream", true, [250, 500, 1500], { count: 2, sum: 1.25, min: 0.25, max: 1 }],
  ["of one chunk has none", true, [250], null],
  ["of no stream are not taken", false, [250, 500], null],
])("seconds between the chunks of an answer: %s", (_what, streams, chunksMs, expected) => {
  const exchange = exchangeOf();
  const started = exchange.services.clock.ms;
  const call = { exchange, firstByteMs: null as number | null, answerOver: () => {} };
  const tap = { write: () => {}, end: () => undefined } as unknown as AnswerTap;
  const watch = new AnswerWatch(call, tap, responseOf(200, "x").body!, streams);
  const sink = watch.sink({ write: () => true, end: () => {}, fail: () => {} });
  for (const ms of chunksMs) {
    exchange.services.clock.ms = started + ms;
    sink.write(new Uint8Array(1));
  }
  sink.end();
  expect(call.firstByteMs).toBe(250);
  if (expected === null) expect(watch.gaps).toBeNull();
  else expect(watch.gaps).toMatchObject(expected);
});
