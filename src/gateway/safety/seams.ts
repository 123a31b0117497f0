/**
 * Where the words of one message go on from those of the messages before it: what is cut in two between two messages of a
 * session is whole again here.
 */
import type { TurnText, Whose } from "./request-texts.ts";
import { OVERLAP, renditions } from "./questions.ts";

export class Seams {
  /** By whose they are: the last words, in the parts in which they came. */
  readonly #before = new Map<Whose, string[]>();

  /**
   * @param turns of the newest message
   * @returns the ends of what came before together with its beginning, as it may be read
   */
  next(turns: readonly TurnText[]): string[] {
    const seams: string[] = [];
    for (const whose of new Set(turns.map((turn) => turn.whose))) {
      if (whose === "rest") continue;
      const parts = turns.flatMap((turn) => (turn.whose === whose ? turn.parts : []));
      const before = this.#before.get(whose);
      if (before !== undefined) seams.push(...readings([...before, ...firstOf(parts)]));
      this.#before.set(whose, lastOf(before === undefined ? parts : [...before.slice(-OVERLAP), ...parts]));
    }
    return seams;
  }
}

/** As one text, and one below the other where a word may end between two of them. */
function readings(parts: readonly string[]): string[] {
  const whole = parts.join("");
  return renditions(parts).length > 1 ? [whole, parts.join("\n")] : [whole];
}

function firstOf(parts: readonly string[]): string[] {
  const first: string[] = [];
  for (let i = 0, room = OVERLAP; i < parts.length && room > 0; i++) {
    first.push(parts[i]!.slice(0, room));
    room -= parts[i]!.length;
  }
  return first;
}

function lastOf(parts: readonly string[]): string[] {
  const last: string[] = [];
  for (let i = parts.length - 1, room = OVERLAP; i >= 0 && room > 0; i--) {
    last.unshift(parts[i]!.slice(-room));
    room -= parts[i]!.length;
  }
  return last;
}
