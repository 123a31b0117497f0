/**
 * Tokens, and the one table of operator precedence.
 *
 * The kind of a punctuation mark or keyword is its own text (`"=>"`, `"return"`), so the parser reads like the
 * grammar. `>` is always a token of its own: the parser puts `>>` and `>>=` together from neighbours, because two
 * closing angle brackets of nested generics are written the same way.
 */
import type { BinaryOperator, LiteralValue } from "./tree.ts";

export interface Token {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  /** Name of an identifier; unescaped text of `interpolatedText` and `holeFormat`. */
  readonly text: string;
  readonly literal: LiteralValue | null;
  /** Written `@name`: never a contextual keyword. */
  readonly escaped: boolean;
}

/**
 * Kinds that are not their own text:
 *
 * - `identifier`, `literal` (every literal but interpolated strings; also `true`, `false`, `null`), `eof`;
 * - an interpolated string is `interpolatedStart`, then `interpolatedText` and holes in turn, then `interpolatedEnd`.
 *   A hole is `holeStart`, the tokens of an expression (with `, alignment`), perhaps `holeFormat`, then `holeEnd`.
 */
export type SpecialKind =
  | "identifier"
  | "literal"
  | "eof"
  | "interpolatedStart"
  | "interpolatedText"
  | "holeStart"
  | "holeFormat"
  | "holeEnd"
  | "interpolatedEnd";

/** Reserved words of C#. `true`, `false` and `null` are scanned as literals. */
export const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "abstract as base bool break byte case catch char checked class const continue decimal default delegate do " +
    "double else enum event explicit extern finally fixed float for foreach goto if implicit in int interface " +
    "internal is lock long namespace new object operator out override params private protected public readonly " +
    "ref return sbyte sealed short sizeof stackalloc static string struct switch this throw try typeof uint ulong " +
    "unchecked unsafe ushort using virtual void volatile while"
  ).split(" "),
);

export const PREDEFINED_TYPES: ReadonlySet<string> = new Set(
  "object string bool char sbyte byte short ushort int uint long ulong float double decimal".split(" "),
);

/**
 * Binary operators by how tightly they bind, C# specification §12.4.2. `is` and `as` sit with the relational ones;
 * `??` is the only one that groups to the right. `..` and `switch` bind tighter than all of these and are handled
 * with the unary operators; the conditional and assignment bind less tightly and have functions of their own.
 */
export const BINARY_PRECEDENCE: ReadonlyMap<BinaryOperator | "is" | "as", number> = new Map([
  ["??", 1],
  ["||", 2],
  ["&&", 3],
  ["|", 4],
  ["^", 5],
  ["&", 6],
  ["==", 7],
  ["!=", 7],
  ["<", 8],
  [">", 8],
  ["<=", 8],
  [">=", 8],
  ["is", 8],
  ["as", 8],
  ["<<", 9],
  [">>", 9],
  ["+", 10],
  ["-", 10],
  ["*", 11],
  ["/", 11],
  ["%", 11],
]);

export const COALESCE_PRECEDENCE = 1;
export const RELATIONAL_PRECEDENCE = 8;
export const SHIFT_PRECEDENCE = 9;

export const ASSIGNMENT_OPERATORS: ReadonlySet<string> = new Set(
  "= += -= *= /= %= &= |= ^= <<= >>= ??=".split(" "),
);
