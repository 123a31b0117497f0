/**
 * For tests: a Redis with a search module, as far as the gateway uses one. A real Redis lies behind; FT commands are
 * answered here, by comparing all vectors, in the forms that RediSearch answers in. What it does not know it refuses:
 * options that only some servers have shall not creep in.
 */
import { type Socket, connect, createServer } from "node:net";
import { type TestRedis, startRedis } from "./redis.ts";

export interface TestRediSearch {
  readonly port: number;
  readonly redis: TestRedis;
  /** Commands to the module, in order. */
  readonly commands: string[][];
  /** The next FT commands get this answer. */
  fail: string | null;
  /** As a module from before vectors. */
  knowsVectors: boolean;
  close(): Promise<void>;
}

interface Index {
  readonly prefix: string;
  readonly field: string;
  readonly dimensions: number;
}

export async function startRediSearch(form: "RESP2" | "RESP3"): Promise<TestRediSearch> {
  const redis = await startRedis();
  const indexes = new Map<string, Index>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const upstream = connect(redis.port, "127.0.0.1");
    sockets.add(upstream);
    const replies = new Reader(upstream);
    const end = (): void => {
      socket.destroy();
      upstream.destroy();
    };
    for (const one of [socket, upstream]) one.on("error", end).on("close", end);
    void serve(new Reader(socket), socket, upstream, replies).catch(end);
  });

  async function serve(commands: Reader, socket: Socket, upstream: Socket, replies: Reader): Promise<void> {
    const askUpstream = async (...args: (string | Buffer)[]): Promise<unknown> => {
      upstream.write(commandOf(args));
      return (await replies.next()).value;
    };
    for (;;) {
      const { raw, value } = await commands.next();
      const args = value as Buffer[];
      const name = args[0]!.toString().toUpperCase();
      if (name.startsWith("FT.")) {
        test.commands.push(
          args.map((arg) => (arg.length > 300 ? `<${arg.length}>` : arg.toString("latin1"))),
        );
        socket.write(
          test.fail === null ? await module(name, args.slice(1), askUpstream) : `-${test.fail}\r\n`,
        );
        continue;
      }
      upstream.write(raw);
      socket.write((await replies.next()).raw);
    }
  }

  async function module(
    name: string,
    args: readonly Buffer[],
    ask: (...args: (string | Buffer)[]) => Promise<unknown>,
  ): Promise<string> {
    const texts = args.map((arg) => arg.toString("latin1"));
    if (name === "FT._LIST") return `*${indexes.size}\r\n${[...indexes.keys()].map(bulk).join("")}`;
    if (name === "FT.CREATE") {
      const pattern =
        /^(\S+) ON HASH PREFIX 1 (\S+) SCHEMA partition TAG (\S+) VECTOR (?:HNSW|FLAT) 6 TYPE FLOAT32 DIM (\d+) DISTANCE_METRIC COSINE$/;
      const found = pattern.exec(texts.join(" "));
      if (!test.knowsVectors) return `-Could not parse field spec\r\n`;
      if (found === null) return `-Unknown argument in ${texts.join(" ")}\r\n`;
      if (indexes.has(found[1]!)) return "-Index already exists\r\n";
      indexes.set(found[1]!, { prefix: found[2]!, field: found[3]!, dimensions: Number(found[4]) });
      return "+OK\r\n";
    }
    if (name !== "FT.SEARCH") return `-ERR unknown command '${name}'\r\n`;
    const index = indexes.get(texts[0]!);
    if (index === undefined) return `-${texts[0]!}: no such index\r\n`;
    const query = /^\(@partition:\{(\w+)\}\)=>\[KNN (\d+) @(\w+) \$(\w+) AS (\w+)\]$/.exec(texts[1]!);
    if (query === null) return `-Syntax error at offset 0 near ${texts[1]!}\r\n`;
    const [, partition, k, field, parameter, score] = query;
    const rest = [...texts.slice(2, 5), "", ...texts.slice(6)].join(" ");
    const wanted = `PARAMS 2 ${parameter}  RETURN 1 ${score} LIMIT 0 ${k} DIALECT 2`;
    if (rest !== wanted || field !== index.field) return `-Unknown argument in ${rest}\r\n`;
    const question = floats(args[5]!);
    if (question.length !== index.dimensions)
      return `-Error parsing vector similarity query: query vector blob size does not match index's expected size.\r\n`;
    const near: { key: string; distance: number }[] = [];
    const keys = ((await ask("SCAN", "0", "MATCH", `${index.prefix}*`, "COUNT", "100000")) as Buffer[][])[1]!;
    for (const key of keys as unknown as Buffer[]) {
      const [tag, vector] = (await ask("HMGET", key, "partition", field!)) as (Buffer | null)[];
      if (tag?.toString() !== partition || vector == null) continue;
      near.push({ key: key.toString(), distance: cosineDistance(question, floats(vector)) });
    }
    near.sort((a, b) => a.distance - b.distance).splice(Number(k));
    return form === "RESP2" ? resp2(near, score!) : resp3(near, score!);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const test: TestRediSearch = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    redis,
    commands: [],
    fail: null,
    knowsVectors: true,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await redis.close();
    },
  };
  return test;
}

function resp2(near: readonly { key: string; distance: number }[], score: string): string {
  const each = near.map(({ key, distance }) => `${bulk(key)}*2\r\n${bulk(score)}${bulk(String(distance))}`);
  return `*${1 + near.length * 2}\r\n:${near.length}\r\n${each.join("")}`;
}

function resp3(near: readonly { key: string; distance: number }[], score: string): string {
  const each = near.map(
    ({ key, distance }) =>
      `%3\r\n${bulk("id")}${bulk(key)}${bulk("extra_attributes")}%1\r\n${bulk(score)}${bulk(String(distance))}${bulk("values")}*0\r\n`,
  );
  const results = `*${near.length}\r\n${each.join("")}`;
  return `%5\r\n${bulk("attributes")}*0\r\n${bulk("format")}${bulk("STRING")}${bulk("results")}${results}${bulk("total_results")}:${near.length}\r\n${bulk("warning")}*0\r\n`;
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

function commandOf(args: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const octets = Buffer.from(arg as string);
    parts.push(Buffer.from(`$${octets.length}\r\n`), octets, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

function floats(octets: Buffer): Float32Array {
  return new Float32Array(new Uint8Array(octets).buffer);
}

function cosineDistance(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let one = 0;
  let other = 0;
  for (const [i, value] of a.entries()) {
    dot += value * b[i]!;
    one += value * value;
    other += b[i]! * b[i]!;
  }
  return 1 - dot / Math.sqrt(one * other);
}

/** Values of the protocol, one after the other, with the octets they came in. */
class Reader {
  #octets = Buffer.alloc(0);
  #wake = (): void => {};
  #ended = false;

  constructor(socket: Socket) {
    socket.on("data", (chunk) => {
      this.#octets = Buffer.concat([this.#octets, chunk as Buffer]);
      this.#wake();
    });
    socket.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  async next(): Promise<{ readonly raw: Buffer; readonly value: unknown }> {
    for (;;) {
      const found = read(this.#octets, 0);
      if (found !== null) {
        const raw = this.#octets.subarray(0, found.end);
        this.#octets = this.#octets.subarray(found.end);
        return { raw, value: found.value };
      }
      if (this.#ended) throw new Error("the connection has ended");
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

function read(octets: Buffer, at: number): { readonly value: unknown; readonly end: number } | null {
  const line = octets.indexOf("\r\n", at);
  if (line < 0) return null;
  const kind = String.fromCharCode(octets[at]!);
  const text = octets.toString("latin1", at + 1, line);
  const start = line + 2;
  if ("+-:_,#(".includes(kind)) return { value: text, end: start };
  const length = Number(text);
  if (length < 0) return { value: null, end: start };
  if ("$=!".includes(kind)) {
    const end = start + length + 2;
    return end > octets.length ? null : { value: octets.subarray(start, start + length), end };
  }
  const values: unknown[] = [];
  let end = start;
  for (let i = 0; i < length * (kind === "%" ? 2 : 1); i++) {
    const part = read(octets, end);
    if (part === null) return null;
    values.push(part.value);
    end = part.end;
  }
  return { value: values, end };
}
