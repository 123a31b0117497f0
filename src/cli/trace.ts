/** `headgate trace`: sends a request through the running gateway and shows what every policy did with it. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { LocalAccess } from "../base/local-access.ts";
import type { Application, HttpAnswer } from "./application.ts";
import { EXIT } from "./index.ts";
import { askLocalGateway, findLocalGateway } from "./local-gateway.ts";
import { wantsColor } from "./report.ts";
import { type TraceDocument, renderTrace } from "./waterfall.ts";

interface Flags {
  readonly request?: string;
  readonly header?: string[];
  readonly data?: string;
  readonly dataDir?: string;
  readonly insecure?: boolean;
  readonly body?: boolean;
  readonly json?: boolean;
}

const SHOWN_BODY = 64 * 1024;
/** The gateway finishes a trace just after the last byte has gone out. */
const TRIES = 100;
const PAUSE_MS = 20;

export function addTrace(program: Command, application: Application, done: (code: number) => void): void {
  program
    .command("trace")
    .description("Send a request through the running gateway and show what every policy did with it.")
    .argument("<url>", "URL, or a path at the running gateway: /echo/hello")
    .option("-X, --request <method>", "method; default GET, or POST with -d")
    .option(
      "-H, --header <line>",
      "a header, as in 'api-key: secret'; may be repeated",
      (line: string, before: string[] = []) => [...before, line],
    )
    .option("-d, --data <text>", "request body; @file reads it from a file")
    .option("-k, --insecure", "take whatever certificate the gateway shows")
    .option("--body", "print the body of the answer, too")
    .option("--data-dir <dir>", "the gateway's data folder (HEADGATE_DATA; default ./.headgate)")
    .option("--json", "the trace as JSON, in the shape of listTrace")
    .addHelpText(
      "after",
      `
Examples:
  headgate trace /openai/v1/models -H "api-key: KEY"
  headgate trace http://127.0.0.1:8080/echo -d '{"a":1}' -H "Content-Type: application/json"
  headgate trace /echo --json | jq .traceEntries.backend
`,
    )
    .action(async (url: string, flags: Flags) => done(await trace(application, url, flags)));
}

async function trace(application: Application, given: string, flags: Flags): Promise<number> {
  const { stdout, stderr, environment } = application;
  const complain = (message: string, code: number): number => {
    stderr.write(`error: ${message}\n`);
    return code;
  };
  const access = findLocalGateway(application, flags.dataDir);
  if (access === null) return EXIT.unavailable;
  let request: { method: string; url: string; rawHeaders: string[]; body: Uint8Array | null };
  try {
    request = requestOf(given, flags, access);
  } catch (error) {
    return complain(textOf(error), EXIT.usage);
  }
  try {
    const { token } = (await ask(application, access, "listDebugCredentials", { purposes: ["tracing"] })) as {
      token: string;
    };
    const asked = {
      ...request,
      rawHeaders: [...request.rawHeaders, "Apim-Debug-Authorization", token],
      insecure: flags.insecure === true,
      limitBytes: flags.body === true ? SHOWN_BODY : 0,
    };
    const answer = await application.request(asked).catch((cause: unknown) => {
      throw new Error(`cannot reach ${request.url}: ${textOf(cause)}`, { cause });
    });
    const traceId = headerOf(answer, "apim-trace-id");
    if (traceId === null) {
      return complain(
        `${request.url} answered ${answer.status} without a trace: is it this gateway (${access.gateway})?`,
        EXIT.failure,
      );
    }
    const document = await readTrace(application, access, traceId);
    if (flags.json === true) stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    else
      stdout.write(
        renderTrace(document, { color: wantsColor(stdout, environment), columns: columnsOf(stdout) }),
      );
    if (flags.body === true && flags.json !== true) stdout.write(`\n${bodyText(answer)}\n`);
    return EXIT.ok;
  } catch (error) {
    return complain(textOf(error), EXIT.unavailable);
  }
}

/** @throws Error in words for whoever typed it */
function requestOf(given: string, flags: Flags, access: LocalAccess) {
  const url = given.startsWith("/") ? `${access.gateway}${given}` : given;
  if (!URL.canParse(url) || !/^https?:/i.test(url))
    throw new Error(`"${given}" is neither an http URL nor a path that begins with /`);
  const rawHeaders: string[] = [];
  for (const line of flags.header ?? []) {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`-H takes a name, a colon and a value, not "${line}"`);
    rawHeaders.push(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const body =
    flags.data === undefined
      ? null
      : flags.data.startsWith("@")
        ? readFileSync(flags.data.slice(1))
        : Buffer.from(flags.data);
  const named = (name: string): boolean =>
    rawHeaders.some((header, i) => i % 2 === 0 && header.toLowerCase() === name);
  if (!named("user-agent")) rawHeaders.push("User-Agent", "headgate-trace");
  if (!named("accept")) rawHeaders.push("Accept", "*/*");
  return { method: (flags.request ?? (body === null ? "GET" : "POST")).toUpperCase(), url, rawHeaders, body };
}

function ask(application: Application, access: LocalAccess, action: string, body: object): Promise<unknown> {
  return askLocalGateway(application, access, `/gateways/managed/${action}`, body);
}

async function readTrace(
  application: Application,
  access: LocalAccess,
  traceId: string,
): Promise<TraceDocument> {
  let document: TraceDocument | null = null;
  for (let i = 0; i < TRIES && document?.complete !== true; i++) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    document = (await ask(application, access, "listTrace", { traceId })) as TraceDocument;
  }
  return document!;
}

function headerOf({ rawHeaders }: HttpAnswer, name: string): string | null {
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.toLowerCase() === name) return rawHeaders[i + 1]!;
  return null;
}

function bodyText({ body, length }: HttpAnswer): string {
  const text = new TextDecoder().decode(body);
  return length > body.length ? `${text}\n… (${length} bytes in all)` : text;
}

function columnsOf(stream: Application["stdout"]): number {
  return Math.max(60, Math.min(160, stream.columns ?? 120));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
