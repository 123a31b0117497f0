/** Messages of a WebSocket session on their way to the caller, as units that are judged and released whole. */
import type { SessionWords } from "../../llm/dialect.ts";
import { isJsonObject } from "../../base/json-object.ts";
import { FrameReader, type FrameReaderOptions } from "../../llm/websocket-frames.ts";
import type { AnswerTexts } from "./answer-texts.ts";
import { decodeText, isText } from "./raw-text.ts";
import { isJsonRpc } from "./request-texts.ts";
import type { Units } from "./units.ts";

/** Paths of a session that are remembered between two answers; each answer has its own. */
const MOST_CALM_PATHS = 64;

/** A message is told to be a sound by its beginning. */
const SOUND_START = 512;

export class SessionUnits implements Units {
  due = false;
  readonly #texts: AnswerTexts;
  readonly #words: SessionWords | null;
  readonly #reader: FrameReader;
  readonly #unreadable: (why: string) => void;
  #skipped = 0;
  #isBroken = false;
  /** The frame that was read ended a message. */
  #taken = false;

  /**
   * @param words null: nobody knows the dialect, and every word counts
   * @param unreadable told once of each thing that cannot be read; what it was passes
   */
  constructor(
    texts: AnswerTexts,
    words: SessionWords | null,
    frames: FrameReaderOptions,
    unreadable: (why: string) => void,
  ) {
    this.#texts = texts;
    this.#words = words;
    this.#unreadable = unreadable;
    this.#reader = new FrameReader((text, octets, isBinary) => this.#take(text, octets, isBinary), {
      ...frames,
      binary: true,
    });
  }

  read(chunk: Buffer): number {
    const reader = this.#reader;
    let end = 0;
    for (let at = 0; at < chunk.length && !reader.broken;) {
      this.#taken = false;
      at = reader.readFrame(chunk, at);
      if (!reader.atBoundary) continue;
      end = at;
      // A ping should not wait for more words to come: somebody waits for its answer.
      if (!this.#taken && this.#texts.pending > 0) this.due = true;
    }
    if (reader.skipped !== this.#skipped) {
      this.#skipped = reader.skipped;
      this.#unreadable("a message could not be decoded");
    }
    if (!reader.broken) return end;
    if (!this.#isBroken) this.#unreadable("what came is no sequence of frames");
    this.#isBroken = true;
    return chunk.length;
  }

  /** A message that was cut off is none. */
  end(): void {}

  #take(text: string, octets: Uint8Array, isBinary: boolean): void {
    this.#taken = true;
    const texts = this.#texts;
    const words = this.#words;
    if (words?.isSound(text.slice(0, SOUND_START)) === true) {
      texts.media = true;
      return;
    }
    const value = parsed(isBinary ? decodeText(octets, null) : text);
    if (value === undefined) {
      if (isBinary && !isText(octets)) return this.#unreadable("a binary message is no text");
      texts.raw(text);
    } else if (words === null) texts.value(value, !isJsonRpc(value));
    else if (!isJsonObject(value)) texts.value(value);
    else {
      const written = words.written(value);
      if (written !== null) texts.value(written);
      if (words.goesOn(value)) return;
    }
    if (texts.pending > 0) this.due = true;
    else if (texts.paths > MOST_CALM_PATHS) texts.forgetPaths();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
