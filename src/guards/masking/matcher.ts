/** Finds placeholders in texts that come in pieces, and puts the values in their place. */

interface Node {
  readonly next: Map<number, Node>;
  value: string | null;
}

export interface Restored {
  readonly text: string;
  /** The end of the text that may be the beginning of a placeholder; kept for the next piece. */
  readonly held: string;
}

export class Matcher {
  readonly #plain: Node = { next: new Map(), value: null };
  readonly #escaped: Node = { next: new Map(), value: null };
  /** What every placeholder begins with: a text without it, and without escapes, holds none. */
  readonly first: string;

  /** @param values value by placeholder; not empty, all of one form */
  constructor(values: ReadonlyMap<string, string>) {
    this.first = [...values.keys()][0]![0]!;
    for (const [placeholder, value] of values) {
      add(
        this.#plain,
        [...placeholder].map((one) => [one]),
        value,
      );
      add(this.#escaped, [...placeholder].map(escapes), JSON.stringify(value).slice(1, -1));
    }
  }

  /**
   * @param json the text is JSON, or a piece of it: values are escaped for a string in it
   * @param whole nothing follows: nothing is held
   */
  restore(text: string, json: boolean, whole: boolean): Restored {
    const root = json ? this.#escaped : this.#plain;
    let at = 0;
    let made = "";
    let i = this.#candidate(text, 0, json);
    while (i >= 0) {
      let node = root;
      let end = i;
      while (end < text.length && node.value === null) {
        const next = node.next.get(text.charCodeAt(end));
        if (next === undefined) break;
        node = next;
        end++;
      }
      if (node.value !== null) {
        made += text.slice(at, i) + node.value;
        at = end;
        i = this.#candidate(text, end, json);
      } else if (end === text.length && !whole)
        return { text: made + text.slice(at, i), held: text.slice(i) };
      else i = this.#candidate(text, i + 1, json);
    }
    return { text: at === 0 ? text : made + text.slice(at), held: "" };
  }

  #candidate(text: string, from: number, json: boolean): number {
    const plain = text.indexOf(this.first, from);
    if (!json) return plain;
    const escaped = text.indexOf("\\u", from);
    // Half an escape at the end may become one.
    const half = escaped < 0 && text.endsWith("\\") && text.length > from ? text.length - 1 : escaped;
    return plain < 0 ? half : half < 0 ? plain : Math.min(plain, half);
  }
}

/** As JSON may write a character: many writers escape what HTML could take for its own. */
function escapes(character: string): readonly string[] {
  if (!/[<>&'=]/.test(character)) return [character];
  const code = character.charCodeAt(0).toString(16).padStart(4, "0");
  return [...new Set([character, `\\u${code}`, `\\u${code.toUpperCase()}`])];
}

/** All writings of a character lead to the same place. */
function add(root: Node, characters: readonly (readonly string[])[], value: string): void {
  let ends: Node[] = [root];
  for (const writings of characters) {
    const joined: Node[] = [];
    for (const end of ends) for (const writing of writings) joined.push(follow(end, writing));
    ends = joined;
  }
  for (const end of ends) end.value = value;
}

function follow(from: Node, writing: string): Node {
  let node = from;
  for (let i = 0; i < writing.length; i++) {
    const unit = writing.charCodeAt(i);
    let next = node.next.get(unit);
    if (next === undefined) node.next.set(unit, (next = { next: new Map(), value: null }));
    node = next;
  }
  return node;
}
