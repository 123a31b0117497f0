/** What dialects fill while they read an answer. */
import type { FoundAnswer, TextKeeper } from "./dialect.ts";

/** Octets of text that are kept at most: what the log takes in one direction (`ai-observability.md` §5.2). */
export const MOST_TEXT = 2 * 1024 * 1024;

/** What readers are handed for the marker `data: [DONE]`, which is no JSON. */
export const STREAM_DONE = "[DONE]";

/** @param keepBytes how much text is kept, in UTF-16 units; 0 = none */
export function newAnswer(keepBytes: number): FoundAnswer {
  return {
    id: null,
    model: null,
    usage: null,
    finishReason: null,
    complete: false,
    goesOn: false,
    error: null,
    textLength: 0,
    text: new KeptText(keepBytes),
    responses: 0,
  };
}

/** Notes a piece of text that the model wrote. */
export function wrote(answer: FoundAnswer, choice: number, piece: unknown): void {
  if (typeof piece !== "string" || piece.length === 0) return;
  answer.textLength += piece.length;
  answer.text.add(choice, piece);
}

/** Pieces of a few characters cost many times their length: as many as this are made one. */
const PIECES_TOGETHER = 64;

interface Written {
  text: string;
  /** What came since. */
  recent: string[];
}

class KeptText implements TextKeeper {
  readonly #written = new Map<number, Written>();
  #room: number;
  #truncated = false;

  constructor(room: number) {
    this.#room = room;
  }

  get truncated(): boolean {
    return this.#truncated;
  }

  add(choice: number, piece: string): void {
    if (this.#room <= 0) {
      this.#truncated = true;
      return;
    }
    const kept = piece.length <= this.#room ? piece : piece.slice(0, this.#room);
    if (kept !== piece) this.#truncated = true;
    this.#room -= kept.length;
    const written = this.#written.get(choice);
    if (written === undefined) {
      this.#written.set(choice, { text: "", recent: [kept] });
      return;
    }
    written.recent.push(kept);
    if (written.recent.length >= PIECES_TOGETHER) join(written);
  }

  read(choice: number | null): string {
    if (choice === null) return [...this.#written.values()].map(join).join("");
    const written = this.#written.get(choice);
    return written === undefined ? "" : join(written);
  }
}

function join(written: Written): string {
  if (written.recent.length > 0) {
    written.text += written.recent.join("");
    written.recent = [];
  }
  return written.text;
}
