/**
 * After a backend's 101: joins the two raw connections, each at the other's pace, and closes both when either ends
 * (`routing.md` §7.4). Frames are not looked into; whoever wants to reads them through a tap.
 */
import type { BodySink, BodySource, Tunnel } from "../transport/transport.ts";
import { type ConnectionEnd, recordConnection } from "./observing/diagnose.ts";
import type { Exchange } from "./exchange.ts";
import { ResponseMessage } from "./message.ts";
import { ModelSession } from "./models/model-session.ts";
import { SafetySession } from "./safety/safety-session.ts";

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
  const safety = exchange.sessionChecks === null ? null : new SafetySession(exchange, exchange.sessionChecks);
  const session = sessionOf(exchange, safety);
  let resumeClient = (): void => client.source.resume();
  let resumeBackend = (): void => backend.source.resume();
  let toBackend = backend.sink(() => resumeClient());
  let toClient = client.sink(() => resumeBackend());
  // What may not be said is neither counted nor sent; what was said to nobody is still paid for.
  //   client ─▶ safety ─▶ session ─▶ backend        backend ─▶ session ─▶ safety ─▶ client
  if (safety !== null) {
    const told = toClient;
    toClient = safety.serverSink(told, resumeBackend);
    resumeBackend = () => safety.clientDrained();
    safety.open(
      () => {
        tellEnd("gateway", "client", null);
        told.end();
        backend.close();
      },
      () => {
        client.close();
        backend.close();
      },
    );
    exchange.onEnd(() => safety.stop());
  }
  session?.open(toClient, () => {
    tellEnd("gateway", "client", null);
    toClient.end();
    backend.close();
  });
  if (session !== null) toBackend = session.clientSink(toBackend, () => resumeClient());
  if (safety !== null) {
    toBackend = safety.clientSink(toBackend, resumeClient);
    resumeClient = () => safety.backendDrained();
  }
  join(client.source, toBackend, both, client, (error) => tellEnd("client", "backend", error));
  join(
    backend.source,
    session === null ? toClient : session.serverSink(toClient),
    closed,
    backend,
    (error) => tellEnd("backend", "client", error),
    (octets) => (exchange.bytesSent += octets),
  );
}

/** Frames are looked into only where somebody counts tokens, or judges or records what is said. */
function sessionOf(exchange: Exchange, safety: SafetySession | null): ModelSession | null {
  const { modelCall } = exchange;
  if (modelCall === undefined || modelCall === null || !modelCall.isSession) return null;
  const session = new ModelSession(exchange, modelCall, safety === null ? null : safety.hears);
  // The exchange's own listeners come first, and then what they settle.
  exchange.onEnd(() => session.ended(safety === null ? null : safety.cut));
  return session;
}

/** Copies `from` into `sink`; an end is passed on, a fault, too, and closes `own`, which `from` is of. */
function join(
  from: BodySource,
  sink: BodySink,
  done: () => void,
  own: Tunnel,
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
    borrows: sink.borrows,
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
      sink.fail(error);
      own.close();
      finish();
    },
  });
}
