/** The tree of a parsed pattern, and the option flags of `RegexOptions`. */
import type { CharSet } from "./charset.ts";

export const IGNORE_CASE = 1;
export const MULTILINE = 2;
export const EXPLICIT_CAPTURE = 4;
export const SINGLELINE = 16;
export const IGNORE_WHITE_SPACE = 32;
export const RIGHT_TO_LEFT = 64;
export const ECMA_SCRIPT = 256;

export type Anchor =
  /** `^`, `\A` without Multiline. */
  | "start"
  | "lineStart"
  /** `$` without Multiline, `\Z`: at the end or before a final line feed. */
  | "endOrFinalLine"
  | "lineEnd"
  /** `\z`. */
  | "end"
  /** `\G`. */
  | "lastEnd"
  | "word"
  | "notWord"
  | "ecmaWord"
  | "ecmaNotWord";

export type Node =
  | { readonly kind: "empty" }
  | { readonly kind: "char"; readonly code: number }
  | { readonly kind: "set"; readonly set: CharSet }
  | { readonly kind: "sequence"; readonly nodes: readonly Node[] }
  | { readonly kind: "choice"; readonly nodes: readonly Node[] }
  /** `max` = Infinity for none. */
  | {
      readonly kind: "loop";
      readonly node: Node;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    }
  | { readonly kind: "capture"; readonly node: Node; readonly group: number; readonly pops: number }
  | { readonly kind: "look"; readonly node: Node; readonly behind: boolean; readonly negative: boolean }
  | { readonly kind: "atomic"; readonly node: Node }
  | { readonly kind: "backreference"; readonly group: number; readonly ignoreCase: boolean }
  | { readonly kind: "anchor"; readonly anchor: Anchor }
  /** `(?(1)yes|no)`; with `look` the condition is an assertion. */
  | {
      readonly kind: "conditional";
      readonly group: number;
      readonly look: Node | null;
      readonly yes: Node;
      readonly no: Node;
    };

export interface Pattern {
  readonly root: Node;
  /** Group numbers in ascending order; 0 is the whole match. */
  readonly numbers: readonly number[];
  /** Name → number; numbers are their own names. */
  readonly names: ReadonlyMap<string, number>;
  readonly options: number;
}
