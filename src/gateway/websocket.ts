/**
 * After a backend's 101: joins the two raw connections, each at the other's pace, and closes both when either ends
 * (`routing.md` §7.4). Frames are not looked into; whoever wants to reads them through a tap.
 */
import type { BodySink, BodySource, Tunnel } from "../transport/transport.ts";
import type { Exchange } from "./exchange.ts";
import { ResponseMessage } from "./message.ts";

/** @param done called once, when both directions are over */
export function proxyWebSocket(exchange: Exchange, done: () => void): void {
  const backend = exchange.tunnel!;
  const response = (exchange.response ??= new ResponseMessage(101));
  const client = exchange.incoming.reply.upgrade(
    response.statusCode,
    response.statusReason,
    response.headers.raw,
  );
  let open = 2;
  const closed = (): void => {
    if (--open === 0) done();
  };
  const stop = exchange.abort.onAbort(() => {
    client.close();
    backend.close();
  });
  const both = (): void => {
    stop();
    closed();
  };
  join(client.source, backend, both, () => client.close());
  join(
    backend.source,
    client,
    closed,
    () => backend.close(),
    (octets) => (exchange.bytesSent += octets),
  );
}

/** Copies `from` into `to`; an end is passed on, a fault closes both. */
function join(
  from: BodySource,
  to: Tunnel,
  done: () => void,
  closeFrom: () => void,
  count?: (octets: number) => void,
): void {
  const sink: BodySink = to.sink(() => from.resume());
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    done();
  };
  from.start({
    borrows: true,
    write(chunk) {
      count?.(chunk.length);
      return sink.write(chunk);
    },
    end() {
      sink.end();
      finish();
    },
    fail() {
      to.close();
      closeFrom();
      finish();
    },
  });
}
