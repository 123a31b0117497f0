/** The backend of the cases: remembers what it saw, answers what the case says. */
import { gzipSync } from "node:zlib";
import { createServer } from "../src/transport/node/index.ts";
import type { BodySource, Incoming, Server } from "../src/transport/transport.ts";
import { type Block, parseMessage } from "./case-file.ts";

export interface SeenRequest {
  readonly line: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export class Upstream {
  seen: SeenRequest[] = [];
  #answers: readonly Block[] = [];
  #arrived = 0;
  #server: Server | null = null;
  /** Octets of the answer that the client has. */
  clientHas: () => number = () => 0;
  readonly #open = new Set<Incoming>();

  async start(): Promise<void> {
    this.#server = await createServer({
      host: "127.0.0.1",
      port: 0,
      onRequest: (incoming) => this.#onRequest(incoming),
    });
  }

  get port(): number {
    return this.#server!.port;
  }

  /** A new case begins. */
  reset(answers: readonly Block[]): void {
    this.seen = [];
    this.#answers = answers;
    this.#arrived = 0;
    for (const incoming of this.#open) incoming.abort.abort("other");
    this.#open.clear();
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  #onRequest(incoming: Incoming): void {
    const at = this.#arrived++;
    const answers = this.#answers;
    const answer = answers[Math.min(at, answers.length - 1)];
    readAll(incoming.body, (body) => {
      this.seen.push({
        line: `${incoming.method} ${incoming.target}`,
        rawHeaders: incoming.rawHeaders,
        body,
      });
      this.#answer(incoming, answer);
    });
  }

  #answer({ reply }: Incoming, block: Block | undefined): void {
    if (block === undefined) return reply.send(200, "", [], null);
    const { first, headers, body, marks } = parseMessage(block);
    if (first === "hang") return;
    const [status = "200", ...reason] = first.split(" ");
    const raw = headers.flat();
    if (first === "reset") {
      const failing = reply.head(200, "", [], () => {});
      failing.write(new TextEncoder().encode("part"));
      return failing.fail({
        code: "upstream_closed",
        message: "",
        nothingSent: false,
        stale: false,
        name: "TransportError",
      });
    }
    if (block.name === "upstream stream") return void this.#stream(reply, Number(status), raw, body ?? "");
    const bytes = body === null ? null : Buffer.from(body);
    if (marks.includes("gzip") && bytes !== null)
      return reply.send(
        Number(status),
        reason.join(" "),
        [...raw, "Content-Encoding", "gzip"],
        gzipSync(bytes),
      );
    reply.send(Number(status), reason.join(" "), raw, bytes);
  }

  async #stream(reply: Incoming["reply"], status: number, headers: string[], script: string): Promise<void> {
    const sink = reply.head(status, "", headers, () => {});
    let sent = 0;
    const before = this.clientHas();
    for (const line of script.split("\n")) {
      if (line === "wait") {
        // A client that is never given what was sent would be a bug: the case then runs into its time limit.
        while (this.clientHas() - before < sent) await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      if (line === "reset")
        return sink.fail({
          code: "upstream_closed",
          message: "",
          nothingSent: false,
          stale: false,
          name: "TransportError",
        });
      const chunk = Buffer.from(JSON.parse(line) as string);
      sent += chunk.length;
      sink.write(chunk);
    }
    sink.end();
  }
}

/** The whole body as text; empty without one. */
export function readAll(
  source: BodySource | null,
  done: (body: string, complete: boolean) => void,
  onChunk?: (size: number) => void,
): void {
  if (source === null) return done("", true);
  const chunks: Uint8Array[] = [];
  source.start({
    write(chunk) {
      chunks.push(chunk);
      onChunk?.(chunk.length);
      return true;
    },
    end: () => done(Buffer.concat(chunks).toString(), true),
    fail: () => done(Buffer.concat(chunks).toString(), false),
  });
}
