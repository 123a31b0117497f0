/** The functions of XPath 1.0 §4 and XSLT 1.0 §12. `position` and `last` are the evaluator's own. */
import { checkLength, spend, spendUnits } from "../../compiler/runtime/budget.ts";
import { formatNumber, type DecimalFormat } from "./format.ts";
import type { TreeNode } from "./tree.ts";
import { XML_URI } from "./tree.ts";
import { type XContext, type XValue, toBoolean, toNodes, toNumber, toText } from "./xpath.ts";

/** What a function needs of the transformation. */
export interface Surroundings {
  /** Nodes of a document with this key. */
  readonly keyed: (name: string, value: string, root: TreeNode) => readonly TreeNode[];
  readonly decimalFormat: (name: string) => DecimalFormat;
  readonly failure: (message: string) => Error;
}

type Call = (args: readonly XValue[], context: XContext, around: Surroundings) => XValue;

interface Definition {
  readonly min: number;
  readonly max: number;
  readonly call: Call;
}

const define = (min: number, max: number, call: Call): Definition => ({ min, max, call });

/** The first argument, or the context node. */
const nodeOf = (args: readonly XValue[], { node }: XContext): TreeNode | undefined =>
  args.length === 0 ? node : toNodes(args[0]!)[0];
const textOf = (args: readonly XValue[], { node }: XContext): string =>
  args.length === 0 ? node.text : toText(args[0]!);

const FUNCTIONS: ReadonlyMap<string, Definition> = new Map<string, Definition>([
  // Node sets
  ["count", define(1, 1, ([nodes]) => toNodes(nodes!).length)],
  ["local-name", define(0, 1, (args, context) => nodeOf(args, context)?.local ?? "")],
  ["namespace-uri", define(0, 1, (args, context) => nodeOf(args, context)?.uri ?? "")],
  ["name", define(0, 1, (args, context) => nodeOf(args, context)?.name ?? "")],
  ["id", define(1, 1, () => [])],
  // Texts
  ["string", define(0, 1, textOf)],
  ["concat", define(2, Infinity, (args) => bounded(args.map(toText).join("")))],
  ["starts-with", define(2, 2, ([text, start]) => toText(text!).startsWith(toText(start!)))],
  ["contains", define(2, 2, ([text, part]) => toText(text!).includes(toText(part!)))],
  ["substring-before", define(2, 2, ([text, part]) => before(toText(text!), toText(part!)))],
  ["substring-after", define(2, 2, ([text, part]) => after(toText(text!), toText(part!)))],
  [
    "substring",
    define(2, 3, ([text, start, length]) =>
      substring(toText(text!), toNumber(start!), length === undefined ? Infinity : toNumber(length)),
    ),
  ],
  ["string-length", define(0, 1, (args, context) => [...textOf(args, context)].length)],
  [
    "normalize-space",
    define(0, 1, (args, context) =>
      textOf(args, context)
        .replace(/[ \t\r\n]+/g, " ")
        .replace(/^ | $/g, ""),
    ),
  ],
  ["translate", define(3, 3, ([text, from, to]) => translate(toText(text!), toText(from!), toText(to!)))],
  // Booleans
  ["boolean", define(1, 1, ([value]) => toBoolean(value!))],
  ["not", define(1, 1, ([value]) => !toBoolean(value!))],
  ["true", define(0, 0, () => true)],
  ["false", define(0, 0, () => false)],
  ["lang", define(1, 1, ([language], { node }) => speaks(node, toText(language!).toLowerCase()))],
  // Numbers
  ["number", define(0, 1, (args, { node }) => toNumber(args.length === 0 ? node.text : args[0]!))],
  [
    "sum",
    define(1, 1, ([nodes]) => toNodes(nodes!).reduce((sum, node) => (spend(), sum + toNumber(node.text)), 0)),
  ],
  ["floor", define(1, 1, ([value]) => Math.floor(toNumber(value!)))],
  ["ceiling", define(1, 1, ([value]) => Math.ceil(toNumber(value!)))],
  ["round", define(1, 1, ([value]) => Math.round(toNumber(value!)))],
  // XSLT
  ["current", define(0, 0, (_args, { current }) => [current])],
  [
    "key",
    define(2, 2, ([name, value], { node }, { keyed }) => keys(toText(name!), value!, node.root, keyed)),
  ],
  ["generate-id", define(0, 1, (args, context) => idOf(nodeOf(args, context)))],
  [
    "format-number",
    define(2, 3, ([value, pattern, name], _context, { decimalFormat }) =>
      formatNumber(toNumber(value!), toText(pattern!), decimalFormat(name === undefined ? "" : toText(name))),
    ),
  ],
  ["system-property", define(1, 1, ([name]) => SYSTEM.get(toText(name!)) ?? "")],
  [
    "function-available",
    define(1, 1, ([name]) => FUNCTIONS.has(toText(name!)) || ["position", "last"].includes(toText(name!))),
  ],
  ["element-available", define(1, 1, ([name]) => toText(name!).startsWith("xsl:"))],
  ["unparsed-entity-uri", define(1, 1, () => "")],
  [
    "document",
    define(1, 2, (_args, _context, { failure }) => {
      throw failure("document() reads other documents, which is not allowed");
    }),
  ],
  // A fragment is a node set already.
  ["{urn:schemas-microsoft-com:xslt}node-set", define(1, 1, ([value]) => toNodes(value!))],
  ["{http://exslt.org/common}node-set", define(1, 1, ([value]) => toNodes(value!))],
]);

const SYSTEM: ReadonlyMap<string, XValue> = new Map<string, XValue>([
  ["xsl:version", 1],
  ["xsl:vendor", "Headgate"],
  ["xsl:vendor-url", ""],
]);

/** What is wrong with a call, or null: asked when the stylesheet is compiled. */
export function callMistake(name: string, count: number): string | null {
  if (name === "position" || name === "last") return count === 0 ? null : `${name}() takes no arguments`;
  const definition = FUNCTIONS.get(name);
  if (definition === undefined) return `there is no function ${name}()`;
  return count >= definition.min && count <= definition.max
    ? null
    : `${name}() does not take ${count} arguments`;
}

export function callFunction(
  name: string,
  args: readonly XValue[],
  context: XContext,
  around: Surroundings,
): XValue {
  return FUNCTIONS.get(name)!.call(args, context, around);
}

export function idOf(node: TreeNode | undefined): string {
  return node === undefined ? "" : `id${node.order}`;
}

function bounded(text: string): string {
  checkLength(text.length);
  return text;
}

function before(text: string, part: string): string {
  const at = text.indexOf(part);
  return at < 0 ? "" : text.slice(0, at);
}

function after(text: string, part: string): string {
  const at = text.indexOf(part);
  return at < 0 ? "" : text.slice(at + part.length);
}

/** Positions count from 1 and are rounded (§4.2). */
function substring(text: string, start: number, length: number): string {
  const from = Math.round(start);
  const to = length === Infinity ? Infinity : from + Math.round(length);
  if (Number.isNaN(from) || Number.isNaN(to)) return "";
  const begin = Math.max(0, from - 1);
  const end = to === Infinity ? undefined : Math.max(begin, to - 1);
  return /[\ud800-\udfff]/.test(text) ? [...text].slice(begin, end).join("") : text.slice(begin, end);
}

function translate(text: string, from: string, to: string): string {
  spendUnits(text.length);
  const targets = [...to];
  const map = new Map<string, string>();
  [...from].forEach((c, i) => {
    if (!map.has(c)) map.set(c, targets[i] ?? "");
  });
  let result = "";
  for (const c of text) result += map.get(c) ?? c;
  return result;
}

function speaks(node: TreeNode, language: string): boolean {
  for (let at: TreeNode | null = node; at !== null; at = at.parent) {
    const own = at.attribute("lang", XML_URI)?.toLowerCase();
    if (own !== undefined) return own === language || own.startsWith(`${language}-`);
  }
  return false;
}

function keys(name: string, value: XValue, root: TreeNode, keyed: Surroundings["keyed"]): TreeNode[] {
  if (!Array.isArray(value)) return [...keyed(name, toText(value), root)];
  const all = new Set(value.flatMap((node) => keyed(name, node.text, root)));
  return [...all].sort((a, b) => a.order - b.order);
}
