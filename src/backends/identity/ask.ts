/**
 * One question to a service that gives out credentials, asked again when that may help. Where these services are is said by
 * the environment or known for all, never by a caller or a policy; so the guard of policies' own requests, which refuses
 * metadata services, stands aside here.
 */
import { type JsonObject, isJsonObject } from "../../base/json-object.ts";
import type { HeaderList } from "../../base/headers.ts";
import { GatewayError } from "../../gateway/errors.ts";
import { CredentialError } from "../../gateway/identity.ts";
import type { Services } from "../../gateway/services.ts";
import type { EgressOptions } from "../../gateway/snapshot.ts";
import { TransportError } from "../../transport/transport.ts";
import { callOut } from "../own-requests/call-out.ts";
import { parseUrl } from "../own-requests/own-request.ts";
import { retryAfterMs } from "../health/retry-after.ts";

export type World = Pick<Services, "client" | "clock" | "log" | "random">;

export interface Question {
  readonly method: "GET" | "POST" | "PUT";
  /** May have a query, encoded. */
  readonly url: string;
  /** Flat. */
  readonly headers: readonly string[];
  /** Sent as `application/x-www-form-urlencoded`. */
  readonly form?: Readonly<Record<string, string>>;
  /** Who is asked, for messages. */
  readonly who: string;
  /** For each try. */
  readonly timeoutMs?: number;
}

export interface Said {
  readonly status: number;
  readonly headers: HeaderList;
  readonly text: string;
}

const EVERYWHERE: EgressOptions = {
  allow: ["0.0.0.0/0", "::/0", "metadata.google.internal"],
  loopback: true,
};
const TIMEOUT_MS = 5000;
const MOST_BYTES = 256 * 1024;
const TRIES = 3;
/** Before the second try; doubles. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 4000;
/** 404 and 410: the metadata service is being started or updated. */
const TEMPORARY = new Set([404, 408, 410, 429, 500, 502, 503, 504]);
const decoder = new TextDecoder();

/**
 * @returns the text of the answer, when it is a 200
 * @throws CredentialError
 */
export async function ask(world: World, question: Question): Promise<string> {
  return (await askFor(world, question, [200])).text;
}

/** @param statuses those that are answers; all others are failures */
export async function askFor(world: World, question: Question, statuses: readonly number[]): Promise<Said> {
  const request = requestOf(question);
  for (let left = TRIES - 1; ; left--) {
    let waitMs =
      Math.min(FIRST_WAIT_MS * 2 ** (TRIES - 1 - left), LONGEST_WAIT_MS) * (0.5 + world.random() / 2);
    let failure: CredentialError;
    try {
      const timeoutMs = question.timeoutMs ?? TIMEOUT_MS;
      const answer = await callOut(world, EVERYWHERE, {
        request,
        timeoutMs,
        limitBytes: MOST_BYTES,
        abort: null,
      });
      const text = answer.body === null ? "" : decoder.decode(answer.body.bytes());
      if (statuses.includes(answer.statusCode))
        return { status: answer.statusCode, headers: answer.headers, text };
      failure = new CredentialError(`${question.who} answered ${answer.statusCode}${reasonIn(text)}`);
      if (!TEMPORARY.has(answer.statusCode)) throw failure;
      waitMs = Math.max(
        waitMs,
        Math.min(retryAfterMs(answer.headers, world.clock.now()) ?? 0, LONGEST_WAIT_MS),
      );
    } catch (error) {
      if (!(error instanceof TransportError) && !(error instanceof GatewayError)) throw error;
      failure = new CredentialError(`${question.who} cannot be asked: ${error.message}`, error);
      // Nobody there within the time: most likely this is not the place where there is one.
      if (
        error instanceof GatewayError ||
        error.code === "headers_timeout" ||
        error.code === "connect_timeout"
      )
        throw failure;
    }
    if (left === 0) throw failure;
    await new Promise<void>((resolve) => void world.clock.after(waitMs, resolve));
  }
}

/** As `ask`, for an answer that is a JSON object. */
export async function askJson(world: World, question: Question): Promise<JsonObject> {
  return readJson(await ask(world, question), question.who);
}

/** @throws CredentialError when the text is no JSON object */
export function readJson(text: string, who: string): JsonObject {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (!isJsonObject(value)) throw new CredentialError(`${who} answered something that is no JSON object`);
  return value;
}

function requestOf({ url, method, headers, form, who }: Question): Parameters<typeof callOut>[2]["request"] {
  const parsed = parseUrl(url);
  if (parsed === null)
    throw new CredentialError(`the address of ${who} is not an absolute http or https URL`);
  const { target, path, query } = parsed;
  const rawHeaders = ["Host", target.authority, "Accept", "application/json, text/xml;q=0.5", ...headers];
  if (form !== undefined) rawHeaders.push("Content-Type", "application/x-www-form-urlencoded");
  return {
    method,
    scheme: target.scheme,
    host: target.host,
    port: target.port,
    target: query === "" ? path : `${path}?${query}`,
    rawHeaders,
    body: form === undefined ? null : Buffer.from(new URLSearchParams(form).toString()),
  };
}

/** What OAuth (RFC 6749 §5.2) and the metadata services say of an error; nothing that was sent comes back in it. */
function reasonIn(text: string): string {
  const found =
    /"(?:error_description|message|Message)"\s*:\s*"((?:[^"\\]|\\.){1,400})/.exec(text)?.[1] ??
    /<Message>([^<]{1,400})/.exec(text)?.[1];
  return found === undefined ? "" : `: ${found.replace(/\\[rnt]|\s+/g, " ").trim()}`;
}
