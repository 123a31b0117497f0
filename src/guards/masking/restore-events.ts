/**
 * Puts values back into an answer, JSON value by JSON value: documents whole, the events of a stream as they come. Of a text
 * in pieces only what may be the beginning of a placeholder waits for the next piece; should the text end before, an event
 * of its own brings it, made after the last one of that text.
 */
import { isJsonObject, type JsonObject } from "../../base/json-object.ts";
import { type Edit, type JsonPart, edited, member, readJson } from "./json-text.ts";
import type { Matcher } from "./matcher.ts";
import { type Piece, piecesOf } from "./pieces.ts";

interface Held {
  readonly text: string;
  /** The event that brought it. */
  readonly event: string | null;
  readonly data: string;
  readonly piece: Piece;
}

/** An event that has to be sent before another. */
export interface ExtraEvent {
  readonly event: string | null;
  readonly data: string;
}

export interface RestoredEvent {
  readonly before: readonly ExtraEvent[];
  /** Its JSON, the same string when nothing changed. */
  readonly data: string;
}

const NONE: readonly ExtraEvent[] = [];
/** Texts under way at once; of more, nothing is held. */
const MOST_HELD = 1024;

export class EventRestorer {
  readonly #matcher: Matcher;
  readonly #wantsJson: boolean;
  readonly #held = new Map<string, Held>();
  /** Numbers of the events that follow are higher by the events that were put in. */
  #shift = 0;
  #lastNumber: number | null = null;

  /** @param wantsJson the text of the answer is JSON: values are escaped for it */
  constructor(matcher: Matcher, wantsJson: boolean) {
    this.#matcher = matcher;
    this.#wantsJson = wantsJson;
  }

  /** Nothing is under way: an event without the beginning of a placeholder needs no look. */
  get idle(): boolean {
    return this.#held.size === 0 && this.#shift === 0;
  }

  /** Whether JSON text may hold a placeholder, whole or in part. */
  mayHold(text: string): boolean {
    // A string that ends in a backslash may go on as an escape.
    return text.includes(this.#matcher.first) || text.includes("\\u") || text.includes('\\\\"');
  }

  /** One event; what is no JSON stays as it is, and ends every text if it is `[DONE]`. */
  event(event: string | null, data: string): RestoredEvent {
    if (this.idle && !this.mayHold(data)) return { before: NONE, data };
    const value = readJson(data);
    if (value === null) return { before: data.trim() === "[DONE]" ? this.end() : NONE, data };
    const { pieces, ends } = piecesOf(event, value);
    const number = numberOf(value);
    const before = this.#ended(ends, pieces, number);
    const edits: Edit[] = [];
    for (const piece of pieces) this.#piece(piece, event, data, ends, edits);
    this.#wholeStrings(value, "", new Set(pieces.map(({ part }) => part)), edits);
    if (number !== null) {
      this.#lastNumber = number.value;
      if (this.#shift > 0)
        edits.push({ start: number.start, end: number.end, text: String(number.value + this.#shift) });
    }
    return { before, data: edited(data, edits) };
  }

  /** A document that is whole in itself. */
  document(data: string): string {
    if (!this.mayHold(data)) return data;
    const value = readJson(data);
    if (value === null) return this.#matcher.restore(data, true, true).text;
    const edits: Edit[] = [];
    this.#wholeStrings(value, "", new Set(), edits);
    return edited(data, edits);
  }

  /** The answer is over: what is still held. */
  end(): readonly ExtraEvent[] {
    if (this.#held.size === 0) return NONE;
    return this.#flush(() => true, null);
  }

  /** Texts that end with this event and have no piece in it. */
  #ended(ends: readonly string[], pieces: readonly Piece[], number: JsonPart | null): readonly ExtraEvent[] {
    if (this.#held.size === 0 || ends.length === 0) return NONE;
    const goesOn = new Set(pieces.map(({ channel }) => channel));
    return this.#flush(
      (channel) => !goesOn.has(channel) && ends.some((prefix) => channel.startsWith(prefix)),
      number?.kind === "number" ? number.value : null,
    );
  }

  #flush(isOver: (channel: string) => boolean, next: number | null): readonly ExtraEvent[] {
    const events: ExtraEvent[] = [];
    for (const [channel, held] of this.#held) {
      if (!isOver(channel)) continue;
      this.#held.delete(channel);
      const number = next ?? (this.#lastNumber === null ? null : this.#lastNumber + 1);
      const data = continuation(held, number === null ? null : number + this.#shift);
      if (data === null) continue;
      if (number !== null) this.#shift++;
      events.push({ event: held.event, data });
    }
    return events;
  }

  #piece(piece: Piece, event: string | null, data: string, ends: readonly string[], edits: Edit[]): void {
    const { part, channel } = piece;
    const waiting = this.#held.get(channel);
    const json = piece.json || (this.#wantsJson && !/thinking|thought|reasoning/.test(channel));
    const isOver =
      ends.some((prefix) => channel.startsWith(prefix)) ||
      (waiting === undefined && this.#held.size >= MOST_HELD);
    const text = waiting === undefined ? part.value : waiting.text + part.value;
    const restored = this.#matcher.restore(text, json, isOver);
    if (restored.held !== "") this.#held.set(channel, { text: restored.held, event, data, piece });
    else if (waiting !== undefined) this.#held.delete(channel);
    if (restored.text !== part.value)
      edits.push({ start: part.start, end: part.end, text: JSON.stringify(restored.text) });
  }

  /** Strings that come whole, names of members too; arguments are JSON in a string. */
  #wholeStrings(part: JsonPart, key: string, pieces: ReadonlySet<JsonPart>, edits: Edit[]): void {
    switch (part.kind) {
      case "string":
        if (!pieces.has(part)) this.#whole(part, key === "arguments" || this.#isJsonText(part.value), edits);
        break;
      case "array":
        for (const item of part.items) this.#wholeStrings(item, key, pieces, edits);
        break;
      case "object":
        for (const { key: name, value } of part.members) {
          this.#whole(name, false, edits);
          this.#wholeStrings(value, name.value, pieces, edits);
        }
    }
  }

  #isJsonText(text: string): boolean {
    return this.#wantsJson && /^\s{0,16}[{[]/.test(text);
  }

  #whole(part: JsonPart & { kind: "string" }, json: boolean, edits: Edit[]): void {
    const { text } = this.#matcher.restore(part.value, json, true);
    if (text !== part.value) edits.push({ start: part.start, end: part.end, text: JSON.stringify(text) });
  }
}

function numberOf(value: JsonPart): (JsonPart & { kind: "number" }) | null {
  const number = member(value, "sequence_number");
  return number?.kind === "number" ? number : null;
}

/** Members that say whose piece it is; others are not said twice. */
const SAID_AGAIN = new Set(
  (
    "object created model system_fingerprint service_tier type index item_id output_index content_index summary_index " +
    "contentBlockIndex sequence_number role thought jsonPath willContinue responseId modelVersion created_at"
  ).split(" "),
);
/** Said, but of this event not true yet. */
const NOT_YET = new Set(["finish_reason", "logprobs"]);

/** An event like the one that brought what is held, with nothing else in it; null when that cannot be made. */
function continuation({ text, data, piece }: Held, number: number | null): string | null {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  const root = readJson(data);
  const path = root === null ? null : pathTo(root, piece.part.start);
  if (path === null || !isJsonObject(value)) return null;
  const made = pruned(value, path, text, true) as JsonObject;
  if (number !== null) made["sequence_number"] = number;
  return JSON.stringify(made);
}

function pathTo(part: JsonPart, start: number): (string | number)[] | null {
  if (part.start === start && part.kind === "string") return [];
  if (part.kind === "object") {
    for (const { key, value } of part.members) {
      if (start < value.start || start >= value.end) continue;
      const rest = pathTo(value, start);
      return rest === null ? null : [key.value, ...rest];
    }
  } else if (part.kind === "array") {
    for (const [index, item] of part.items.entries()) {
      if (start < item.start || start >= item.end) continue;
      const rest = pathTo(item, start);
      return rest === null ? null : [index, ...rest];
    }
  }
  return null;
}

function pruned(value: unknown, path: readonly (string | number)[], text: string, isRoot: boolean): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return text;
  if (Array.isArray(value)) return [pruned(value[step as number], rest, text, false)];
  const made: JsonObject = {};
  for (const [key, member] of Object.entries(value as JsonObject)) {
    if (key === step) made[key] = pruned(member, rest, text, false);
    else if (NOT_YET.has(key)) made[key] = Array.isArray(member) ? [] : null;
    else if (SAID_AGAIN.has(key) || (isRoot && key === "id")) made[key] = member;
  }
  return made;
}
