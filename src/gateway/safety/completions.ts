/** Answers before they go out: whole when they come whole, in windows when they stream (`ai-policies.md` §4.6). */
import type { BodySource } from "../../transport/transport.ts";
import { isJsonObject } from "../../base/json-object.ts";
import { Body } from "../body.ts";
import { GatewayError } from "../errors.ts";
import type { ResponseMessage } from "../message.ts";
import type { ModelCall } from "../models/model-call.ts";
import { isEventStream } from "../reply.ts";
import { AnswerTexts } from "./answer-texts.ts";
import { GuardedSource } from "./guarded-source.ts";
import { OVERLAP } from "./questions.ts";
import type { Pieces } from "./judge.ts";
import { decodeText } from "./raw-text.ts";
import { isJsonRpc } from "./request-texts.ts";
import type { SafetyCheck } from "./safety-check.ts";
import { SniffedUnits } from "./units.ts";

export interface Windows {
  /** UTF-16 units; null: as many as the guard takes. */
  readonly size: number | null;
  /** UTF-16 units; never fewer than `OVERLAP` are used. */
  readonly overlap: number;
  /** A stream that is cut off says so in a last event. */
  readonly notifies: boolean;
}

/** What holds no words, whatever octets it has. */
const MEDIA = /^\s*(?:audio|image|video|font)\//i;
const STREAMED = /event-?stream|ndjson|jsonl|json-?lines|json-seq|stream\+json/i;
const JSON_TYPE = /[/+]json\b/i;

/**
 * Judges `response`, or sees to it that its stream is judged as it goes out.
 *
 * @throws GatewayError when it must not go out
 */
export async function checkCompletion(
  check: SafetyCheck,
  response: ResponseMessage,
  windows: Windows,
): Promise<void> {
  const { body } = response;
  const { exchange, element } = check;
  if (body === null || body.consumed) return;
  const contentType = response.headers.get("content-type");
  if (contentType !== null && MEDIA.test(contentType))
    return exchange.remark(element, `An answer of type ${contentType} holds no text to judge.`);
  if (!body.buffered && isPlain(body) && streams(check, contentType)) {
    const source = body.take();
    if (source === null || source instanceof Uint8Array) return;
    response.body = Body.streaming("response", guarded(check, response, source, windows), response.headers);
    return;
  }
  const waiting = body.buffer(exchange.snapshot.options.bufferLimitBytes);
  if (waiting !== undefined) await waiting;
  await checkWhole(check, body, contentType, windows);
}

function isPlain({ coding }: Body): boolean {
  return coding === "" || coding === "identity";
}

/** JSON comes whole, but for Gemini's streams, which are arrays. */
function streams({ exchange }: SafetyCheck, contentType: string | null): boolean {
  if (contentType !== null && STREAMED.test(contentType)) return true;
  const call = exchange.modelCall ?? null;
  if (call === null || !call.request.stream) return false;
  return contentType === null || !JSON_TYPE.test(contentType) || call.dialect.name === "gemini";
}

async function checkWhole(
  check: SafetyCheck,
  body: Body,
  contentType: string | null,
  windows: Windows,
): Promise<void> {
  let octets: Uint8Array;
  try {
    octets = body.bytes();
  } catch (error) {
    const failure = check.unreadable(error instanceof Error ? error.message : String(error));
    if (failure !== null) throw failure;
    return;
  }
  const texts = wholeTexts(octets, body.charset, contentType, check.exchange.modelCall);
  noteMedia(check, texts);
  const failure = await check.completion(texts.take(), piecesOf(check, windows));
  if (failure !== null) throw failure;
}

/** One JSON value, else whatever it is. */
function wholeTexts(
  octets: Uint8Array,
  charset: string | null,
  contentType: string | null,
  call: ModelCall | null | undefined,
): AnswerTexts {
  const document = new AnswerTexts(0, true);
  try {
    const value: unknown = JSON.parse(decodeText(octets, charset));
    const isKnown = call === undefined ? isModelAnswer(value) : call !== null;
    document.value(value, !isKnown && !isJsonRpc(value));
    return document;
  } catch {
    const texts = new AnswerTexts(0, false);
    const units = new SniffedUnits(texts, contentType);
    const chunk = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
    const end = units.read(chunk, []);
    units.end(end < chunk.length ? [chunk.subarray(end)] : []);
    return texts;
  }
}

/** Where nobody asked what the request was. */
function isModelAnswer(value: unknown): boolean {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return isJsonObject(one) && ANSWERS.some((name) => typeof one[name] === "object" && one[name] !== null);
}

/** Members that hold the words in the answers of models. */
const ANSWERS = [
  "choices",
  "output",
  "content",
  "candidates",
  "results",
  "outputs",
  "steps",
  "generations",
  "completions",
];

function noteMedia({ exchange, element }: SafetyCheck, { media }: AnswerTexts): void {
  if (media) exchange.remark(element, "Pictures, sounds and files are not judged.");
}

function guarded(
  check: SafetyCheck,
  response: ResponseMessage,
  source: BodySource,
  windows: Windows,
): BodySource {
  const { exchange } = check;
  const pieces = piecesOf(check, windows);
  const texts = new AnswerTexts(pieces.overlap, false);
  return new GuardedSource(source, {
    texts,
    units: new SniffedUnits(texts, response.headers.get("content-type")),
    windowSize: pieces.most - pieces.overlap,
    mostUnitBytes: exchange.snapshot.options.bufferLimitBytes,
    check: (found) => {
      noteMedia(check, texts);
      return check.completion(found, pieces);
    },
    tooLarge: () => check.tooLarge("A part of the answer is larger than what can be judged."),
    cut: (failure) => {
      exchange.error ??= failure;
      // What was written until now was paid for.
      void exchange.modelCall?.cutOff();
      return windows.notifies && isEventStream(response.headers) ? lastEvent(failure) : null;
    },
  });
}

/** A window, and the end of the one before it. */
export function piecesOf({ guard }: SafetyCheck, { size, overlap }: Windows): Pieces {
  const most = guard?.mostCharacters ?? MOST_UNGUARDED;
  const shared = Math.min(Math.max(OVERLAP, overlap), most - 2);
  return { most: Math.min(most, (size ?? most) + shared), overlap: shared };
}

/** Without a guard nothing is asked. */
const MOST_UNGUARDED = 10_000;

function lastEvent({ clientMessage }: GatewayError): Uint8Array {
  const error = { message: clientMessage, type: "content_filter", code: "content_filter" };
  return new TextEncoder().encode(`data: ${JSON.stringify({ error })}\n\n`);
}
