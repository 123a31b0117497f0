/**
 * What it costs to look at answers as they pass: µs of one core per chunk, in this process, without any socket.
 *
 *     node bench/taps.ts
 *
 * Target: ≤ 2 µs for a server-sent event of 200 octets, its JSON parsed and its text counted.
 */
import { dialectNamed } from "../src/llm/recognise.ts";
import type { DialectName } from "../src/llm/dialect.ts";
import { tapAnswer } from "../src/llm/response-tap.ts";
import { tapSession } from "../src/llm/session-tap.ts";
import { textFrame } from "../src/llm/websocket-frames.ts";

const ROUNDS = 7;
const TARGET_MICROSECONDS = 2;

interface Load {
  readonly name: string;
  readonly dialect: DialectName;
  readonly chunks: readonly Buffer[];
  readonly keepText: number;
  /** How many times a round reads all chunks. */
  readonly times: number;
}

function chatEvents(count: number, content: (i: number) => string): Buffer[] {
  const chunks = Array.from({ length: count }, (_, i) =>
    Buffer.from(
      `data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1741569952,` +
        `"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"${content(i)}"},"finish_reason":null}]}\n\n`,
    ),
  );
  chunks.push(
    Buffer.from(
      `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":${count},"total_tokens":1}}\n\n`,
    ),
    Buffer.from("data: [DONE]\n\n"),
  );
  return chunks;
}

function responsesEvents(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(
      `event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":${i},` +
        `"item_id":"msg_67c9fdcf37fc8190ba82116e33fb28c507b8b0ad4e5eb654","output_index":0,"content_index":0,"delta":" word"}\n\n`,
    ),
  );
}

function embeddings(): Buffer[] {
  const vector = Array.from({ length: 1536 }, (_, i) => (((i * 7919) % 2000) / 1000 - 1).toFixed(8)).join(
    ",",
  );
  const data = Array.from(
    { length: 400 },
    (_, i) => `{"object":"embedding","index":${i},"embedding":[${vector}]}`,
  );
  const body = Buffer.from(
    `{"object":"list","data":[${data.join(",")}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}`,
  );
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += 65_536) chunks.push(body.subarray(at, at + 65_536));
  return chunks;
}

const chatDocument = Buffer.from(
  JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    model: "gpt-4o",
    choices: [
      { index: 0, message: { role: "assistant", content: "word ".repeat(120) }, finish_reason: "stop" },
    ],
    usage: { prompt_tokens: 19, completion_tokens: 120, total_tokens: 139 },
  }),
);

const LOADS: readonly Load[] = [
  {
    name: "chat SSE, 200 octets a chunk",
    dialect: "openai-chat",
    chunks: chatEvents(1000, () => " word"),
    keepText: 0,
    times: 60,
  },
  {
    name: "  the same, text kept",
    dialect: "openai-chat",
    chunks: chatEvents(1000, () => " word"),
    keepText: 256 * 1024,
    times: 60,
  },
  {
    name: "  the same, not ASCII",
    dialect: "openai-chat",
    chunks: chatEvents(1000, () => " 世界"),
    keepText: 0,
    times: 60,
  },
  {
    name: "  the same, 16 events a chunk",
    dialect: "openai-chat",
    chunks: grouped(
      chatEvents(1600, () => " word"),
      16,
    ),
    keepText: 0,
    times: 60,
  },
  {
    name: "  the same, each event in two chunks",
    dialect: "openai-chat",
    chunks: chatEvents(1000, () => " word").flatMap((event) => [event.subarray(0, 90), event.subarray(90)]),
    keepText: 0,
    times: 30,
  },
  {
    name: "responses SSE, 230 octets a chunk",
    dialect: "openai-responses",
    chunks: responsesEvents(1000),
    keepText: 0,
    times: 60,
  },
  {
    name: "chat JSON, 850 octets",
    dialect: "openai-chat",
    chunks: [chatDocument],
    keepText: 0,
    times: 20_000,
  },
  {
    name: "embeddings JSON, 64 KiB a chunk",
    dialect: "openai-embeddings",
    chunks: embeddings(),
    keepText: 0,
    times: 3,
  },
];

function grouped(chunks: readonly Buffer[], size: number): Buffer[] {
  const groups: Buffer[] = [];
  for (let at = 0; at < chunks.length; at += size) groups.push(Buffer.concat(chunks.slice(at, at + size)));
  return groups;
}

/** @returns µs per chunk */
function readAll(load: Load): number {
  const dialect = dialectNamed(load.dialect)!;
  const start = process.cpuUsage();
  for (let time = 0; time < load.times; time++) {
    const tap = tapAnswer(dialect, { contentType: null, contentEncoding: null, keepText: load.keepText });
    for (const chunk of load.chunks) tap.write(chunk);
    void tap.end();
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / load.times / load.chunks.length;
}

function readFrames(): number {
  const frames = responsesEvents(1000).map((event) =>
    textFrame(event.toString().split("data: ")[1]!.trim(), null),
  );
  const start = process.cpuUsage();
  for (let time = 0; time < 30; time++) {
    const session = tapSession(dialectNamed("openai-realtime")!, { extensions: null, keepText: 0 });
    for (const frame of frames) session.fromServer(frame);
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 30 / frames.length;
}

function report(name: string, measure: () => number): number {
  const rounds = Array.from({ length: ROUNDS }, measure)
    .slice(2)
    .sort((a, b) => a - b);
  const median = rounds[rounds.length >> 1]!;
  console.log(
    `${name.padEnd(40)} ${median.toFixed(2).padStart(8)} µs   (${rounds[0]!.toFixed(2)}–${rounds.at(-1)!.toFixed(2)})`,
  );
  return median;
}

const [first, ...others] = LOADS.map((load) => report(load.name, () => readAll(load)));
report("realtime frames, 220 octets each", readFrames);
void others;
console.log(first! <= TARGET_MICROSECONDS ? "target met" : `target missed: ${TARGET_MICROSECONDS} µs`);
