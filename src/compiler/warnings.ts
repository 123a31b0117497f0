/** Things that are allowed and most likely not meant. */
import type { DiagnosticList } from "./diagnostics.ts";
import { hasReference } from "./named-values.ts";
import type { ElementArgs, Section, Value } from "./policy.ts";
import type { MappedText } from "./source.ts";
import { attributeOf, childElements } from "./xml/tree.ts";
import type { XmlElement, XmlNode } from "./xml/tree.ts";

/** Conditions of `choose` that never change, and branches that can never run. */
export function warnAboutBranches(choose: XmlElement, args: ElementArgs, list: DiagnosticList): void {
  const elements = childElements(choose);
  const whens = elements.filter((element) => element.name === "when");
  const values = args.children["when"] ?? [];
  const conditions = whens.map((when, i) => constantCondition(values[i]?.attributes["condition"], when));
  let always: XmlElement | null = null;
  for (const [i, when] of whens.entries()) {
    const said = always !== null;
    if (always !== null) sayUnreachable(when, always, list);
    const condition = conditions[i];
    if (condition === false && !said) {
      const range = conditionRange(when);
      list.report(
        "HG6010",
        ...range,
        { value: "false", consequence: "this branch never runs" },
        { element: "when" },
      );
    }
    if (condition === true) always ??= when;
  }
  const otherwise = elements.find((element) => element.name === "otherwise");
  if (otherwise !== undefined && always !== null) sayUnreachable(otherwise, always, list);
}

/**
 * The value of a condition that never changes. One that a named value decides is a setting, made on purpose, and so
 * counts as open.
 */
function constantCondition(value: unknown, element: XmlElement): boolean | undefined {
  if (hasReference(attributeOf(element, "condition")?.value.text ?? "")) return undefined;
  if (typeof value === "boolean") return value;
  if (typeof value !== "function") return undefined;
  const { isConstant, constant } = value as Value<unknown>;
  return isConstant && typeof constant === "boolean" ? constant : undefined;
}

/** A `retry` whose condition never changes. */
export function warnAboutRetry(retry: XmlElement, args: ElementArgs, list: DiagnosticList): void {
  const condition = constantCondition(args.attributes["condition"], retry);
  if (condition === undefined) return;
  const consequence = condition ? "good answers are tried again as well" : "nothing is ever tried again";
  list.report(
    "HG6010",
    ...conditionRange(retry),
    { value: String(condition), consequence },
    { element: "retry" },
  );
}

function sayUnreachable(element: XmlElement, always: XmlElement, list: DiagnosticList): void {
  const { line } = list.source.positionAt(always.start);
  list.report(
    "HG6004",
    element.start,
    element.nameEnd,
    { element: `<${element.name}>`, line },
    { element: element.name },
  );
}

function conditionRange(element: XmlElement): [number, number] {
  const condition = attributeOf(element, "condition");
  return condition === undefined
    ? [element.start, element.nameEnd]
    : [condition.value.start, condition.value.end];
}

const endings = new Set(["return-response", "mock-response"]);

/** What stands behind a policy that always ends the request. */
export function warnAboutUnreachable(nodes: readonly XmlNode[], list: DiagnosticList): void {
  let ending: XmlElement | null = null;
  for (const node of nodes) {
    if (node.kind !== "element") continue;
    if (ending !== null && node.name !== "otherwise" && node.name !== "when") {
      const { line } = list.source.positionAt(ending.start);
      const values = { element: node.name, before: ending.name, line };
      list.report("HG6007", node.start, node.nameEnd, values, { element: node.name });
      return;
    }
    if (endings.has(node.name)) ending ??= node;
  }
}

/** Allowed in this section, but without effect there. */
const effectless: Readonly<Record<string, Partial<Record<Section, { why: string; section: Section }>>>> = {
  "set-status": {
    inbound: { why: "the backend's response replaces the status", section: "outbound" },
  },
  "set-method": {
    "on-error": { why: "no request is sent any more", section: "inbound" },
  },
};

export function warnAboutEffect(node: XmlElement, section: Section, list: DiagnosticList): void {
  const found = Object.hasOwn(effectless, node.name) ? effectless[node.name]![section] : undefined;
  if (found === undefined) return;
  const values = { element: node.name, why: found.why, section: found.section };
  list.report("HG6011", node.start, node.nameEnd, values, { element: node.name });
}

export interface SeenExpression {
  readonly code: MappedText;
  readonly section: Section | null;
  readonly list: DiagnosticList;
}

const stringOrComment = /"(?:[^"\\\r\n]|\\.)*"|\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\r\n]*/g;

/** The code with comments blanked, places kept: what they mention counts for nothing. */
function withoutComments(code: string): string {
  if (!code.includes("//") && !code.includes("/*")) return code;
  return code.replace(stringOrComment, (found) => (found.startsWith('"') ? found : " ".repeat(found.length)));
}

const variableRead = /\bcontext\s*\.\s*Variables\s*\[\s*"([^"\\]{1,200})"\s*\]/g;
const variableTest =
  /\bcontext\s*\.\s*Variables\s*\.\s*(?:ContainsKey|TryGetValue)\s*\(\s*"([^"\\]{1,200})"/g;

/**
 * Variables that are read with the indexer and set nowhere.
 *
 * @param set names that policies of this document set; null in it: some name is computed, so nothing can be said
 * @param elsewhere names that documents around this one may have set; null: unknown, so only likely misspellings count
 */
export function warnAboutVariables(
  expressions: readonly SeenExpression[],
  set: ReadonlySet<string | null>,
  elsewhere: ReadonlySet<string> | null,
): void {
  if (set.has(null)) return;
  const names = [...set].filter((name) => name !== null);
  const tested = new Set<string>();
  for (const { code } of expressions)
    for (const match of withoutComments(code.text).matchAll(variableTest)) tested.add(match[1]!);
  const said = new Set<string>();
  for (const { code, list } of expressions) {
    for (const match of withoutComments(code.text).matchAll(variableRead)) {
      const name = match[1]!;
      if (code.hasSecret) continue; // its text is not to be shown
      if (set.has(name) || tested.has(name) || said.has(name) || elsewhere?.has(name) === true) continue;
      const likely = list.suggest(name, names);
      if (elsewhere === null && likely === null) continue;
      said.add(name);
      const start = match.index + match[0].indexOf('"');
      const hint = likely === null ? undefined : `did you mean \`${likely}\`?`;
      list.report("HG6005", code.startOf(start), code.endOf(start + name.length + 2), { name }, { hint });
    }
  }
}

/** A string without `$` that holds `{context.…}`. */
const plainHole = /(?<![$@"\\])"(?:[^"\\\r\n{]|\\.)*(\{context\.[^{}"\r\n]*\})/g;

/** Braces with code in a string that is not interpolated: they are sent as they stand. */
export function warnAboutHoles(expressions: readonly SeenExpression[]): void {
  for (const { code, list } of expressions) {
    if (!code.text.includes("{context.")) continue;
    for (const match of code.text.matchAll(plainHole)) {
      const end = match.index + match[0].length;
      list.report("HG6013", code.startOf(end - match[1]!.length), code.endOf(end));
    }
  }
}

const responseBody = /\bcontext\s*\.\s*Response\s*\.\s*Body\b/;

/** Reading the response body holds back answers that stream. */
export function warnAboutStreaming(
  expressions: readonly SeenExpression[],
  elements: ReadonlySet<string>,
): void {
  const streams = [...elements].some((name) => name.startsWith("llm-") || name.startsWith("azure-openai-"));
  if (!streams) return;
  for (const { code, section, list } of expressions) {
    if (section !== "outbound") continue;
    const at = withoutComments(code.text).search(responseBody);
    if (at !== -1) list.report("HG6006", code.startOf(at), code.endOf(at + "context.Response.Body".length));
  }
}
