/** The backend of the cases: remembers what it saw, answers what the case says. */
import { gzipSync } from "node:zlib";
import { HeaderList } from "../src/base/headers.ts";
import { createServer } from "../src/transport/node/index.ts";
import type { BodySource, Incoming, Server } from "../src/transport/transport.ts";
import { type Block, parseMessage } from "./case-file.ts";
import type { Said } from "./fill.ts";

export interface SeenRequest extends Said {
  readonly line: string;
}

/** The answers of one place; the last one serves all that follow. */
interface Script {
  readonly answers: Block[];
  arrived: number;
}

export class Upstream {
  seen: SeenRequest[] = [];
  /** Answers that could not be made. */
  faults: string[] = [];
  /** By `METHOD /path`; empty for those that name no place. */
  readonly #scripts = new Map<string, Script>();
  #fill: (text: string) => string = (text) => text;
  #awaited: { readonly count: number; readonly done: () => void } | null = null;
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

  /**
   * A new case begins.
   *
   * @param fill is called when an answer is due, so that it can speak of what happened before
   */
  reset(answers: readonly Block[], fill: (text: string) => string): void {
    this.seen = [];
    this.#awaited = null;
    this.faults = [];
    this.#fill = fill;
    this.#scripts.clear();
    for (const block of answers) {
      const place = block.name.replace(/^upstream( stream)?\s*/, "");
      const script = this.#scripts.get(place);
      if (script === undefined) this.#scripts.set(place, { answers: [block], arrived: 0 });
      else script.answers.push(block);
    }
    for (const incoming of this.#open) incoming.abort.abort("other");
    this.#open.clear();
  }

  /** Resolves when so many requests have come: some are sent after the client has its answer. */
  until(count: number): Promise<void> {
    if (this.seen.length >= count) return Promise.resolve();
    return new Promise((done) => (this.#awaited = { count, done }));
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  #onRequest(incoming: Incoming): void {
    const { method, target } = incoming;
    const script = this.#scripts.get(`${method} ${target.replace(/\?.*/, "")}`) ?? this.#scripts.get("");
    const answer = script?.answers[Math.min(script.arrived++, script.answers.length - 1)];
    readAll(incoming.body, (body) => {
      this.seen.push({
        line: `${method} ${target}`,
        headers: new HeaderList([...incoming.rawHeaders]),
        body,
      });
      if (this.#awaited !== null && this.seen.length >= this.#awaited.count) this.#awaited.done();
      try {
        this.#answer(incoming, answer && { ...answer, text: this.#fill(answer.text) });
      } catch (error) {
        this.faults.push(String(error));
        incoming.reply.send(500, "", [], null);
      }
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
    if (block.name.startsWith("upstream stream"))
      return void this.#stream(reply, Number(status), raw, body ?? "");
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
