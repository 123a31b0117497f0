/**
 * Folds the documents of all scopes into what runs for a request, and into the text that people read.
 *
 * A document says for each section what runs before and after `<base />`; `base` stands for the same section of the
 * next broader scope. Folding is list concatenation, from broad to narrow, and is remembered: a thousand operations
 * without a document of their own share their API's plan. Spec: policies-document.md §1.1, §1.2.
 */
import type { SectionCode, SectionCodes } from "./document.ts";
import { SECTIONS } from "./policy.ts";
import type { Plan, Scope, Section, Step } from "./policy.ts";
import type { ParsedDocument } from "./xml/parser.ts";
import { attributeOf, childElements } from "./xml/tree.ts";
import type { XmlElement } from "./xml/tree.ts";

/** What folding needs of a compiled document. */
export interface FoldableDocument {
  readonly sections: SectionCodes;
}

export const emptyPlan: Plan = { inbound: null, backend: null, outbound: null, onError: null };

interface Fold {
  readonly inherited: Plan;
  readonly plan: Plan;
}

/** On top of how many plans a document's own are remembered: one, and one for each product with a policy. */
const mostFolds = 64;

export class Folder {
  readonly #folded = new WeakMap<FoldableDocument, Fold[]>();

  /**
   * `document` on top of what it inherits.
   *
   * @param missing what a section that is not written stands for; default: the inherited one
   */
  fold(document: FoldableDocument, inherited: Plan, missing: Plan = inherited): Plan {
    const known = this.#folded.get(document);
    const found = known?.find((fold) => fold.inherited === inherited);
    if (found !== undefined) return found.plan;
    const { sections } = document;
    const plan = {
      inbound: foldSection(sections.inbound, inherited.inbound, missing.inbound),
      backend: foldSection(sections.backend, inherited.backend, missing.backend),
      outbound: foldSection(sections.outbound, inherited.outbound, missing.outbound),
      onError: foldSection(sections["on-error"], inherited.onError, missing.onError),
    };
    if (known === undefined) this.#folded.set(document, [{ inherited, plan }]);
    else {
      // Plans that nobody inherits from any more go first.
      if (known.length >= mostFolds) known.shift();
      known.push({ inherited, plan });
    }
    return plan;
  }
}

type Steps = readonly Step[] | null;

function foldSection(code: SectionCode, inherited: Steps, missing: Steps): Steps {
  if (code.isMissing) return missing;
  const { before, after } = code;
  const base = code.inherits && inherited !== null ? inherited : [];
  if (before.length === 0 && after.length === 0) return base.length === 0 ? null : base;
  return [...before, ...base, ...after];
}

// ── The effective policy as text ────────────────────────────────────────────────────────────────────────────────────

/** A document of one scope, for the view. */
export interface ViewedDocument {
  readonly scope: Scope;
  /** `/`, `/products/p`, `/apis/a`, `/apis/a/operations/o`. */
  readonly scopeId: string;
  readonly file: string | null;
  readonly parsed: ParsedDocument;
}

export interface EffectiveView {
  /** A policy document with `base` and fragments in place; named values stay references. */
  readonly text: string;
  /** Where its lines come from, in order. */
  readonly origins: readonly ViewOrigin[];
}

export interface ViewOrigin {
  /** 1-based lines of the view, both inclusive. */
  readonly fromLine: number;
  readonly toLine: number;
  readonly section: Section;
  readonly scope: Scope;
  readonly scopeId: string;
  readonly file: string | null;
  /** Line in the document (or in the fragment, when there is one). */
  readonly line: number;
  readonly fragment: string | null;
}

/** A view longer than this is cut: fragments may grow exponentially. */
const longestView = 4 * 1024 * 1024;
const mostInclusions = 10_000;

/**
 * @param chain broad to narrow; scopes without a document left out
 * @param fragment the parsed fragment of an id, or null
 */
export function effectiveView(
  chain: readonly ViewedDocument[],
  fragment: (id: string) => ParsedDocument | null,
): EffectiveView {
  const view = new ViewWriter(fragment);
  view.line("<policies>");
  for (const section of SECTIONS) {
    view.line(`  <${section}>`);
    view.section(chain, chain.length - 1, section);
    view.line(`  </${section}>`);
  }
  view.line("</policies>");
  return view.result();
}

class ViewWriter {
  readonly #fragment: (id: string) => ParsedDocument | null;
  readonly #lines: string[] = [];
  readonly #origins: ViewOrigin[] = [];
  #length = 0;
  #lineCount = 0;
  #inclusions = 0;

  constructor(fragment: (id: string) => ParsedDocument | null) {
    this.#fragment = fragment;
  }

  line(text: string): void {
    this.#lines.push(text);
    this.#length += text.length + 1;
    this.#lineCount += countLines(text);
  }

  result(): EffectiveView {
    return { text: `${this.#lines.join("\n")}\n`, origins: this.#origins };
  }

  section(chain: readonly ViewedDocument[], index: number, section: Section): void {
    const document = chain[index];
    if (document === undefined) return;
    const root = document.parsed.root;
    const element = root === null ? undefined : childElements(root).find((child) => child.name === section);
    if (element === undefined) return this.section(chain, index - 1, section);
    for (const child of childElements(element)) {
      if (child.name === "base") this.section(chain, index - 1, section);
      else this.#policy(child, document.parsed, document, section, []);
    }
  }

  #policy(
    element: XmlElement,
    parsed: ParsedDocument,
    document: ViewedDocument,
    section: Section,
    fragments: readonly string[],
  ): void {
    if (this.#length > longestView) return;
    if (element.name === "include-fragment") {
      const included = this.#included(element, fragments);
      if (included !== null) {
        for (const child of childElements(included.root)) {
          this.#policy(child, included.parsed, document, section, [...fragments, included.id]);
        }
        return;
      }
    }
    const text = `    ${this.#textOf(element, parsed, fragments)}`;
    const { scope, scopeId, file } = document;
    const fromLine = this.#lineCount + 1;
    this.line(text);
    const { line } = parsed.source.positionAt(element.start);
    const fragment = fragments.at(-1) ?? null;
    this.#origins.push({
      fromLine,
      toLine: this.#lineCount,
      section,
      scope,
      scopeId,
      file: fragment === null ? file : null,
      line,
      fragment,
    });
  }

  /** The element as written, with the fragments inside it in place. */
  #textOf(element: XmlElement, parsed: ParsedDocument, fragments: readonly string[]): string {
    const { text } = parsed.source;
    if (this.#length > longestView || !containsInclusion(element))
      return text.slice(element.start, element.end);
    let result = "";
    let from = element.start;
    for (const child of childElements(element)) {
      result += text.slice(from, child.start);
      const included = child.name === "include-fragment" ? this.#included(child, fragments) : null;
      if (included === null) result += this.#textOf(child, parsed, fragments);
      else {
        const inner = [...fragments, included.id];
        result += childElements(included.root)
          .map((part) => this.#partOf(part, included.parsed, inner))
          .join("\n");
      }
      from = child.end;
      this.#length += result.length;
    }
    return result + text.slice(from, element.end);
  }

  #partOf(element: XmlElement, parsed: ParsedDocument, fragments: readonly string[]): string {
    const included = element.name === "include-fragment" ? this.#included(element, fragments) : null;
    if (included === null) return this.#textOf(element, parsed, fragments);
    const inner = [...fragments, included.id];
    return childElements(included.root)
      .map((part) => this.#partOf(part, included.parsed, inner))
      .join("\n");
  }

  /** Null: unknown, endless or too much; then the inclusion is shown as written. */
  #included(
    element: XmlElement,
    fragments: readonly string[],
  ): { id: string; parsed: ParsedDocument; root: XmlElement } | null {
    const id = attributeOf(element, "fragment-id")?.value.text.trim();
    if (id === undefined || fragments.includes(id) || fragments.length >= 50 || this.#length > longestView)
      return null;
    if (++this.#inclusions > mostInclusions) return null;
    const parsed = this.#fragment(id);
    return parsed === null || parsed.root === null ? null : { id, parsed, root: parsed.root };
  }
}

function containsInclusion(element: XmlElement): boolean {
  return childElements(element).some(
    (child) => child.name === "include-fragment" || containsInclusion(child),
  );
}

function countLines(text: string): number {
  let lines = 1;
  for (let i = text.indexOf("\n"); i !== -1; i = text.indexOf("\n", i + 1)) lines++;
  return lines;
}
