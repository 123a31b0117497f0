/** The replacement language of `Regex.Replace` and `Match.Result` (`expressions.md` §5.10). */
import type { Found } from "./engine.ts";
import type { Pattern } from "./tree.ts";

type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "group"; readonly group: number }
  | { readonly kind: "before" | "after" | "last" | "input" };

export type Replacement = readonly Piece[];

/** References to groups that do not exist stay as they are. */
export function parseReplacement(text: string, pattern: Pattern): Replacement {
  const pieces: Piece[] = [];
  let from = 0;
  const literal = (to: number): void => {
    if (to > from) pieces.push({ kind: "text", text: text.slice(from, to) });
  };
  for (let at = text.indexOf("$"); at >= 0; at = text.indexOf("$", at)) {
    const [piece, length] = substitution(text, at, pattern);
    if (piece !== null) {
      literal(at);
      pieces.push(piece);
      from = at + length;
    }
    at += length;
  }
  literal(text.length);
  return pieces;
}

/** What the `$` at `at` stands for (null: itself) and how many characters that takes. */
function substitution(text: string, at: number, pattern: Pattern): [Piece | null, number] {
  switch (text[at + 1]) {
    case "$":
      return [{ kind: "text", text: "$" }, 2];
    case "&":
      return [{ kind: "group", group: 0 }, 2];
    case "`":
      return [{ kind: "before" }, 2];
    case "'":
      return [{ kind: "after" }, 2];
    case "+":
      return [{ kind: "last" }, 2];
    case "_":
      return [{ kind: "input" }, 2];
  }
  const match = /^\$(?:(\d{1,9})|\{(\w+)\})/u.exec(text.slice(at, at + 300));
  if (match === null) return [null, 1];
  const name = match[1] ?? match[2]!;
  const group = /^\d+$/.test(name) ? Number(name) : (pattern.names.get(name) ?? -1);
  return pattern.numbers.includes(group) ? [{ kind: "group", group }, match[0].length] : [null, 1];
}

/** @param numbers group numbers, ascending */
export function expand(
  replacement: Replacement,
  input: string,
  found: Found,
  numbers: readonly number[],
): string {
  let result = "";
  for (const piece of replacement) {
    switch (piece.kind) {
      case "text":
        result += piece.text;
        break;
      case "group":
        result += groupText(piece.group, input, found);
        break;
      case "before":
        result += input.slice(0, found.start);
        break;
      case "after":
        result += input.slice(found.end);
        break;
      case "last":
        result += groupText(numbers[numbers.length - 1]!, input, found);
        break;
      case "input":
        result += input;
    }
  }
  return result;
}

function groupText(group: number, input: string, found: Found): string {
  if (group === 0) return input.slice(found.start, found.end);
  const capture = found.capture(group);
  return capture === null ? "" : input.slice(capture.start, capture.end);
}
