/** The result tree as text: `xml`, `html` or `text` (XSLT 1.0 §16). */
import { checkGrowth, spend } from "../../compiler/runtime/budget.ts";
import type { TreeNode } from "./tree.ts";

export interface OutputSettings {
  /** null: html when the root element is `html`, else xml. */
  readonly method: "xml" | "html" | "text" | null;
  readonly omitDeclaration: boolean;
  readonly standalone: string | null;
  readonly indent: boolean | null;
  readonly doctypePublic: string | null;
  readonly doctypeSystem: string | null;
  /** `{uri}local` */
  readonly cdataElements: ReadonlySet<string>;
}

export function write(root: TreeNode, settings: OutputSettings): string {
  const method = settings.method ?? (isHtml(root) ? "html" : "xml");
  if (method === "text") return root.text;
  const writer = new Writer(settings, method === "html");
  writer.document(root);
  return writer.text;
}

function isHtml(root: TreeNode): boolean {
  const first = root.children.find(
    ({ kind, value }) => kind === "element" || (kind === "text" && /\S/.test(value)),
  );
  return first?.kind === "element" && first.uri === "" && first.local.toLowerCase() === "html";
}

const VOID = new Set(
  "area base basefont br col frame hr img input isindex link meta param source track wbr".split(" "),
);
const RAW_TEXT = new Set(["script", "style"]);

class Writer {
  text = "";
  readonly #settings: OutputSettings;
  readonly #isHtml: boolean;

  constructor(settings: OutputSettings, isHtml: boolean) {
    this.#settings = settings;
    this.#isHtml = isHtml;
  }

  document(root: TreeNode): void {
    const { omitDeclaration, standalone } = this.#settings;
    if (!this.#isHtml && !omitDeclaration) {
      this.#add(
        `<?xml version="1.0" encoding="utf-8"${standalone === null ? "" : ` standalone="${standalone}"`}?>`,
      );
    }
    const element = root.children.find(({ kind }) => kind === "element");
    const indents = this.#settings.indent ?? this.#isHtml;
    for (const child of root.children) {
      if (child === element) this.#doctype(child.name);
      this.#node(child, indents && !this.#isHtml ? 0 : -1, NO_PREFIXES);
    }
  }

  #doctype(name: string): void {
    const { doctypePublic, doctypeSystem } = this.#settings;
    if (doctypeSystem === null && !(this.#isHtml && doctypePublic !== null)) return;
    const system = doctypeSystem === null ? "" : ` "${doctypeSystem}"`;
    this.#add(
      `<!DOCTYPE ${name}${doctypePublic === null ? ` SYSTEM${system}` : ` PUBLIC "${doctypePublic}"${system}`}>`,
    );
  }

  /** @param level indentation; -1 for none */
  #node(node: TreeNode, level: number, outer: ReadonlyMap<string, string>): void {
    spend();
    switch (node.kind) {
      case "element":
        return this.#element(node, level, outer);
      case "text":
        return this.#text(node);
      case "comment":
        this.#line(level);
        return this.#add(`<!--${node.value}-->`);
      case "instruction":
        this.#line(level);
        return this.#add(
          `<?${node.name}${node.value === "" ? "" : ` ${node.value}`}${this.#isHtml ? ">" : "?>"}`,
        );
      default:
    }
  }

  #line(level: number): void {
    if (level >= 0 && this.text !== "") this.#add(`\n${"  ".repeat(Math.min(level, 100))}`);
  }

  #element(element: TreeNode, level: number, outer: ReadonlyMap<string, string>): void {
    this.#line(level);
    this.#add(`<${element.name}`);
    const scope = new Map(outer);
    for (const [prefix, uri] of element.namespaces) {
      if (prefix === "xml" || (scope.get(prefix) ?? "") === uri) continue;
      scope.set(prefix, uri);
      this.#add(` xmlns${prefix === "" ? "" : `:${prefix}`}="${escapeAttribute(uri)}"`);
    }
    for (const { name, value } of element.attributes)
      this.#add(` ${name}="${this.#isHtml ? escapeHtmlAttribute(value) : escapeAttribute(value)}"`);
    const isHtmlElement = this.#isHtml && element.uri === "";
    if (element.children.length === 0) {
      if (!isHtmlElement) return this.#add(" />");
      return this.#add(VOID.has(element.local.toLowerCase()) ? ">" : `></${element.name}>`);
    }
    this.#add(">");
    const isMixed = element.children.some(({ kind }) => kind === "text");
    const inner = level >= 0 && !isMixed ? level + 1 : -1;
    for (const child of element.children) this.#node(child, inner, scope);
    if (inner >= 0) this.#line(level);
    this.#add(`</${element.name}>`);
  }

  #text(node: TreeNode): void {
    const { parent, value } = node;
    if (node.isRaw) return this.#add(value);
    if (this.#isHtml && parent?.uri === "" && RAW_TEXT.has(parent.local.toLowerCase()))
      return this.#add(value);
    if (parent !== null && this.#settings.cdataElements.has(`{${parent.uri}}${parent.local}`)) {
      return this.#add(`<![CDATA[${value.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`);
    }
    this.#add(escapeText(value));
  }

  #add(part: string): void {
    this.text += part;
    checkGrowth(this.text.length, part.length);
  }
}

const NO_PREFIXES: ReadonlyMap<string, string> = new Map();

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#x9;",
  "\n": "&#xA;",
  "\r": "&#xD;",
};

const escapeText = (text: string): string => text.replace(/[&<>\r]/g, (c) => ESCAPES[c]!);
const escapeAttribute = (text: string): string => text.replace(/[&<>"\t\n\r]/g, (c) => ESCAPES[c]!);
const escapeHtmlAttribute = (text: string): string => text.replace(/["]|&(?!\{)/g, (c) => ESCAPES[c]!);
