/** One request with an answer that is wanted whole: for commands, not for what passes through the gateway. */
import { Abort } from "../base/abort.ts";
import { type BodySource, type Client, TransportError } from "./transport.ts";

export interface WholeRequest {
  readonly method: string;
  /** Absolute http or https URL. */
  readonly url: string;
  /** Flat; Host is added when there is none. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array | null;
  /** Take whatever certificate the server shows. */
  readonly insecure: boolean;
  /** Octets of the answer's body that are kept; what comes after is dropped. */
  readonly limitBytes: number;
  /** Default: nothing ends it. */
  readonly abort?: Abort;
}

export interface WholeAnswer {
  readonly status: number;
  readonly reason: string;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  /** Octets that came, kept or not. */
  readonly length: number;
}

/** @throws TransportError; TypeError for a URL that is none */
export async function requestWhole(client: Client, request: WholeRequest): Promise<WholeAnswer> {
  const url = new URL(request.url);
  const hasHost = request.rawHeaders.some((name, i) => i % 2 === 0 && name.toLowerCase() === "host");
  const secure = url.protocol === "https:";
  if (!secure && url.protocol !== "http:") throw new TypeError(`${request.url} is not an http or https URL`);
  const answer = await client.send({
    method: request.method,
    scheme: secure ? "https" : "http",
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    target: url.pathname + url.search,
    rawHeaders: [...(hasHost ? [] : ["Host", url.host]), ...request.rawHeaders],
    body: request.body,
    abort: request.abort ?? new Abort(),
    tls: request.insecure ? { validateChain: false, validateName: false } : undefined,
  });
  const { body, length } =
    answer.body === null
      ? { body: new Uint8Array(), length: 0 }
      : await collect(answer.body, request.limitBytes);
  return { status: answer.status, reason: answer.reason, rawHeaders: answer.rawHeaders, body, length };
}

function collect(source: BodySource, limitBytes: number): Promise<{ body: Uint8Array; length: number }> {
  return new Promise((resolve, reject) => {
    const kept: Uint8Array[] = [];
    let length = 0;
    source.start({
      write(chunk) {
        const room = limitBytes - length;
        length += chunk.length;
        if (room > 0) kept.push(room < chunk.length ? chunk.slice(0, room) : chunk);
        return true;
      },
      end: () => resolve({ body: Buffer.concat(kept), length }),
      fail: (error: TransportError) => reject(error),
    });
  });
}
