/** Runs cases against a real gateway: its own listener, sockets, compiler and policies; only the clock of the day is ours. */
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { askBackend } from "../src/backends/own-requests/ask-backend.ts";
import type { Backends } from "../src/backends/backends.ts";
import { backendsOf } from "../src/backends/testing.ts";
import { forward } from "../src/backends/forward.ts";
import { makeIdentities } from "../src/backends/identity/identities.ts";
import { readIdentitySettings } from "../src/backends/identity/settings.ts";
import { Abort } from "../src/base/abort.ts";
import { HeaderList } from "../src/base/headers.ts";
import { systemClock, threadTimeMs } from "../src/base/system-clock.ts";
import { configureBudget } from "../src/compiler/runtime/budget.ts";
import { configureEnvironment } from "../src/compiler/runtime/environment.ts";
import { MemoryCache } from "../src/cache/memory-cache.ts";
import { countersAlone } from "../src/counters/index.ts";
import { createGateway } from "../src/gateway/listener.ts";
import { ConnectionTokens } from "../src/credentials/connection-tokens.ts";
import { memoryVault } from "../src/credentials/vault.ts";
import { semanticServices, servicesOf } from "../src/gateway/testing.ts";
import { SnapshotBuilder } from "../src/model/build.ts";
import * as policies from "../src/policies/index.ts";
import { Measures } from "../src/telemetry/metrics/measures.ts";
import { prometheusText } from "../src/telemetry/metrics/prometheus.ts";
import { Metrics } from "../src/telemetry/metrics/registry.ts";
import { createClient, createServer } from "../src/transport/node/index.ts";
import type { Client, Server } from "../src/transport/transport.ts";
import { type Block, type Case, type WrittenMessage, parseCases, parseMessage } from "./case-file.ts";
import { Elsewhere } from "./elsewhere.ts";
import { Fill } from "./fill.ts";
import { Upstream, readAll } from "./upstream.ts";
import { worldOf } from "./world.ts";

const HERE = import.meta.dirname;
/** Ms for one case. */
const LIMIT_MS = 10_000;
/** Ms for what is sent after the answer. */
const STRAGGLER_MS = 2_000;
/** Every case begins on 2 January 2026 at 03:04:05. */
const BEGIN_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

export function loadCases(): Case[] {
  const folder = join(HERE, "cases");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".txt"))
    .sort()
    .flatMap((file) => parseCases(file, readFileSync(join(folder, file), "utf8")));
}

/** `file: title` of the cases that are known to fail. */
export function loadGaps(): ReadonlySet<string> {
  const lines = readFileSync(join(HERE, "known-case-gaps.txt"), "utf8").split("\n");
  return new Set(lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#")));
}

export function nameOf({ file, title }: Case): string {
  return `${file}: ${title}`;
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: string;
  readonly complete: boolean;
}

/** Services that begin anew with each case. */
type PerCase<T> = { -readonly [K in keyof T]: T[K] };

export class Runner {
  readonly #upstream = new Upstream();
  readonly #client: Client = createClient();
  readonly #outgoing = new Elsewhere(createClient(), () => this.#upstream.port);
  readonly #fill = new Fill(
    () => this.#upstream.port,
    () => ({ answers: this.#answers, seen: this.#upstream.seen }),
  ).text;
  readonly #builder = new SnapshotBuilder(Object.values(policies));
  readonly #logged: Readonly<Record<string, unknown>>[] = [];
  #bugs: string[] = [];
  #answers: Answer[] = [];
  #received = 0;
  /** How far the case's requests have moved the clock. */
  #laterMs = 0;
  #version = 0;
  #metrics = new Metrics(BEGIN_MS);
  #server: Server | null = null;
  readonly #gateway: ReturnType<typeof createGateway>;
  readonly #services: PerCase<ReturnType<typeof servicesOf>>;
  #backends: Backends;

  constructor() {
    configureBudget(() => performance.now(), undefined, threadTimeMs);
    const now = (): number => BEGIN_MS + this.#laterMs;
    configureEnvironment({ now });
    const services = servicesOf({
      clock: systemClock(now, () => performance.now() + this.#laterMs),
      client: this.#outgoing,
      ask: (exchange, question) => askBackend(exchange, question, this.#backends),
      forward: (exchange, options) => forward(exchange, options, this.#outgoing, this.#backends),
      log: (record) => void this.#logged.push(record),
      reportBug: (_exchange, error) => {
        this.#bugs.push(error.cause instanceof Error ? (error.cause.stack ?? error.message) : error.message);
      },
    });
    this.#services = services;
    this.#backends = backendsOf(services);
    this.#gateway = createGateway({
      services,
      newRequestId: () => randomUUID(),
      onDone: () => {},
      health: () => false,
    });
  }

  async start(): Promise<void> {
    await this.#upstream.start();
    this.#upstream.clientHas = () => this.#received;
    this.#server = await createServer({ host: "127.0.0.1", port: 0, onRequest: this.#gateway.onRequest });
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.#outgoing.close();
    await this.#client.close();
    await this.#upstream.close();
  }

  /** What is not as the case says; empty when all is. */
  async run(one: Case): Promise<string[]> {
    let stop = (): void => {};
    const late = new Promise<string[]>((resolve) => {
      const timer = setTimeout(() => resolve([`took longer than ${LIMIT_MS} ms`]), LIMIT_MS);
      stop = () => clearTimeout(timer);
    });
    try {
      return await Promise.race([this.#run(one), late]);
    } catch (error) {
      return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
    } finally {
      stop();
    }
  }

  async #run(one: Case): Promise<string[]> {
    const fill = this.#fill;
    this.#logged.length = 0;
    this.#bugs = [];
    this.#answers = [];
    this.#laterMs = 0;
    // What one case counts and caches is nothing to the next.
    this.#services.counters = countersAlone();
    this.#metrics = new Metrics(BEGIN_MS);
    this.#services.measures = new Measures(this.#metrics);
    this.#services.semantic = semanticServices();
    this.#backends = backendsOf(this.#services);
    this.#services.caches = { internal: new MemoryCache(), external: () => null };
    this.#upstream.reset(
      one.given.filter(({ name }) => name.startsWith("upstream")),
      fill,
    );
    const { resources, options, hosts, region } = worldOf(one, fill);
    this.#outgoing.reset(hosts);
    this.#services.deployment = { ...this.#services.deployment, region };
    this.#services.identities = makeIdentities(this.#services, this.#identitySettings());
    const world = { ...this.#services, egress: options.egress };
    this.#services.connections = new ConnectionTokens(
      world,
      memoryVault(),
      "https://login.microsoftonline.com",
    );
    const built = this.#builder.build(resources, ++this.#version, options);
    const errors = built.problems
      .filter(({ severity }) => severity === "error")
      .map(({ code, message }) => `${code} ${message}`);
    const refused = one.expected.find(({ name }) => name === "refused");
    if (refused !== undefined || built.snapshot === null)
      return listDifferences("refused", refused?.text.split("\n") ?? [], errors, fill);
    this.#gateway.swap(built.snapshot);
    for (const block of one.given)
      if (block.name === "request") this.#answers.push(await this.#call(parseMessage(block)));
    await this.#stragglers(one);
    return [
      ...this.#upstream.faults,
      ...this.#clientDifferences(one, this.#answers),
      ...this.#upstreamDifferences(one),
      ...this.#logDifferences(one),
      ...this.#metricDifferences(one),
      ...this.#bugs.map((bug) => `our bug: ${bug}`),
    ];
  }

  /** Waits a while for what the upstream should see: send-one-way-request keeps nobody waiting. */
  async #stragglers(one: Case): Promise<void> {
    const count = one.expected.filter(
      ({ name, text }) => name === "upstream saw" && text !== "nothing",
    ).length;
    let stop = (): void => {};
    const late = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, STRAGGLER_MS);
      stop = () => clearTimeout(timer);
    });
    await Promise.race([this.#upstream.until(count), late]);
    stop();
  }

  /** Tokens of the gateway's own identity come from the case's upstream. */
  #identitySettings(): ReturnType<typeof readIdentitySettings> {
    return readIdentitySettings({
      IDENTITY_ENDPOINT: this.#fill("{upstream}/msi/token"),
      IDENTITY_HEADER: "identity-secret",
    });
  }

  async #call(message: WrittenMessage): Promise<Answer> {
    const [method = "GET", target = "/"] = this.#fill(message.first).split(" ");
    for (const mark of message.marks)
      if (mark.startsWith("later ")) this.#laterMs += Number(mark.slice("later ".length)) * 1000;
    const rawHeaders = message.headers.flatMap(([name, value]) => [name, this.#fill(value)]);
    if (!message.headers.some(([name]) => name.toLowerCase() === "host"))
      rawHeaders.unshift("Host", "gateway.example");
    let body: Uint8Array | null = message.body === null ? null : Buffer.from(this.#fill(message.body));
    if (body !== null && message.marks.includes("gzip")) {
      body = gzipSync(body);
      rawHeaders.push("Content-Encoding", "gzip");
    }
    const abort = new Abort();
    try {
      const answer = await this.#client.send({
        method,
        scheme: "http",
        host: "127.0.0.1",
        port: this.#server!.port,
        target,
        rawHeaders,
        body,
        abort,
      });
      const { text, complete } = await new Promise<{ text: string; complete: boolean }>((resolve) => {
        readAll(
          answer.body,
          (text, complete) => resolve({ text, complete }),
          (size) => (this.#received += size),
        );
      });
      return {
        status: answer.status,
        reason: answer.reason,
        headers: new HeaderList(answer.rawHeaders),
        body: text,
        complete,
      };
    } catch {
      return { status: 0, reason: "", headers: new HeaderList(), body: "", complete: false };
    }
  }

  #clientDifferences(one: Case, answers: readonly Answer[]): string[] {
    const blocks = one.expected.filter(({ name }) => name === "client saw");
    return blocks.flatMap((block, i) => {
      const answer = answers[i];
      const what = blocks.length === 1 ? "client" : `client, answer ${i + 1}`;
      if (answer === undefined) return [`${what}: there was no such request`];
      const expected = parseMessage({ ...block, text: this.#fill(block.text) });
      if (expected.first === "closed") return answer.complete ? [`${what}: the answer was complete`] : [];
      const line = expected.first.includes(" ") ? `${answer.status} ${answer.reason}` : String(answer.status);
      return [
        ...(answer.complete ? [] : [`${what}: the answer broke off`]),
        ...messageDifferences(what, expected, line, answer.headers, answer.body),
      ];
    });
  }

  #upstreamDifferences(one: Case): string[] {
    const blocks = one.expected.filter(({ name }) => name === "upstream saw");
    const { seen } = this.#upstream;
    if (blocks.length === 0) return [];
    if (blocks[0]!.text === "nothing") return seen.map(({ line }) => `upstream: saw ${line}`);
    const count =
      seen.length === blocks.length
        ? []
        : [
            `upstream: saw ${seen.length} requests instead of ${blocks.length}: ${seen.map(({ line }) => line).join(", ")}`,
          ];
    return [
      ...count,
      ...blocks.slice(0, seen.length).flatMap((block, i) => {
        const { line, headers, body } = seen[i]!;
        const what = blocks.length === 1 ? "upstream" : `upstream, request ${i + 1}`;
        return messageDifferences(
          what,
          parseMessage({ ...block, text: this.#fill(block.text) }),
          line,
          headers,
          body,
        );
      }),
    ];
  }

  #metricDifferences(one: Case): string[] {
    const block = one.expected.find(({ name }) => name === "metrics");
    if (block === undefined) return [];
    const lines = prometheusText(this.#metrics)
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    return listDifferences("metrics", block.text.split("\n"), lines, this.#fill);
  }

  #logDifferences(one: Case): string[] {
    const block = one.expected.find(({ name }) => name === "logged");
    if (block === undefined) return [];
    const expected =
      block.text === ""
        ? []
        : block.text.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    const actual = this.#logged.map((record, i) =>
      Object.fromEntries(Object.keys(expected[i] ?? {}).map((key) => [key, record[key]])),
    );
    return listDifferences(
      "logged",
      expected.map((one_) => JSON.stringify(one_)),
      actual.map((one_) => JSON.stringify(one_)),
      (text) => text,
    );
  }
}

function messageDifferences(
  what: string,
  expected: WrittenMessage,
  line: string,
  headers: HeaderList,
  body: string,
): string[] {
  const said: string[] = [];
  if (!matches(line, expected.first)) said.push(`${what}: ${line} instead of ${expected.first}`);
  const names = new Map<string, string[]>();
  for (const [name, value] of expected.headers)
    names.set(name.toLowerCase(), [...(names.get(name.toLowerCase()) ?? []), value]);
  for (const [name, values] of names) {
    const actual = headers.getAll(name) ?? [];
    const same = actual.length === values.length && values.every((value, i) => matches(actual[i]!, value));
    if (!same)
      said.push(
        `${what}: ${name}: ${actual.length === 0 ? "(absent)" : actual.join(" | ")} instead of ${values.join(" | ")}`,
      );
  }
  for (const name of expected.absent)
    if (headers.has(name)) said.push(`${what}: ${name} is there: ${headers.get(name)!}`);
  if (expected.body !== null && !matches(body, expected.body))
    said.push(`${what}: body ${JSON.stringify(body)} instead of ${JSON.stringify(expected.body)}`);
  return said;
}

function listDifferences(
  what: string,
  expected: readonly string[],
  actual: readonly string[],
  fill: (text: string) => string,
): string[] {
  const same =
    expected.length === actual.length && expected.every((line, i) => matches(actual[i]!, fill(line)));
  return same
    ? []
    : [
        `${what}: ${actual.join("\n    ") || "nothing"}\n  instead of: ${expected.join("\n    ") || "nothing"}`,
      ];
}

function matches(actual: string, pattern: string): boolean {
  if (!pattern.includes("{guid}") && !pattern.includes("{any}")) return actual === pattern;
  const source = pattern
    .split(/(\{guid\}|\{any\})/)
    .map((part) =>
      part === "{guid}" ? GUID : part === "{any}" ? "[^]*" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
    )
    .join("");
  return new RegExp(`^${source}$`).test(actual);
}

const GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

export type { Block };
