/** The frame of a document: root, sections, `base`. What stands inside the sections is `bind.ts`. */
import { Counts } from "./bind.ts";
import type { Binder } from "./bind.ts";
import type { Catalogue } from "./catalogue.ts";
import { checkAttributes, checkNoText } from "./check.ts";
import type { DiagnosticList } from "./diagnostics.ts";
import { SECTIONS } from "./policy.ts";
import type { Section, Step } from "./policy.ts";
import { suggest } from "../base/suggest.ts";
import { warnAboutUnreachable } from "./warnings.ts";
import type { ParsedDocument } from "./xml/parser.ts";
import { childElements } from "./xml/tree.ts";
import type { XmlElement } from "./xml/tree.ts";

/** One section of one document: what it runs before and after what it inherits. */
export interface SectionCode {
  readonly before: readonly Step[];
  /** `<base />` stands between the two lists. */
  readonly inherits: boolean;
  readonly after: readonly Step[];
  /** The section was not written; policies-document.md §1: it inherits. */
  readonly isMissing: boolean;
}

export type SectionCodes = Readonly<Record<Section, SectionCode>>;

const missing: SectionCode = { before: [], inherits: true, after: [], isMissing: true };

/** Binds a policy document (root `policies`). */
export function bindPolicies(
  parsed: ParsedDocument,
  binder: Binder,
  catalogue: Catalogue,
  list: DiagnosticList,
): SectionCodes {
  const codes: Record<Section, SectionCode> = {
    inbound: missing,
    backend: missing,
    outbound: missing,
    "on-error": missing,
  };
  const { root, extraRoots } = parsed;
  if (root === null) return codes;
  if (root.name !== "policies") {
    sayWrongRoot(root, "policies", list);
    return bindWithoutRoot([root, ...extraRoots], codes, binder, catalogue, list);
  }
  for (const extra of extraRoots)
    list.report("HG1026", extra.start, extra.nameEnd, { element: extra.name }, { element: extra.name });
  checkAttributes(root, {}, false, list);
  checkNoText(root, SECTIONS, list, binder.isLoose);
  bindSections(childElements(root), codes, binder, catalogue, list);
  if (root.closed && !parsed.stopped) sayMissing(root, list);
  return codes;
}

/** Binds a policy fragment (root `fragment`) on its own. */
export function bindFragment(
  parsed: ParsedDocument,
  id: string | null,
  binder: Binder,
  list: DiagnosticList,
): void {
  const { root, extraRoots } = parsed;
  if (root === null) return;
  if (root.name !== "fragment") {
    sayWrongRoot(root, "fragment", list);
    return;
  }
  for (const extra of extraRoots)
    list.report("HG1026", extra.start, extra.nameEnd, { element: extra.name }, { element: extra.name });
  checkAttributes(root, {}, false, list);
  const sections = childElements(root).filter((child) => isSection(child.name));
  for (const section of sections) {
    list.report(
      "HG2129",
      section.start,
      section.nameEnd,
      { section: section.name },
      { element: section.name },
    );
  }
  if (sections.length > 0) {
    for (const section of sections)
      binder.bindSection(section.children, null, list, new Counts(), !section.closed);
  } else binder.bindFragment(root, id, list);
}

export function isSection(name: string): name is Section {
  return (SECTIONS as readonly string[]).includes(name);
}

function sayWrongRoot(root: XmlElement, expected: "policies" | "fragment", list: DiagnosticList): void {
  const likely = list.suggest(root.name, [expected]);
  const hint =
    root.name === "fragment"
      ? "this is a policy fragment; include it with <include-fragment>"
      : root.name === "policies"
        ? "put the policies directly into <fragment>, without sections"
        : likely === null
          ? undefined
          : `did you mean \`${likely}\`?`;
  list.report(
    "HG2125",
    root.start,
    root.nameEnd,
    { expected, element: root.name },
    { hint, element: root.name },
  );
}

/** The root is wrong, and said to be; what stands inside is checked all the same. */
function bindWithoutRoot(
  roots: readonly XmlElement[],
  codes: Record<Section, SectionCode>,
  binder: Binder,
  catalogue: Catalogue,
  list: DiagnosticList,
): SectionCodes {
  const inner = roots.flatMap((root) => (isSection(root.name) ? [root] : childElements(root)));
  if (inner.some((element) => isSection(element.name))) bindSections(inner, codes, binder, catalogue, list);
  else {
    const policies = roots.filter(
      (root) => catalogue.find(root.name) !== undefined || catalogue.isNotBuilt(root.name),
    );
    const nodes = policies.length > 0 ? policies : roots.flatMap((root) => root.children);
    binder.bindSection(
      nodes.filter((node) => node.kind !== "element" || node.name !== "base"),
      null,
      list,
      new Counts(),
      true,
    );
  }
  return codes;
}

function bindSections(
  elements: readonly XmlElement[],
  codes: Record<Section, SectionCode>,
  binder: Binder,
  catalogue: Catalogue,
  list: DiagnosticList,
): void {
  const seen = new Map<Section, XmlElement>();
  for (const element of elements) {
    const { name } = element;
    if (!isSection(name)) {
      sayNoSection(element, catalogue, list);
      continue;
    }
    const first = seen.get(name);
    const code = bindSection(element, name, binder, list);
    if (first === undefined) {
      seen.set(name, element);
      codes[name] = code;
    } else {
      const { line } = list.source.positionAt(first.start);
      list.report("HG2127", element.start, element.nameEnd, { section: name, line }, { element: name });
    }
  }
}

function sayNoSection(element: XmlElement, catalogue: Catalogue, list: DiagnosticList): void {
  const { name } = element;
  const isPolicy = name === "base" || name === "include-fragment" || catalogue.find(name) !== undefined;
  if (isPolicy || catalogue.isNotBuilt(name)) {
    list.report("HG2126", element.start, element.nameEnd, { element: name }, { element: name });
    return;
  }
  const likely = list.suggest(name, SECTIONS);
  const hint = likely === null ? undefined : `did you mean \`${likely}\`?`;
  list.report("HG2128", element.start, element.nameEnd, { element: name }, { hint, element: name });
}

function bindSection(
  element: XmlElement,
  section: Section,
  binder: Binder,
  list: DiagnosticList,
): SectionCode {
  checkAttributes(element, {}, false, list);
  checkNoText(element, ["a policy"], list, binder.isLoose);
  const counts = new Counts();
  const nodes = element.children;
  const at = nodes.findIndex((node) => node.kind === "element" && node.name === "base");
  const isBase = (node: (typeof nodes)[number]): boolean => node.kind === "element" && node.name === "base";
  const before = binder.bindSection(
    at === -1 ? nodes : nodes.slice(0, at),
    section,
    list,
    counts,
    !element.closed,
  );
  const rest = at === -1 ? [] : nodes.slice(at + 1);
  const after = binder.bindSection(
    rest.filter((node) => !isBase(node)),
    section,
    list,
    counts,
    !element.closed,
  );
  const bases = childElements(element).filter(isBase);
  for (const base of bases) checkBase(base, list);
  for (const surplus of bases.slice(1)) {
    list.report("HG2123", surplus.start, surplus.nameEnd, { section }, { element: "base" });
  }
  warnAboutUnreachable(nodes, list);
  if (section === "backend") warnAboutBackend(element, list);
  return { before: exact(before), inherits: at !== -1, after: exact(after), isMissing: false };
}

const NO_STEPS: readonly Step[] = [];

/** As long as its content: most sections hold a step or two, and a list grown by `push` has room for more. */
function exact(steps: readonly Step[]): readonly Step[] {
  return steps.length === 0 ? NO_STEPS : steps.slice();
}

function checkBase(base: XmlElement, list: DiagnosticList): void {
  if (!base.closed) return; // that has been said
  checkAttributes(base, {}, true, list);
  checkNoText(base, [], list);
  const child = childElements(base)[0];
  if (child !== undefined)
    list.report("HG2114", child.start, child.nameEnd, { element: "base" }, { element: "base" });
}

function warnAboutBackend(element: XmlElement, list: DiagnosticList): void {
  const second = childElements(element)[1];
  if (second !== undefined) list.report("HG6002", second.start, second.nameEnd, {}, { element: second.name });
}

function sayMissing(root: XmlElement, list: DiagnosticList): void {
  const names = childElements(root).map((child) => child.name);
  for (const section of SECTIONS) {
    if (names.includes(section)) continue;
    // A section that is there under a misspelt name has been reported under that name.
    if (names.some((name) => !isSection(name) && suggest(name, [section]) !== null)) continue;
    list.report("HG6001", root.start, root.nameEnd, { section }, { element: "policies" });
  }
}
