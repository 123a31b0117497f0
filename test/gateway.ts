/** A whole gateway in this process, on a folder that the test describes, for tests of the whole. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import type { ReloadOutcome, StartOptions, StartedGateway } from "../src/cli/application.ts";
import type { Exchange } from "../src/gateway/exchange.ts";
import { startGateway } from "../src/main.ts";

export interface TestGateway extends StartedGateway {
  readonly folder: string;
  /** Access log lines so far, parsed. */
  readonly log: Record<string, unknown>[];
  readonly exchanges: Exchange[];
  readonly reloads: ReloadOutcome[];
  /** Writes a file of the configuration. */
  write(path: string, text: string): void;
  remove(path: string): void;
}

export type Files = Readonly<Record<string, string | object>>;

/** Starts on `files` (path → text, or an object that becomes JSON). */
export async function testGateway(files: Files, options: Partial<StartOptions> = {}): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), "headgate-test-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [path, content] of Object.entries(files)) {
    write(path, typeof content === "string" ? content : JSON.stringify(content));
  }
  const log: Record<string, unknown>[] = [];
  const exchanges: Exchange[] = [];
  const reloads: ReloadOutcome[] = [];
  const started = await startGateway({
    configDir: folder,
    dataDir: null,
    environment: {},
    host: "127.0.0.1",
    port: 0,
    portIsDefault: false,
    tls: null,
    watch: false,
    accessLog: true,
    logStream: jsonLines(log),
    onExchange: (exchange) => exchanges.push(exchange as Exchange),
    onReload: (outcome) => reloads.push(outcome),
    ...options,
  });
  return Object.assign(Object.create(started) as StartedGateway, {
    folder,
    log,
    exchanges,
    reloads,
    write,
    remove: (path: string) => rmSync(join(folder, path), { recursive: true, force: true }),
    close: async () => {
      await started.close();
      rmSync(folder, { recursive: true, force: true });
    },
  }) as TestGateway;
}

function jsonLines(log: Record<string, unknown>[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split("\n"))
        if (line !== "") log.push(JSON.parse(line) as Record<string, unknown>);
      done();
    },
  });
}

/** The files of an API with one operation per line of `operations` (`POST /chat`). */
export function api(
  name: string,
  serviceUrl: string | undefined,
  operations: readonly string[],
  extra: { properties?: object; policy?: string } = {},
): Files {
  const files: Record<string, string | object> = {
    [`apis/${name}/apiInformation.json`]: {
      properties: {
        displayName: name,
        path: name,
        protocols: ["http", "https"],
        subscriptionRequired: false,
        ...(serviceUrl === undefined ? {} : { serviceUrl }),
        ...extra.properties,
      },
    },
  };
  operations.forEach((line, i) => {
    const [method, urlTemplate] = line.split(" ");
    files[`apis/${name}/operations/op${i}/operationInformation.json`] = {
      properties: { displayName: line, method, urlTemplate },
    };
  });
  if (extra.policy !== undefined) files[`apis/${name}/policy.xml`] = extra.policy;
  return files;
}

/** A policy document whose sections inherit, with `sections` added after `<base />`. */
export function policy(sections: {
  inbound?: string;
  backend?: string;
  outbound?: string;
  onError?: string;
}): string {
  const section = (name: string, inner: string | undefined, base = true): string =>
    `<${name}>${base ? "<base />" : ""}${inner ?? ""}</${name}>`;
  return `<policies>${section("inbound", sections.inbound)}${section("backend", sections.backend, sections.backend === undefined)}${section("outbound", sections.outbound)}${section("on-error", sections.onError)}</policies>`;
}

export function subscription(scope: string, key: string, state = "active"): object {
  return { properties: { displayName: key, scope, state, primaryKey: key, secondaryKey: `${key}-2` } };
}
