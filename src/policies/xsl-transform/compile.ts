/** XSLT 1.0 → a program: the top level of a stylesheet. What stands in templates is `instructions.ts`. */
import { XmlMistake } from "../../base/xml-events.ts";
import { beginEvaluation } from "../../compiler/runtime/budget.ts";
import { BODY_LIMITS } from "../../gateway/body-limits.ts";
import { DEFAULT_FORMAT, type DecimalFormat } from "./format.ts";
import {
  type Compiling,
  StylesheetMistake,
  XSL_URI,
  instructionsOf,
  parsed,
  patternOf,
  valueOf,
} from "./instructions.ts";
import type { OutputSettings } from "./output.ts";
import type { GlobalVariable, Instruction, KeyRule, Program, Template } from "./transform.ts";
import { Order, TreeNode, XML_URI, parseTree } from "./tree.ts";

export { StylesheetMistake };

export interface Stylesheet extends Program {
  readonly output: OutputSettings;
  /** Whether white space alone stays in an element of the source. */
  readonly keepsSpace: (element: TreeNode) => boolean;
}

/** @throws StylesheetMistake */
export function compileStylesheet(text: string): Stylesheet {
  // The tree is made by what reads bodies, which pays for each node.
  beginEvaluation(BODY_LIMITS);
  let root: TreeNode | undefined;
  try {
    root = parseTree(text, new Order(), keepsStylesheetSpace).children.find(({ kind }) => kind === "element");
  } catch (error) {
    if (error instanceof XmlMistake)
      throw new StylesheetMistake(`${error.message} Line ${error.line} of the stylesheet.`);
    throw error;
  }
  if (
    root === undefined ||
    root.uri !== XSL_URI ||
    (root.local !== "stylesheet" && root.local !== "transform")
  ) {
    throw new StylesheetMistake("the root is not xsl:stylesheet");
  }
  if (root.attribute("version") === null) throw new StylesheetMistake("xsl:stylesheet has no version");
  return new TopLevel(root).stylesheet();
}

function keepsStylesheetSpace(element: TreeNode): boolean {
  if (element.uri === XSL_URI && element.local === "text") return true;
  for (let at: TreeNode | null = element; at !== null; at = at.parent) {
    const space = at.attribute("space", XML_URI);
    if (space !== null) return space === "preserve";
  }
  return false;
}

interface SpaceRule {
  readonly uri: string | null;
  readonly local: string | null;
  readonly strips: boolean;
}

class TopLevel {
  readonly #root: TreeNode;
  readonly #compiling: Compiling;
  readonly #templates: { template: Template; priority: number; order: number }[] = [];
  readonly #named = new Map<string, Template>();
  readonly #globals = new Map<string, GlobalVariable>();
  readonly #keys = new Map<string, KeyRule[]>();
  readonly #formats = new Map<string, DecimalFormat>();
  readonly #attributeSets = new Map<string, Instruction[]>();
  readonly #spaces: SpaceRule[] = [];
  #output: OutputSettings = {
    method: null,
    omitDeclaration: false,
    standalone: null,
    indent: null,
    doctypePublic: null,
    doctypeSystem: null,
    cdataElements: new Set(),
  };

  constructor(root: TreeNode) {
    this.#root = root;
    this.#compiling = { aliases: new Map() };
  }

  stylesheet(): Stylesheet {
    const children = this.#root.children.filter(({ kind, uri }) => kind === "element" && uri === XSL_URI);
    for (const child of children) if (child.local === "namespace-alias") this.#alias(child);
    for (const child of children) this.#topLevel(child);
    const spaces = this.#spaces;
    return {
      templates: this.#byMode(),
      named: this.#named,
      globals: this.#globals,
      keys: this.#keys,
      formats: this.#formats,
      attributeSets: this.#attributeSets,
      output: this.#output,
      keepsSpace: spaces.some(({ strips }) => strips)
        ? (element) => !isStripped(element, spaces)
        : () => true,
    };
  }

  #byMode(): Map<string, Template[]> {
    const modes = new Map<string, Template[]>();
    // Of two that match equally well, the later one counts.
    for (const { template } of this.#templates.sort((a, b) => b.priority - a.priority || b.order - a.order)) {
      const known = modes.get(template.mode);
      if (known === undefined) modes.set(template.mode, [template]);
      else known.push(template);
    }
    return modes;
  }

  #topLevel(element: TreeNode): void {
    switch (element.local) {
      case "template":
        return this.#template(element);
      case "variable":
      case "param":
        this.#globals.set(required(element, "name"), {
          isParameter: element.local === "param",
          value: valueOf(element, this.#compiling),
        });
        return;
      case "output":
        return this.#setOutput(element);
      case "key": {
        const name = required(element, "name");
        const rule = {
          patterns: patternOf(required(element, "match"), element),
          use: parsed(required(element, "use"), element),
        };
        this.#keys.set(name, [...(this.#keys.get(name) ?? []), rule]);
        return;
      }
      case "strip-space":
      case "preserve-space":
        return this.#space(element);
      case "decimal-format":
        return this.#format(element);
      case "attribute-set": {
        const name = required(element, "name");
        this.#attributeSets.set(name, [
          ...(this.#attributeSets.get(name) ?? []),
          instructionsOf(element, this.#compiling),
        ]);
        return;
      }
      case "namespace-alias":
        return;
      case "import":
      case "include":
        throw new StylesheetMistake(`xsl:${element.local} reads other documents, which is not allowed`);
      default:
        throw new StylesheetMistake(`xsl:${element.local} may not stand at the top of a stylesheet`);
    }
  }

  #template(element: TreeNode): void {
    const match = element.attribute("match");
    const name = element.attribute("name");
    if (match === null && name === null)
      throw new StylesheetMistake("xsl:template has neither match nor name");
    const mode = element.attribute("mode") ?? "";
    const body = instructionsOf(element, this.#compiling);
    if (name !== null) {
      if (this.#named.has(name)) throw new StylesheetMistake(`two templates are called "${name}"`);
      this.#named.set(name, { name, mode, pattern: null, body });
    }
    if (match === null) return;
    const given = element.attribute("priority");
    for (const pattern of patternOf(match, element)) {
      const priority = given === null ? pattern.priority : Number(given);
      if (Number.isNaN(priority)) throw new StylesheetMistake(`"${given}" is no priority`);
      this.#templates.push({
        template: { name, mode, pattern, body },
        priority,
        order: this.#templates.length,
      });
    }
  }

  #setOutput(element: TreeNode): void {
    const yes = (name: string): boolean | null =>
      element.attribute(name) === null ? null : element.attribute(name) === "yes";
    const method = element.attribute("method");
    if (method !== null && method !== "xml" && method !== "html" && method !== "text")
      throw new StylesheetMistake(`there is no output method "${method}"`);
    const before = this.#output;
    const cdata = (element.attribute("cdata-section-elements") ?? "")
      .split(/\s+/)
      .filter((name) => name !== "");
    this.#output = {
      method: method ?? before.method,
      omitDeclaration: yes("omit-xml-declaration") ?? before.omitDeclaration,
      standalone: element.attribute("standalone") ?? before.standalone,
      indent: yes("indent") ?? before.indent,
      doctypePublic: element.attribute("doctype-public") ?? before.doctypePublic,
      doctypeSystem: element.attribute("doctype-system") ?? before.doctypeSystem,
      cdataElements: new Set([...before.cdataElements, ...cdata.map((name) => expanded(name, element))]),
    };
  }

  #space(element: TreeNode): void {
    for (const name of required(element, "elements").split(/\s+/)) {
      if (name === "") continue;
      const strips = element.local === "strip-space";
      const [prefix, local = ""] = name.includes(":") ? name.split(":", 2) : [null, name];
      const uri = name === "*" ? null : prefix == null ? "" : (element.namespaces.get(prefix) ?? "");
      this.#spaces.push({ uri, local: local === "*" ? null : local, strips });
    }
  }

  #format(element: TreeNode): void {
    const one = (name: string, otherwise: string): string => element.attribute(name) ?? otherwise;
    const d = DEFAULT_FORMAT;
    this.#formats.set(element.attribute("name") ?? "", {
      decimal: one("decimal-separator", d.decimal),
      grouping: one("grouping-separator", d.grouping),
      infinity: one("infinity", d.infinity),
      minus: one("minus-sign", d.minus),
      nan: one("NaN", d.nan),
      percent: one("percent", d.percent),
      perMille: one("per-mille", d.perMille),
      zero: one("zero-digit", d.zero),
      digit: one("digit", d.digit),
      separator: one("pattern-separator", d.separator),
    });
  }

  #alias(element: TreeNode): void {
    const uri = (name: string): string => {
      const prefix = required(element, name);
      return element.namespaces.get(prefix === "#default" ? "" : prefix) ?? "";
    };
    const result = required(element, "result-prefix");
    this.#compiling.aliases.set(uri("stylesheet-prefix"), {
      uri: uri("result-prefix"),
      prefix: result === "#default" ? "" : result,
    });
  }
}

function isStripped(element: TreeNode, rules: readonly SpaceRule[]): boolean {
  let best = -1;
  let strips = false;
  for (const rule of rules) {
    const fits =
      (rule.local === null || rule.local === element.local) &&
      (rule.uri === null || rule.uri === element.uri);
    const exactness = rule.local !== null ? 2 : rule.uri !== null ? 1 : 0;
    if (fits && exactness >= best) [best, strips] = [exactness, rule.strips];
  }
  return strips && keepsNothing(element);
}

/** `xml:space="preserve"` is stronger than the stylesheet. */
function keepsNothing(element: TreeNode): boolean {
  for (let at: TreeNode | null = element; at !== null; at = at.parent) {
    const space = at.attribute("space", XML_URI);
    if (space !== null) return space !== "preserve";
  }
  return true;
}

function required(element: TreeNode, name: string): string {
  const value = element.attribute(name);
  if (value === null) throw new StylesheetMistake(`xsl:${element.local} has no ${name}`);
  return value;
}

function expanded(name: string, element: TreeNode): string {
  const at = name.indexOf(":");
  const uri = element.namespaces.get(at < 0 ? "" : name.slice(0, at)) ?? "";
  return `{${uri}}${name.slice(at + 1)}`;
}
