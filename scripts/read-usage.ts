/**
 * Prints what the gateway reads from a recorded answer of a model, as one JSON object.
 *
 *     npm run -s read-usage -- DIALECT FILE [--split N] [--content-type T] [--encoding gzip]
 *
 * DIALECT: a name such as `openai-chat`, an alias such as `chat` or `claude`, or `auto`. FILE: the octets of a body (JSON, lines
 * of JSON, server-sent events, an AWS event stream) or the frames a WebSocket server sent; which of them, its content tells.
 * `--split N` feeds N octets at a time; the outcome is the same for every N.
 *
 * Exits 0 when the file was read, whatever it says; 1 when it cannot be read; 2 on wrong arguments.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { isJsonObject } from "../src/base/json-object.ts";
import { newAnswer } from "../src/llm/answer.ts";
import type { Dialect, DialectName, FoundAnswer } from "../src/llm/dialect.ts";
import { dialectNamed } from "../src/llm/recognise.ts";
import { DIALECTS } from "../src/llm/providers/index.ts";
import { tapAnswer } from "../src/llm/response-tap.ts";
import { tapSession } from "../src/llm/session-tap.ts";
import { guessDialect } from "./guess-dialect.ts";

const ALIASES: Readonly<Record<string, DialectName>> = {
  chat: "openai-chat",
  "chat-completions": "openai-chat",
  "openai-chat-completions": "openai-chat",
  "azure-openai-chat": "openai-chat",
  "azure-openai-chat-completions": "openai-chat",
  "azure-ai-chat": "openai-chat",
  completions: "openai-completions",
  responses: "openai-responses",
  "azure-openai-responses": "openai-responses",
  embeddings: "openai-embeddings",
  "openai-embedding": "openai-embeddings",
  images: "openai-images",
  "openai-image": "openai-images",
  audio: "openai-audio",
  speech: "openai-audio",
  transcription: "openai-audio",
  transcriptions: "openai-audio",
  "openai-speech": "openai-audio",
  "openai-transcription": "openai-audio",
  "openai-transcriptions": "openai-audio",
  realtime: "openai-realtime",
  "azure-openai-realtime": "openai-realtime",
  anthropic: "anthropic-messages",
  claude: "anthropic-messages",
  messages: "anthropic-messages",
  "vertex-anthropic": "anthropic-messages",
  google: "gemini",
  "google-gemini": "gemini",
  "gemini-native": "gemini",
  vertex: "gemini",
  "vertex-ai": "gemini",
  "vertex-gemini": "gemini",
  "vertex-native": "gemini",
  live: "gemini-live",
  "gemini-realtime": "gemini-live",
  "vertex-live": "gemini-live",
  converse: "bedrock-converse",
  "converse-stream": "bedrock-converse",
  "bedrock-converse-stream": "bedrock-converse",
  invoke: "bedrock-invoke",
  "invoke-model": "bedrock-invoke",
  "bedrock-invoke-model": "bedrock-invoke",
  "invoke-with-response-stream": "bedrock-invoke",
  "invoke-model-with-response-stream": "bedrock-invoke",
  "bedrock-invoke-stream": "bedrock-invoke",
};

/**
 * Providers with several dialects: the recording tells which.
 *
 * `meant`: when it does not tell; `otherwise`: when it looks like somebody else's, as what InvokeModel hands through does.
 */
const PROVIDERS: Readonly<
  Record<string, readonly [prefix: string, meant: DialectName, otherwise: DialectName]>
> = {
  openai: ["openai-", "openai-chat", "openai-chat"],
  azure: ["openai-", "openai-chat", "openai-chat"],
  "azure-openai": ["openai-", "openai-chat", "openai-chat"],
  "azure-ai": ["openai-", "openai-chat", "openai-chat"],
  "azure-ai-inference": ["openai-", "openai-chat", "openai-chat"],
  bedrock: ["bedrock-", "bedrock-converse", "bedrock-invoke"],
  "aws-bedrock": ["bedrock-", "bedrock-converse", "bedrock-invoke"],
  "amazon-bedrock": ["bedrock-", "bedrock-converse", "bedrock-invoke"],
};

const USAGE =
  "usage: npm run -s read-usage -- DIALECT FILE [--split N] [--content-type TYPE] [--encoding CODING]";

/** Octets that are read at once without `--split`. */
const CHUNK = 64 * 1024;
/** First octets of WebSocket frames: final or not, compressed or not, text, binary, close, ping, pong. */
const FRAME_STARTS = new Set([0x81, 0x82, 0xc1, 0xc2, 0x01, 0x02, 0x41, 0x42, 0x88, 0x89, 0x8a]);

class Refused extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

interface Options {
  readonly dialect: string;
  readonly file: string;
  readonly split: number;
  readonly contentType: string | null;
  readonly encoding: string | null;
}

function readOptions(args: readonly string[]): Options {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        split: { type: "string" },
        "content-type": { type: "string" },
        encoding: { type: "string" },
      },
    });
  } catch (error) {
    throw new Refused(`${(error as Error).message}\n${USAGE}`, 2);
  }
  const [dialect, file, ...rest] = parsed.positionals;
  if (dialect === undefined || file === undefined || rest.length > 0) throw new Refused(USAGE, 2);
  const { split } = parsed.values;
  if (split !== undefined && !/^[1-9]\d{0,8}$/.test(split)) {
    throw new Refused(`--split wants a number of octets from 1 on, not "${split}"`, 2);
  }
  return {
    dialect: dialect
      .trim()
      .toLowerCase()
      .replace(/[\s_.]+/g, "-"),
    file,
    split: split === undefined ? CHUNK : Number(split),
    contentType: parsed.values["content-type"] ?? null,
    encoding: parsed.values.encoding ?? null,
  };
}

function dialectOf(name: string): Dialect | null {
  return dialectNamed((Object.hasOwn(ALIASES, name) ? ALIASES[name] : name) as DialectName);
}

/** The file's octets, `size` at a time; the chunk is overwritten by the next. */
function* chunksOf(file: string, size: number): Generator<Uint8Array> {
  let handle: number | null = null;
  try {
    handle = openSync(file, "r");
    const buffer = Buffer.alloc(Math.max(CHUNK, Math.min(size, 1024 * CHUNK)));
    const block = Math.floor(buffer.length / size) * size || buffer.length;
    for (;;) {
      const length = readWhole(handle, buffer, block);
      for (let at = 0; at < length; at += size) yield buffer.subarray(at, Math.min(at + size, length));
      if (length < block) return;
    }
  } catch (error) {
    throw new Refused(`cannot read ${file}: ${(error as Error).message}`, 1);
  } finally {
    if (handle !== null) closeSync(handle);
  }
}

function readWhole(handle: number, buffer: Buffer, length: number): number {
  let have = 0;
  while (have < length) {
    const read = readSync(handle, buffer, have, length - have, null);
    if (read === 0) break;
    have += read;
  }
  return have;
}

function firstOctets(file: string): Uint8Array {
  for (const chunk of chunksOf(file, 4)) return Uint8Array.from(chunk);
  return new Uint8Array(0);
}

function codingOf(start: Uint8Array): string | null {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  return start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd ? "zstd" : null;
}

/** A line of a recorder: `{"direction": "server", "data": …}` around the event itself. */
function unwrapped(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  for (const key of ENVELOPES) {
    const inner = value[key];
    if (isJsonObject(inner) && (typeof inner["type"] === "string" || "serverContent" in inner)) return inner;
    if (typeof inner !== "string" || !/^\s*\{/.test(inner)) continue;
    try {
      return JSON.parse(inner);
    } catch {
      return value;
    }
  }
  return value;
}

const ENVELOPES = ["event", "data", "message", "payload", "frame", "body"];

/** Recordings of sessions are read with or without what the recorder put around each event. */
function readingEnvelopes(dialect: Dialect): Dialect {
  if (dialect.operation !== "realtime") return dialect;
  return {
    ...dialect,
    readAnswer: (keepText) => {
      const reader = dialect.readAnswer(keepText);
      return { found: reader.found, take: (event, value) => reader.take(event, unwrapped(value)) };
    },
  };
}

async function readWith(dialect: Dialect, options: Options, start: Uint8Array): Promise<FoundAnswer> {
  if (options.encoding === null && FRAME_STARTS.has(start[0] ?? 0)) {
    // Frames that are compressed say so themselves; each context is taken to go on.
    const session = tapSession(dialect, { extensions: "permessage-deflate", keepText: 0 });
    for (const chunk of chunksOf(options.file, options.split)) session.fromServer(chunk);
    return session.found;
  }
  const tap = tapAnswer(readingEnvelopes(dialect), {
    contentType: options.contentType,
    contentEncoding: options.encoding ?? codingOf(start),
    keepText: 0,
  });
  for (const chunk of chunksOf(options.file, options.split)) tap.write(chunk);
  await tap.end();
  return tap.found;
}

/** A dialect that reads nothing but what dialect it is. */
function probe(): { readonly dialect: Dialect; readonly guessed: () => DialectName | null } {
  let guessed: DialectName | null = null;
  const dialect = {
    ...DIALECTS[0]!,
    readAnswer: () => ({
      found: newAnswer(0),
      take: (event: string | null, value: unknown) =>
        void (guessed ??= guessDialect(event, value) ?? guessDialect(event, unwrapped(value))),
    }),
  };
  return { dialect, guessed: () => guessed };
}

async function chooseDialect(options: Options, start: Uint8Array): Promise<Dialect> {
  const { dialect: name, file } = options;
  const provider = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name]! : null;
  if (name !== "auto" && provider === null) {
    const dialect = dialectOf(name);
    if (dialect !== null) return dialect;
    const names = [...new Set(DIALECTS.map(({ name }) => name))].join(", ");
    throw new Refused(`there is no dialect "${name}"; known are ${names}, and auto`, 2);
  }
  const { dialect, guessed } = probe();
  await readWith(dialect, options, start);
  const guess = guessed();
  if (provider !== null) {
    const [prefix, meant, otherwise] = provider;
    if (guess === null) return dialectNamed(meant)!;
    return dialectNamed(guess.startsWith(prefix) ? guess : otherwise)!;
  }
  const found = guess === null ? null : dialectNamed(guess);
  if (found === null) throw new Refused(`cannot tell the dialect of ${file}: name it`, 1);
  return found;
}

function outcome(dialect: Dialect, found: FoundAnswer): Record<string, unknown> {
  const { usage } = found;
  return {
    dialect: dialect.name,
    id: found.id,
    model: found.model,
    usageReported: usage !== null,
    usage:
      usage === null
        ? null
        : {
            promptTokens: usage.prompt,
            completionTokens: usage.completion,
            totalTokens: usage.total,
            cachedTokens: usage.cached,
            cacheWriteTokens: usage.cacheWrites,
            reasoningTokens: usage.reasoning,
            promptAudioTokens: usage.promptAudio,
            completionAudioTokens: usage.completionAudio,
          },
    finishReason: found.finishReason,
    textLength: found.textLength,
    complete: found.complete,
    responses: found.responses,
    error: found.error,
  };
}

/** Where words go: to the caller's standard streams, or to a test. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
}

/** @returns the exit code */
export async function readUsage(args: readonly string[], { out, err }: Output): Promise<number> {
  try {
    const options = readOptions(args);
    const start = firstOctets(options.file);
    const dialect = await chooseDialect(options, start);
    const found = await readWith(dialect, options, start);
    out(`${JSON.stringify(outcome(dialect, found))}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    err(`read-usage: ${error.message}\n`);
    return error.exitCode;
  }
}

if (process.argv[1] !== undefined && import.meta.filename === resolve(process.argv[1])) {
  process.exitCode = await readUsage(process.argv.slice(2), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
}
