/**
 * Writes `docs/reference/`: a page for every policy, out of what `definePolicy` declares and an example that CI runs, and
 * one for every message. `generate-reference.test.ts` fails when a page is missing, stale or left over.
 *
 * Usage: `node scripts/generate-reference.ts`
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Case, parseCases } from "../conformance/case-file.ts";
import { loadCases, loadGaps, nameOf } from "../conformance/runner.ts";
import { messages } from "../src/compiler/diagnostics.ts";
import {
  type AttributeShape,
  type ChildShape,
  type ElementShape,
  type PolicyDefinition,
  SCOPES,
  type ValueShape,
} from "../src/compiler/policy.ts";
import { catalogue, otherMessages } from "../src/main.ts";

const ROOT = join(import.meta.dirname, "..");
export const REFERENCE = join(ROOT, "docs", "reference");
export const EXAMPLES = join(ROOT, "examples", "policies");

/** Every page by its path below `docs/reference`. */
export function referencePages(): Map<string, string> {
  const examples = loadExamples();
  const policies = [...catalogue].sort((a, b) => (a.element < b.element ? -1 : 1));
  const pages = new Map<string, string>();
  pages.set("README.md", indexPage(policies));
  pages.set("messages.md", messagesPage());
  for (const policy of policies)
    pages.set(`policies/${policy.element}.md`, policyPage(policy, examples.get(policy.element) ?? null));
  return pages;
}

// ── Examples ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Those of `examples/policies`, in file order. */
export function ownExamples(): Case[] {
  if (!existsSync(EXAMPLES)) return [];
  const files = readdirSync(EXAMPLES).filter((file) => file.endsWith(".txt"));
  return files.sort().flatMap((file) => parseCases(file, readFileSync(join(EXAMPLES, file), "utf8")));
}

/**
 * An example for each element: its own file's first case, else the shortest case of the conformance suite that shows
 * it at work. Both are run by CI.
 */
function loadExamples(): Map<string, Case> {
  const found = new Map<string, Case>();
  for (const one of ownExamples()) {
    const element = one.file.replace(/\.txt$/, "");
    if (!found.has(element)) found.set(element, one);
  }
  const gaps = loadGaps();
  const working = loadCases().filter(
    (one) => !gaps.has(nameOf(one)) && one.expected.some(({ name }) => name === "client saw"),
  );
  const shortest = working.sort((a, b) => sizeOf(a) - sizeOf(b));
  for (const { element } of catalogue) {
    if (found.has(element)) continue;
    const one = shortest.find((candidate) => mentions(candidate, element));
    if (one !== undefined) found.set(element, one);
  }
  return found;
}

export function mentions(one: Case, element: string): boolean {
  return one.given.some(({ text }) => new RegExp(`<${element}[\\s/>]`).test(text));
}

function sizeOf(one: Case): number {
  return [...one.given, ...one.expected].reduce((size, { text }) => size + text.length, 0);
}

// ── Pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function indexPage(policies: readonly PolicyDefinition[]): string {
  const rows = policies.map((policy) => [
    `[${policy.element}](policies/${policy.element}.md)`,
    policy.sections.join(", "),
    policy.summary,
  ]);
  return page([
    "# Reference",
    "Written by `node scripts/generate-reference.ts`; changes made here are lost.",
    "- [Every message](messages.md), as `headgate explain` says it",
    "## Policies",
    table(["policy", "sections", "what it does"], rows),
  ]);
}

function policyPage(policy: PolicyDefinition, example: Case | null): string {
  const { element, shape, scopes, once } = policy;
  return page([
    `# ${element}`,
    policy.summary,
    `**Sections:** ${policy.sections.join(", ")}. **Scopes:** ${scopes === undefined || scopes.length === SCOPES.length ? "all" : scopes.join(", ")}.` +
      (once === undefined ? "" : ` May stand only once in a ${once}.`),
    ...elementParts(shape, `<${element}>`, []),
    ...(example === null ? [] : ["## Example", ...exampleParts(example, element)]),
    "---",
    "[All policies](../README.md)",
  ]);
}

/** Attributes, content and children of an element, and of those inside it. */
function elementParts(shape: ElementShape, name: string, path: readonly string[]): string[] {
  const parts: string[] = [];
  const attributes = Object.entries(shape.attributes ?? {});
  if (attributes.length > 0) {
    if (path.length === 0) parts.push("## Attributes");
    parts.push(
      table(["attribute", "required", "type", "expressions", "default", ""], attributes.map(attributeRow)),
    );
  }
  if (shape.text !== undefined) parts.push(...contentParts(shape.text, path.length === 0));
  if (shape.policies !== undefined) {
    const inside =
      shape.policies === "section"
        ? "Policies: any that may stand in the section."
        : `Policies, which act on the message of ${code(name)}: ${shape.policies.map(code).join(", ")}.`;
    parts.push(path.length === 0 ? "## Policies inside" : "", inside);
  }
  const children = Object.entries(shape.children ?? {});
  if (children.length > 0 && path.length === 0) parts.push("## Elements inside");
  for (const [child, childShape] of children) parts.push(...childParts(child, childShape, path));
  return parts.filter((part) => part !== "");
}

function childParts(name: string, shape: ChildShape, path: readonly string[]): string[] {
  const whole = [...path, name];
  return [
    `### ${whole.map((one) => code(`<${one}>`)).join(" / ")}`,
    `${countOf(shape)}${shape.doc === undefined ? "" : ` ${shape.doc}`}`,
    ...elementParts(shape, `<${name}>`, whole),
  ];
}

function countOf({ min = 0, max }: ChildShape): string {
  if (min === 1 && max === 1) return "Exactly once.";
  if (max === 1) return "At most once.";
  if (max === undefined) return min === 0 ? "Any number." : min === 1 ? "At least one." : `At least ${min}.`;
  return `${min} to ${max}.`;
}

function attributeRow([name, shape]: [string, AttributeShape]): string[] {
  const fallback =
    shape.default === undefined ? "" : code(shape.default === "" ? '""' : String(shape.default));
  return [
    code(name),
    shape.required === true ? "yes" : "",
    typeOf(shape),
    shape.expression === true ? "yes" : "",
    fallback,
    shape.doc ?? "",
  ];
}

function typeOf(shape: ValueShape): string {
  if (shape.oneOf !== undefined) return shape.oneOf.map(code).join(", ");
  const { min, max } = shape;
  const bounds =
    min !== undefined && max !== undefined
      ? ` ${min} to ${max}`
      : min !== undefined
        ? ` ≥ ${min}`
        : max !== undefined
          ? ` ≤ ${max}`
          : "";
  const reference =
    shape.references === undefined ? "" : ` (name of a ${shape.references.replaceAll("-", " ")})`;
  return `${TYPES[shape.type]}${bounds}${shape.format === undefined ? "" : `, ${shape.format.expected}`}${reference}`;
}

const TYPES: Readonly<Record<ValueShape["type"], string>> = {
  string: "text",
  "nullable-string": "text or null",
  bool: "`true`, `false`",
  int: "whole number",
  number: "number",
  body: "text or bytes",
  any: "any value",
};

function contentParts(text: NonNullable<ElementShape["text"]>, isTop: boolean): string[] {
  const facts = [
    typeOf(text),
    text.required === true ? "required" : "may be left out",
    text.expression === true ? "may be an expression" : "no expression",
  ];
  const sentence = `${text.doc === undefined ? "" : `${text.doc} `}(${facts.join("; ")})`;
  return isTop ? ["## Content", sentence] : [`Content: ${sentence}`];
}

/** Blocks that make the scene rather than the point. */
const SCENERY = new Set(["settings", "resources"]);

function exampleParts({ title, given, expected, file }: Case, element: string): string[] {
  const isOwn = file === `${element}.txt`;
  const where = isOwn
    ? `[examples/policies/${file}](../../../examples/policies/${file})`
    : `[conformance/cases/${file}](../../../conformance/cases/${file})`;
  const parts = [`${title.replace(/[.:]?$/, "")}. CI runs it: ${where}.`];
  for (const block of given) {
    if (SCENERY.has(block.name)) continue;
    parts.push(
      `${labelOf(block.name)}:`,
      fence(block.text.trimStart().startsWith("<") ? "xml" : "http", shown(block.text)),
    );
  }
  for (const block of expected) parts.push(`${labelOf(block.name)}:`, fence("http", shown(block.text)));
  return parts;
}

/** Addresses that only a run knows, as a reader would write them. */
function shown(text: string): string {
  return text
    .replaceAll("{upstream}", "https://backend.example")
    .replaceAll("{upstream-host}", "backend.example")
    .replaceAll("{nobody}", "https://nobody.example")
    .replaceAll("{any}", "…")
    .replaceAll("{guid}", "…");
}

function labelOf(name: string): string {
  const known: Readonly<Record<string, string>> = {
    request: "The caller sends",
    upstream: "The backend answers",
    "upstream saw": "The backend sees",
    "client saw": "The caller gets",
    logged: "The log gets",
  };
  return known[name] ?? name.replace(/^./, (first) => first.toUpperCase());
}

function messagesPage(): string {
  const entries: [string, string][] = Object.entries(messages).map(
    ([key, { severity, text, hint, explain }]) => [
      key,
      [
        `**${severity}:** ${text}`,
        ...(hint === undefined ? [] : [`Hint: ${hint}`]),
        explain.cause,
        `Expected: ${explain.expected}`,
        `To mend it: ${explain.mend}`,
        fence("xml", explain.example),
      ].join("\n\n"),
    ],
  );
  for (const [key, { text, explain }] of otherMessages) entries.push([key, `${text}\n\n${explain}`]);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return page([
    "# Messages",
    "Every message that the gateway has for its configuration; `headgate explain CODE` prints the same. Codes are never used twice.",
    ...entries.map(([key, text]) => `## ${key}\n\n${text}`),
    "---",
    "[Reference](README.md)",
  ]);
}

// ── Markdown ──────────────────────────────────────────────────────────────────────────────────────────────────────

function page(parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

function code(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** A fence longer than any in the text. */
function fence(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}${language}\n${text.trimEnd()}\n${ticks}`;
}

/** Files below `docs/reference`, as they are. */
export function writtenPages(): Map<string, string> {
  const found = new Map<string, string>();
  if (!existsSync(REFERENCE)) return found;
  for (const entry of readdirSync(REFERENCE, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(path.slice(REFERENCE.length + 1).replaceAll("\\", "/"), readFileSync(path, "utf8"));
  }
  return found;
}

if (process.argv[1] !== undefined && import.meta.filename === resolve(process.argv[1])) {
  const pages = referencePages();
  for (const path of writtenPages().keys()) if (!pages.has(path)) rmSync(join(REFERENCE, path));
  for (const [path, text] of pages) {
    mkdirSync(dirname(join(REFERENCE, path)), { recursive: true });
    writeFileSync(join(REFERENCE, path), text);
  }
  console.log(`${pages.size} pages in docs/reference`);
}
