import { expect, test } from "vitest";
import { type BodySink, type BodySource, TransportError, type Tunnel } from "../transport/transport.ts";
import { HeaderList } from "../base/headers.ts";
import { ResponseMessage } from "./message.ts";
import { exchangeOf } from "./testing.ts";
import { proxyWebSocket } from "./websocket.ts";

/** One end of a raw connection: what the test lets it say, and what it was told. */
class End implements Tunnel {
  heard = "";
  ended = false;
  closed = false;
  slow = false;
  drained: () => void = () => {};
  resumed = 0;
  #sink: BodySink | null = null;

  readonly source: BodySource = {
    length: undefined,
    start: (sink) => void (this.#sink = sink),
    resume: () => void this.resumed++,
    cancel: () => {},
  };

  sink(onDrain: () => void): BodySink {
    this.drained = onDrain;
    return {
      write: (chunk) => {
        this.heard += Buffer.from(chunk).toString();
        return !this.slow;
      },
      end: () => void (this.ended = true),
      fail: () => this.close(),
    };
  }

  close(): void {
    this.closed = true;
  }

  say(text: string): boolean {
    return this.#sink!.write(Buffer.from(text));
  }
  end(): void {
    this.#sink!.end();
  }
  fail(): void {
    this.#sink!.fail(new TransportError("upstream_closed", "gone"));
  }
}

function joined() {
  const exchange = exchangeOf({ upgrade: true });
  const client = new End();
  const backend = new End();
  const upgrades: string[] = [];
  exchange.incoming.reply.upgrade = (status: number, reason: string, headers: string[]) => {
    upgrades.push(`${status} ${reason} ${headers.join("=")}`);
    return client;
  };
  exchange.tunnel = backend;
  exchange.response = new ResponseMessage(101, "", new HeaderList(["Sec-WebSocket-Accept", "x"]));
  let done = 0;
  proxyWebSocket(exchange, () => void done++);
  return { exchange, client, backend, upgrades, done: () => done };
}

test("octets pass both ways, behind the backend's own 101", () => {
  const { exchange, client, backend, upgrades } = joined();
  client.say("ping");
  backend.say("pong!");
  expect(upgrades).toEqual(["101 Switching Protocols Sec-WebSocket-Accept=x"]);
  expect({ client: client.heard, backend: backend.heard, sent: exchange.bytesSent }).toEqual({
    client: "pong!",
    backend: "ping",
    sent: 5,
  });
});

test("each side goes at the other's pace", () => {
  const { client, backend } = joined();
  client.slow = true;
  expect(backend.say("x")).toBe(false);
  client.drained();
  expect(backend.resumed).toBe(1);
});

test.each(["client", "backend"] as const)(
  "when the %s ends, the other is told; over when both have",
  (first) => {
    const ends = joined();
    const [one, other] = first === "client" ? [ends.client, ends.backend] : [ends.backend, ends.client];
    one.end();
    expect({ ended: other.ended, done: ends.done() }).toEqual({ ended: true, done: 0 });
    other.end();
    expect(ends.done()).toBe(1);
  },
);

test.each(["client", "backend"] as const)("when the %s breaks off, both are closed", (first) => {
  const ends = joined();
  (first === "client" ? ends.client : ends.backend).fail();
  expect({ client: ends.client.closed, backend: ends.backend.closed }).toEqual({
    client: true,
    backend: true,
  });
});

test("a client that is gone closes both", () => {
  const { exchange, client, backend } = joined();
  exchange.abort.abort("client");
  expect({ client: client.closed, backend: backend.closed }).toEqual({ client: true, backend: true });
});
