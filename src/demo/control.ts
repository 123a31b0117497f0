/**
 * What a caller can order with `x-demo-…` request headers. Every header overrides the constructor's default
 * for one request; an unknown name or a bad value is refused, so that a typo in a test never passes silently.
 */
import type { HeaderList } from "../base/headers.ts";
import { ApiFailure } from "./failure.ts";

export interface Control {
  /** `x-demo-latency-ms`: wait before the response head. */
  readonly latencyMs: number;
  /** `x-demo-chunk-ms`: wait between two chunks of a stream. */
  readonly chunkMs: number;
  /** `x-demo-status`: answer with this error, 400–599. */
  readonly status: number | null;
  /** `x-demo-retry-after`: Retry-After of such an error, as given. */
  readonly retryAfter: string | null;
  /** `x-demo-error-after-chunks`: break the body off after so many chunks (of 64 bytes when not streamed). */
  readonly errorAfterChunks: number | null;
  /** `x-demo-error-kind`: close the connection, go silent, or report an error inside the stream. */
  readonly errorKind: "reset" | "stall" | "error";
  /** `x-demo-tokens`: length of a text answer, exactly. */
  readonly tokens: number | null;
  /** `x-demo-usage`: when a stream reports usage, whatever was asked. See `UsageMode`. */
  readonly usage: UsageMode;
  /** `x-demo-cached-tokens`: how much of the prompt to report as cached. */
  readonly cachedTokens: number;
  /** `x-demo-reasoning-tokens`: unseen tokens to add to the completion. */
  readonly reasoningTokens: number;
  /** `x-demo-ping-every`: a `: ping` comment before every n-th chunk. */
  readonly pingEvery: number | null;
  /** `x-demo-newline`: line ends of the event stream. */
  readonly newline: "lf" | "crlf";
  /** `x-demo-slice-bytes`: the stream in writes of exactly this many bytes. */
  readonly sliceBytes: number | null;
}

/**
 * `asked`: as the API says · `none`: never, and absent from whole answers too · `always`: as if asked for ·
 * `middle`: partial counts halfway, then the true ones · `twice`: the true ones, two times.
 */
export type UsageMode = (typeof USAGE_MODES)[number];

const USAGE_MODES = ["asked", "none", "always", "middle", "twice"] as const;

export const DEFAULT_CONTROL: Control = {
  latencyMs: 0,
  chunkMs: 0,
  status: null,
  retryAfter: null,
  errorAfterChunks: null,
  errorKind: "reset",
  tokens: null,
  usage: "asked",
  cachedTokens: 0,
  reasoningTokens: 0,
  pingEvery: null,
  newline: "lf",
  sliceBytes: null,
};

const MAX_WAIT_MS = 600_000;

/** The longest answer that can be ordered. */
export const MAX_TOKENS = 100_000;

type Parse = (value: string, header: string) => unknown;

const HEADERS: Record<string, [keyof Control, Parse]> = {
  "x-demo-latency-ms": ["latencyMs", integer(0, MAX_WAIT_MS)],
  "x-demo-chunk-ms": ["chunkMs", integer(0, MAX_WAIT_MS)],
  "x-demo-status": ["status", integer(400, 599)],
  "x-demo-retry-after": ["retryAfter", (value) => value],
  "x-demo-error-after-chunks": ["errorAfterChunks", integer(0, 1_000_000)],
  "x-demo-error-kind": ["errorKind", oneOf("reset", "stall", "error")],
  "x-demo-tokens": ["tokens", integer(0, MAX_TOKENS)],
  "x-demo-usage": ["usage", oneOf(...USAGE_MODES)],
  "x-demo-cached-tokens": ["cachedTokens", integer(0, 1_000_000)],
  "x-demo-reasoning-tokens": ["reasoningTokens", integer(0, 1_000_000)],
  "x-demo-ping-every": ["pingEvery", integer(1, 1_000_000)],
  "x-demo-newline": ["newline", oneOf("lf", "crlf")],
  "x-demo-slice-bytes": ["sliceBytes", integer(1, 65_536)],
};

/** The orders of one request. @throws ApiFailure 400 for a name or value that means nothing */
export function readControl(headers: HeaderList, defaults: Control): Control {
  const raw = headers.raw;
  let control: Record<string, unknown> | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!name.startsWith("x-demo-")) continue;
    const entry = Object.hasOwn(HEADERS, name) ? HEADERS[name] : undefined;
    if (entry === undefined) {
      throw new ApiFailure(
        400,
        `Unknown header '${name}'. The demo model knows: ${Object.keys(HEADERS).join(", ")}.`,
      );
    }
    control ??= { ...defaults };
    control[entry[0]] = entry[1](raw[i + 1]!.trim(), name);
  }
  return control === null ? defaults : (control as unknown as Control);
}

function integer(min: number, max: number): Parse {
  return (value, header) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    throw new ApiFailure(
      400,
      `Header '${header}' must be an integer from ${min} to ${max}, not '${value.slice(0, 40)}'.`,
    );
  };
}

function oneOf(...allowed: string[]): Parse {
  return (value, header) => {
    if (allowed.includes(value)) return value;
    throw new ApiFailure(
      400,
      `Header '${header}' must be one of ${allowed.join(", ")}, not '${value.slice(0, 40)}'.`,
    );
  };
}
