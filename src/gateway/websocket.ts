/**
 * After a backend's 101: joins the two raw connections, each at the other's pace, and closes both when either ends
 * (`routing.md` §7.4). Frames are not looked into; whoever wants to reads them through a tap.
 */
import type { BodySink, BodySource } from "../transport/transport.ts";
import { type ConnectionEnd, recordConnection } from "./observing/diagnose.ts";
import type { Exchange } from "./exchange.ts";
import { ResponseMessage } from "./message.ts";
import { ModelSession } from "./models/model-session.ts";

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
  let ended = false;
  /** The first end or fault is the session's. */
  const tellEnd = (source: ConnectionEnd, destination: ConnectionEnd, error: string | null): void => {
    if (ended) return;
    ended = true;
    recordConnection(
      exchange,
      error === null ? "ConnectionClosed" : "ConnectionError",
      source,
      destination,
      error,
    );
  };
  recordConnection(exchange, "ConnectionOpened", "client", "backend", null);
  const stop = exchange.abort.onAbort(() => {
    client.close();
    backend.close();
  });
  const both = (): void => {
    stop();
    closed();
  };
  const session = sessionOf(exchange);
  const toBackend = backend.sink(() => client.source.resume());
  const toClient = client.sink(() => backend.source.resume());
  session?.open(toClient, () => {
    tellEnd("gateway", "client", null);
    toClient.end();
    backend.close();
  });
  join(
    client.source,
    session === null ? toBackend : session.clientSink(toBackend, () => client.source.resume()),
    both,
    () => {
      backend.close();
      client.close();
    },
    (error) => tellEnd("client", "backend", error),
  );
  join(
    backend.source,
    session === null ? toClient : session.serverSink(toClient),
    closed,
    () => {
      client.close();
      backend.close();
    },
    (error) => tellEnd("backend", "client", error),
    (octets) => (exchange.bytesSent += octets),
  );
}

/** Frames are looked into only where somebody counts tokens or records what is said. */
function sessionOf(exchange: Exchange): ModelSession | null {
  const { modelCall } = exchange;
  if (modelCall === undefined || modelCall === null || !modelCall.isSession) return null;
  const session = new ModelSession(exchange, modelCall);
  // The exchange's own listeners come first, and then what they settle.
  exchange.onEnd(() => session.ended());
  return session;
}

/** Copies `from` into `sink`; an end is passed on, a fault closes both. */
function join(
  from: BodySource,
  sink: BodySink,
  done: () => void,
  closeBoth: () => void,
  ended: (error: string | null) => void,
  count?: (octets: number) => void,
): void {
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
      ended(null);
      sink.end();
      finish();
    },
    fail(error) {
      ended(error.code);
      closeBoth();
      finish();
    },
  });
}
