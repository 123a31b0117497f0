/**
 * Prints what the gateway reads from a recorded answer of a model, as one JSON object.
 *
 *     npm run -s read-usage -- DIALECT FILE [--split N] [--content-type T] [--encoding gzip]
 *
 * `--help` tells the rest. Exits 0 when the file was read, whatever it says; 1 when it cannot be read; 2 on wrong arguments.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { isJsonObject } from "../src/base/json-object.ts";
import { suggest } from "../src/base/suggest.ts";
import { newAnswer } from "../src/llm/answer.ts";
import type { Dialect, DialectName, FoundAnswer } from "../src/llm/dialect.ts";
import { DIALECTS } from "../src/llm/providers/index.ts";
import { dialectNamed } from "../src/llm/recognise.ts";
import { tapAnswer } from "../src/llm/response-tap.ts";
import { tapSession } from "../src/llm/session-tap.ts";
import { DIALECT_NAMES, KNOWN_NAMES, namedDialect } from "./dialect-names.ts";
import { guessDialect, guessFromError } from "./guess-dialect.ts";
import { type Recording, openRecording } from "./recording.ts";

const USAGE =
  "usage: npm run -s read-usage -- DIALECT FILE [--split N] [--content-type TYPE] [--encoding CODING]";

const HELP = `${USAGE}

Prints as one JSON object what the gateway reads from a recorded answer of a model.

DIALECT  ${DIALECT_NAMES.slice(0, 6).join(", ")},
         ${DIALECT_NAMES.slice(6).join(", ")};
         a name in use for one of them (chat, responses, claude, vertex, converse, groq, azure-openai-embeddings, …);
         openai, azure or bedrock, of which the file tells the dialect; or auto.
FILE     a body: JSON, lines of JSON, an array of JSON, server-sent events, an AWS event stream, or the frames a WebSocket
         server sent; - for standard input. Which of them it is, its content tells. Answers recorded with status line and
         headers (curl -i) are read, too, and so are bodies under gzip, deflate, br or zstd.

--split N         feed N octets at a time; the outcome is the same for every N
--content-type T  the answer's Content-Type, where it matters (audio/mpeg: nothing is read)
--encoding C      the answer's Content-Encoding, where the octets do not tell

promptTokens and completionTokens are the two numbers of the provider's usage object; reasoning that a provider bills beside
the completion is in completionTokens. cachedTokens and cacheWriteTokens are inside promptTokens, but for Anthropic and Bedrock.
textLength counts UTF-16 units of all the model wrote: text, refusals, reasoning, arguments of tool calls, transcripts.
`;

const LINES = "application/jsonl";
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

/** @returns null when help is asked for */
function readOptions(args: readonly string[]): Options | null {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        split: { type: "string" },
        "content-type": { type: "string" },
        encoding: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new Refused(`${(error as Error).message}\n${USAGE}`, 2);
  }
  const { split, help } = parsed.values;
  if (help === true) return null;
  const [dialect, file, ...rest] = parsed.positionals;
  if (dialect === undefined || file === undefined || rest.length > 0) throw new Refused(USAGE, 2);
  if (split !== undefined && !/^[1-9]\d{0,8}$/.test(split)) {
    throw new Refused(`--split wants a number of octets from 1 on, not "${split}"`, 2);
  }
  return {
    dialect,
    file,
    split: split === undefined ? CHUNK : Number(split),
    contentType: parsed.values["content-type"] ?? null,
    encoding: parsed.values.encoding ?? null,
  };
}

/** @param read what reads from the file */
function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "syscall" in error) {
      throw new Refused(`cannot read ${file}: ${error.message}`, 1);
    }
    throw error;
  }
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

async function readWith(dialect: Dialect, options: Options, recording: Recording): Promise<FoundAnswer> {
  const { start, headers } = recording;
  const coding = options.encoding ?? recording.coding;
  if (coding === null && FRAME_STARTS.has(start[0] ?? 0)) {
    // Frames that are compressed say so themselves; each context is taken to go on.
    const session = tapSession(dialect, { extensions: "permessage-deflate", keepText: 0 });
    reading(options.file, () => {
      for (const chunk of recording.chunks(options.split)) session.fromServer(chunk);
    });
    return session.found;
  }
  const tap = tapAnswer(readingEnvelopes(dialect), {
    // One message of a session is no answer that is whole.
    contentType:
      options.contentType ?? (dialect.operation === "realtime" ? LINES : headers.get("content-type")),
    contentEncoding: coding,
    headers,
    keepText: 0,
  });
  reading(options.file, () => {
    for (const chunk of recording.chunks(options.split)) tap.write(chunk);
  });
  await tap.end();
  return tap.found;
}

/** A dialect that reads nothing but what dialect it is. */
function probe(): { readonly dialect: Dialect; readonly guessed: () => DialectName | null } {
  let guessed: DialectName | null = null;
  let fromError: DialectName | null = null;
  const dialect = {
    ...DIALECTS[0]!,
    readAnswer: () => ({
      found: newAnswer(0),
      take: (event: string | null, value: unknown) => {
        guessed ??= guessDialect(event, value) ?? guessDialect(event, unwrapped(value));
        fromError ??= guessFromError(value);
      },
    }),
  };
  return { dialect, guessed: () => guessed ?? fromError };
}

async function chooseDialect(options: Options, recording: Recording): Promise<Dialect> {
  const { dialect: said, file } = options;
  const isAuto = said.trim().toLowerCase() === "auto";
  const named = isAuto ? null : namedDialect(said);
  if (named === null && !isAuto) {
    const meant = suggest(said.toLowerCase(), KNOWN_NAMES);
    throw new Refused(
      `there is no dialect "${said}"${meant === null ? "" : `; did you mean ${meant}?`}\n` +
        `known are ${DIALECT_NAMES.join(", ")}; openai, azure, bedrock; and auto`,
      2,
    );
  }
  if (named !== null && "dialect" in named) return dialectNamed(named.dialect)!;
  const { dialect, guessed } = probe();
  await readWith(dialect, options, recording);
  const guess = guessed();
  if (named !== null) {
    if (guess === null) return dialectNamed(named.meant)!;
    return dialectNamed(guess.startsWith(named.prefix) ? guess : named.otherwise)!;
  }
  if (guess === null) throw new Refused(`cannot tell the dialect of ${file}: name it`, 1);
  return dialectNamed(guess)!;
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

/** Where words go, to the caller's standard streams or to a test, and where a file may be. */
export interface Output {
  /** npm runs scripts in the folder of the package: where it was called itself. */
  readonly calledIn?: string | undefined;
  out(text: string): void;
  err(text: string): void;
}

/** @returns the exit code */
export async function readUsage(args: readonly string[], output: Output): Promise<number> {
  const { out, err, calledIn } = output;
  try {
    const options = readOptions(args);
    if (options === null) {
      out(HELP);
      return 0;
    }
    const { file } = options;
    const isElsewhere = calledIn !== undefined && file !== "-" && !existsSync(file);
    const path = isElsewhere && existsSync(resolve(calledIn, file)) ? resolve(calledIn, file) : file;
    const recording = reading(file, () => openRecording(path));
    const dialect = await chooseDialect(options, recording);
    const found = await readWith(dialect, options, recording);
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
    calledIn: process.env["INIT_CWD"],
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
}
