/** `xsl:sort` (XSLT 1.0 §10): stable, by text in the order of the language or by number. */
import { spend } from "../../compiler/runtime/budget.ts";
import { type Frame, contextOf } from "./transform.ts";
import type { TreeNode } from "./tree.ts";
import type { Expression } from "./xpath-parser.ts";
import { evaluate, toNumber, toText } from "./xpath.ts";

interface SortKey {
  readonly select: Expression;
  readonly order: ((frame: Frame) => string) | null;
  readonly type: ((frame: Frame) => string) | null;
}

const collator = new Intl.Collator("en");

/** null when nothing is sorted. */
export function sorter(
  element: TreeNode,
  keyOf: (element: TreeNode) => SortKey,
): ((nodes: readonly TreeNode[], frame: Frame) => TreeNode[]) | null {
  const keys = element.children
    .filter(({ kind, local, uri }) => kind === "element" && local === "sort" && uri === element.uri)
    .map(keyOf);
  if (keys.length === 0) return null;
  return (nodes, frame) => {
    const ways = keys.map(({ select, order, type }) => ({
      select,
      factor: order?.(frame) === "descending" ? -1 : 1,
      isNumber: type?.(frame) === "number",
    }));
    const rows = nodes.map((node, i) => {
      const context = contextOf({ ...frame, node, position: i + 1, size: nodes.length });
      return {
        node,
        values: ways.map(({ select, isNumber }) =>
          isNumber ? toNumber(evaluate(select, context)) : toText(evaluate(select, context)),
        ),
      };
    });
    rows.sort((a, b) => {
      spend();
      for (let i = 0; i < ways.length; i++) {
        const difference = compare(a.values[i]!, b.values[i]!) * ways[i]!.factor;
        if (difference !== 0) return difference;
      }
      return 0;
    });
    return rows.map(({ node }) => node);
  };
}

/** What is no number comes first. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === "string") return collator.compare(a, b as string);
  const other = b as number;
  if (Number.isNaN(a) || Number.isNaN(other)) return Number(Number.isNaN(other)) - Number(Number.isNaN(a));
  return a - other;
}
