/** R-09, as far as it is not the transport's. */
import { describe, expect, it } from "vitest";
import { Abort } from "../../base/abort.ts";
import { ChunkSource, FakeClock } from "../../gateway/testing.ts";
import { type BodySink, type BodySource, TransportError } from "../../transport/transport.ts";
import { firstByte, within } from "./timed-body.ts";

/** A source that does nothing by itself. */
class Tap implements BodySource {
  readonly length = undefined;
  sink: BodySink | null = null;
  readonly asked: string[] = [];
  start(sink: BodySink): void {
    this.sink = sink;
  }
  resume(): void {
    this.asked.push("resume");
  }
  cancel(): void {
    this.asked.push("cancel");
  }
}

function reader(full = false): BodySink & { readonly got: string[] } {
  const got: string[] = [];
  return {
    got,
    write: (chunk) => (got.push(Buffer.from(chunk).toString()), !full),
    end: (trailers) => void got.push(`end ${trailers?.join() ?? ""}`.trim()),
    fail: ({ code }) => void got.push(code),
  };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const closed = new TransportError("upstream_closed", "closed");

describe("R-09 until the first octet", () => {
  it.each<[string, ConstructorParameters<typeof ChunkSource>, string[]]>([
    ["chunks", [["a", "b", "c"]], ["a", "b", "c", "end"]],
    ["nothing at all", [[]], ["end"]],
    ["a failure later", [["a"], { failure: closed }], ["a", "upstream_closed"]],
  ])("%s come whole", async (_name, given, expected) => {
    const clock = new FakeClock();
    const body = await firstByte(new ChunkSource(...given), 100, clock, new Abort());
    clock.advance(1000);
    const sink = reader();
    body.start(sink);
    expect([sink.got, clock.waits]).toEqual([expected, []]);
  });

  it("holds a source back until somebody reads, and passes on what comes all the same", async () => {
    const tap = new Tap();
    const pending = firstByte(tap, 100, new FakeClock(), new Abort());
    expect(tap.sink!.write(bytes("a"))).toBe(false);
    tap.sink!.write(bytes("b"));
    const body = await pending;
    const sink = reader(true);
    body.start(sink);
    expect([sink.got, tap.asked]).toEqual([["a", "b"], []]);
    body.resume();
    tap.sink!.write(bytes("c"));
    tap.sink!.end(["x", "1"]);
    expect([sink.got, tap.asked]).toEqual([["a", "b", "c", "end x,1"], ["resume"]]);
  });

  it.each([50, 2000, 90_000])("is over after %i ms, and not before", async (ms) => {
    const clock = new FakeClock();
    const tap = new Tap();
    let code = "";
    const pending = firstByte(tap, ms, clock, new Abort()).catch(
      (error: TransportError) => void (code = error.code),
    );
    clock.advance(ms - 1);
    await Promise.resolve();
    expect([code, tap.asked]).toEqual(["", []]);
    clock.advance(1);
    await pending;
    expect([code, tap.asked]).toEqual(["first_byte_timeout", ["cancel"]]);
  });

  it.each<[string, (abort: Abort, tap: Tap) => void, string]>([
    ["the backend gives up", (_abort, tap) => tap.sink!.fail(closed), "upstream_closed"],
    ["the caller does", (abort) => abort.abort("client"), "aborted"],
  ])("ends when %s", async (_name, happens, code) => {
    const clock = new FakeClock();
    const tap = new Tap();
    const abort = new Abort();
    const pending = firstByte(tap, 100, clock, abort);
    happens(abort, tap);
    await expect(pending).rejects.toMatchObject({ code });
    expect(clock.waits).toEqual([]);
  });

  it("does not begin for a caller who has gone", async () => {
    const tap = new Tap();
    const abort = new Abort();
    abort.abort("client");
    await expect(firstByte(tap, 100, new FakeClock(), abort)).rejects.toMatchObject({ code: "aborted" });
    expect(tap.sink).toBeNull();
  });
});

describe("R-09 until the last octet", () => {
  it.each([50, 2000, 90_000])("is over after %i ms, and not before", (ms) => {
    const clock = new FakeClock();
    const tap = new Tap();
    const sink = reader();
    within(tap, ms, clock).start(sink);
    tap.sink!.write(bytes("a"));
    clock.advance(ms - 1);
    tap.sink!.write(bytes("b"));
    clock.advance(1);
    tap.sink!.write(bytes("c"));
    tap.sink!.end();
    expect([sink.got, tap.asked]).toEqual([["a", "b", "total_timeout"], ["cancel"]]);
  });

  it("also before anybody reads", () => {
    const clock = new FakeClock();
    const tap = new Tap();
    const body = within(tap, 10, clock);
    clock.advance(10);
    const sink = reader();
    body.start(sink);
    expect([sink.got, tap.sink]).toEqual([["total_timeout"], null]);
  });

  it.each<[string, (body: BodySource, tap: Tap) => void]>([
    ["complete", (_body, tap) => tap.sink!.end()],
    ["broken off", (_body, tap) => tap.sink!.fail(closed)],
    ["not wanted", (body) => body.cancel()],
  ])("leaves no timer behind when it is %s", (_name, happens) => {
    const clock = new FakeClock();
    const tap = new Tap();
    const body = within(tap, 100, clock);
    body.start(reader());
    happens(body, tap);
    expect(clock.waits).toEqual([]);
  });
});
