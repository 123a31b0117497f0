/**
 * From elements to steps: finds each policy's definition, checks that it may stand where it stands, binds its values
 * and lets it prepare its code. Fragments are inlined on the way.
 *
 * One `Binder` works on one document. It never stops at a mistake; an element with one becomes no step, its neighbours
 * and what stands inside it are checked all the same.
 */
import { checkAttributes, checkChildCounts, checkNoText, checkText } from "./check.ts";
import type { Catalogue } from "./catalogue.ts";
import { contentOf, loneValueOf, rangeOf } from "./content.ts";
import type { DiagnosticList } from "./diagnostics.ts";
import { constantValue } from "./expression.ts";
import { OncePolicies } from "./once.ts";
import type { Branches } from "./once.ts";
import type {
  AttributeShape,
  ElementArgs,
  ElementShape,
  Needs,
  PolicyDefinition,
  ReportMistake,
  Scope,
  Section,
  Site,
  Step,
  Value,
} from "./policy.ts";
import { substituteNamedValues } from "./named-values.ts";
import { MappedText } from "./source.ts";
import { bindValue, isPlaceholder, unusable } from "./values.ts";
import type { ValueWorld } from "./values.ts";
import { warnAboutBranches, warnAboutEffect, warnAboutRetry, warnAboutUnreachable } from "./warnings.ts";
import { attributeOf, childElements, textOf, walkElements } from "./xml/tree.ts";
import type { XmlElement, XmlNode } from "./xml/tree.ts";

/** Fragments inside fragments; policies-document.md §4. */
export const deepestFragments = 50;
/** Elements that one document may have with all its fragments in place. */
export const mostPolicies = 10_000;

/** Everything around the document. */
export interface World extends ValueWorld {
  readonly catalogue: Catalogue;
  /** A fragment ready to be included, by id; null when there is none of this id. */
  readonly fragment: (id: string) => IncludedFragment | null;
  readonly fragmentIds: () => Iterable<string>;
}

export interface IncludedFragment {
  readonly root: XmlElement | null;
  /** Fresh, for the mistakes that show only where it is included. */
  readonly list: DiagnosticList;
  readonly file: string | null;
  /** It has mistakes of its own, which are reported for it. */
  readonly broken: boolean;
  /** It must not be expanded: it leads into a circle, too deep, or grows too large. */
  readonly problem: "cycle" | "depth" | "size" | null;
  readonly cycle: readonly string[];
  /** Elements with everything it includes. */
  readonly size: number;
}

/** Where the document belongs. `null` scope and section: a fragment on its own, which may be included anywhere. */
export interface DocumentPlace {
  readonly scope: Scope | null;
  readonly scopeId: string;
  readonly file: string | null;
  readonly operationTemplate: string | null;
}

/** Where a list of policies stands. */
interface Place {
  readonly section: Section | null;
  readonly list: DiagnosticList;
  readonly file: string | null;
  /** With a trailing slash unless empty. */
  readonly path: string;
  readonly inMessage: boolean;
  /** Inside a policy that takes only these; `parent` is its name. */
  readonly allowed: readonly string[] | null;
  readonly parent: string;
  /** Fragments being inlined, outermost first. */
  readonly fragments: readonly string[];
  readonly branches: Branches;
  /** The enclosing element was never closed, so what stands in it may belong elsewhere. */
  readonly unsure: boolean;
}

export class Binder {
  readonly #world: World;
  readonly #document: DocumentPlace;
  readonly #once = new OncePolicies();
  /** Code of every expression, for warnings about the document as a whole. */
  readonly expressions: { code: MappedText; section: Section | null; list: DiagnosticList }[] = [];
  /** Names of variables that policies set; `null` in it: a name is computed. */
  readonly variablesSet = new Set<string | null>();
  readonly elementsMet = new Set<string>();
  #count = 0;
  #saidTooMany = false;

  constructor(world: World, document: DocumentPlace) {
    this.#world = world;
    this.#document = document;
  }

  /** The document is checked without its service; see `Surroundings.loose`. */
  get isLoose(): boolean {
    return this.#world.loose;
  }

  /**
   * The policies of a section; `base` must have been taken out.
   *
   * @param section null: nobody knows which, because the document lacks its sections; then only what stands inside
   *   the policies is checked
   * @param unsure the section was never closed
   */
  bindSection(
    nodes: readonly XmlNode[],
    section: Section | null,
    list: DiagnosticList,
    counts: Counts,
    unsure: boolean,
  ): Step[] {
    const place: Place = {
      section,
      list,
      file: this.#document.file,
      path: "",
      inMessage: false,
      allowed: null,
      parent: section ?? "policies",
      fragments: [],
      branches: new Map(),
      unsure,
    };
    return this.#bindPolicies(nodes, place, counts);
  }

  /** A fragment checked on its own; `id` null when it has none yet. */
  bindFragment(root: XmlElement, id: string | null, list: DiagnosticList): void {
    const place: Place = {
      section: null,
      list,
      file: this.#document.file,
      path: "",
      inMessage: false,
      allowed: null,
      parent: "fragment",
      fragments: [id ?? ""],
      branches: new Map(),
      unsure: !root.closed,
    };
    checkNoText(root, ["a policy"], list, this.#world.loose);
    this.#bindPolicies(root.children, place, new Counts());
    warnAboutUnreachable(root.children, list);
  }

  // ── Lists of policies ───────────────────────────────────────────────────────────────────────────────────────────

  #bindPolicies(nodes: readonly XmlNode[], place: Place, counts: Counts): Step[] {
    const steps: Step[] = [];
    for (const node of nodes) {
      if (node.kind !== "element") continue;
      const path = `${place.path}${node.name}[${counts.next(node.name)}]`;
      if (!this.#mayGoOn(node, place)) break;
      if (node.name === "base") this.#sayBase(node, place);
      else if (node.name === "include-fragment") steps.push(...this.#include(node, path, place));
      else {
        const step = this.#bindPolicy(node, path, place);
        if (step !== null) steps.push(step);
      }
    }
    return steps;
  }

  #mayGoOn(node: XmlElement, place: Place): boolean {
    if (++this.#count <= mostPolicies) return true;
    if (!this.#saidTooMany) place.list.report("HG4005", node.start, node.nameEnd, { limit: mostPolicies });
    this.#saidTooMany = true;
    return false;
  }

  #sayBase(node: XmlElement, place: Place): void {
    const extras = { element: "base" };
    if (place.fragments.length > 0) place.list.report("HG2124", node.start, node.nameEnd, {}, extras);
    else place.list.report("HG2122", node.start, node.nameEnd, { parent: place.parent }, extras);
  }

  #bindPolicy(node: XmlElement, path: string, place: Place): Step | null {
    const definition = this.#world.catalogue.find(node.name);
    if (definition === undefined) {
      this.#sayUnknown(node, place);
      return null;
    }
    this.elementsMet.add(node.name);
    const { list } = place;
    const before = list.errorCount;
    this.#checkPlace(node, definition, place);
    const site = this.#site(node, definition, path, place);
    const inner: Place = {
      ...place,
      path: `${path}/`,
      parent: node.name,
      unsure: place.unsure || !node.closed,
    };
    const bound = this.#bindElement(node, definition.shape, inner, true);
    this.#noteVariables(node, bound);
    if (node.name === "choose") warnAboutBranches(node, bound.args, list);
    else if (node.name === "retry") warnAboutRetry(node, bound.args, list);
    if (bound.failed || bound.open || list.errorCount > before) return null;
    return this.#prepare(node, definition, bound, site, place);
  }

  #prepare(
    node: XmlElement,
    definition: PolicyDefinition,
    bound: Bound,
    site: Site,
    place: Place,
  ): Step | null {
    const { list } = place;
    const before = list.errorCount;
    const report: ReportMistake = (message, at, hint, severity = "error") => {
      const [start, end] = rangeOf(node, at);
      const values = { message: this.#withoutSecrets(message, list.source.text.slice(node.start, node.end)) };
      list.report("HG2131", start, end, values, { hint, severity, element: node.name });
    };
    try {
      definition.check?.(bound.args, report, site);
      if (list.errorCount > before || this.#world.loose || place.section === null) return null;
      const needs = definition.buffersItself === true ? 0 : bound.needs;
      return { site, needs, run: definition.prepare(bound.args, site) };
    } catch (error) {
      // A policy that cannot be built from checked values: refuse the document rather than fail on each request.
      report(error instanceof Error ? error.message : "the policy cannot be prepared");
      return null;
    }
  }

  /** A policy quotes the values it complains about; what a secret put into them goes back to its reference. */
  #withoutSecrets(message: string, source: string): string {
    let safe = message;
    for (const [reference, name] of source.matchAll(/\{\{([A-Za-z0-9._-]{1,256})\}\}/g)) {
      const found = this.#world.namedValues.find(name!);
      if (found?.secret === true && found.value !== "") safe = safe.replaceAll(found.value, () => reference);
    }
    return safe;
  }

  #site(node: XmlElement, definition: PolicyDefinition, path: string, place: Place): Site {
    const { line, column } = place.list.source.positionAt(node.start);
    const id = attributeOf(node, "id");
    const { scope, scopeId, operationTemplate } = this.#document;
    return {
      element: node.name,
      section: place.section ?? definition.sections[0] ?? "inbound",
      scope: scope ?? "global",
      scopeId,
      path,
      policyId: id === undefined ? null : id.value.text,
      file: place.file,
      line,
      column,
      inMessage: place.inMessage,
      operationTemplate,
    };
  }

  // ── Where a policy may stand ────────────────────────────────────────────────────────────────────────────────────

  #checkPlace(node: XmlElement, definition: PolicyDefinition, place: Place): void {
    const { list, section } = place;
    const extras = { element: node.name };
    if (place.allowed !== null && !place.allowed.includes(node.name)) {
      const values = { element: node.name, parent: place.parent, allowed: place.allowed.join(", ") };
      if (!place.unsure) list.report("HG2130", node.start, node.nameEnd, values, extras);
      return;
    }
    if (place.inMessage) return;
    if (section !== null && !definition.sections.includes(section)) {
      const values = { element: node.name, section, allowed: definition.sections.join(", ") };
      if (!place.unsure) list.report("HG2115", node.start, node.nameEnd, values, extras);
      return;
    }
    const { scope } = this.#document;
    if (scope !== null && definition.scopes !== undefined && !definition.scopes.includes(scope)) {
      const values = { element: node.name, scope, allowed: definition.scopes.join(", ") };
      list.report("HG2116", node.start, node.nameEnd, values, extras);
    }
    const { line } = list.source.positionAt(node.start);
    const first = this.#once.note(definition, section, place.branches, line);
    if (first !== null) {
      const values = { element: node.name, unit: definition.once ?? "document", line: first };
      list.report("HG2117", node.start, node.nameEnd, values, extras);
    }
    if (section !== null) warnAboutEffect(node, section, list);
  }

  #sayUnknown(node: XmlElement, place: Place): void {
    const { catalogue } = this.#world;
    const { name } = node;
    const { list } = place;
    const extras = { element: name };
    if (catalogue.isNotBuilt(name)) {
      this.#noteRawVariables(node);
      list.report("HG2102", node.start, node.nameEnd, { element: name }, extras);
      return;
    }
    if (place.unsure) return;
    const parents = catalogue.parentsOf(name);
    if (parents.length > 0) {
      const names = parents
        .slice(0, 4)
        .map((parent) => `<${parent}>`)
        .join(" or ");
      list.report("HG2104", node.start, node.nameEnd, { element: name, parents: names }, extras);
      return;
    }
    const likely = list.suggest(name, place.allowed ?? catalogue.names());
    const hint = likely === null ? undefined : `did you mean \`${likely}\`?`;
    list.report("HG2101", node.start, node.nameEnd, { element: name }, { ...extras, hint });
  }

  // ── Elements ────────────────────────────────────────────────────────────────────────────────────────────────────

  #bindElement(node: XmlElement, shape: ElementShape, place: Place, isPolicy: boolean): Bound {
    const { list } = place;
    if (shape.markup === true) return this.#bindMarkup(node, list);
    checkAttributes(node, shape, isPolicy, list);
    const isTemplate = this.#world.loose && isPlaceholder(textOf(node)?.value.text ?? "");
    if (!place.unsure && !isTemplate) checkChildCounts(node, shape, list);
    const bound: Bound = {
      args: { attributes: {}, children: {}, text: undefined, steps: [], line: 0 },
      needs: 0,
      failed: false,
      open: false,
    };
    const args: WritableArgs = {
      attributes: this.#bindAttributes(node, shape, place, bound),
      children: {},
      text: this.#bindText(node, shape, place, bound),
      steps: [],
      line: list.source.positionAt(node.start).line,
    };
    this.#bindChildren(node, shape, place, args, bound);
    bound.args = args;
    return bound;
  }

  /** Named values are put in where there are such; other double braces belong to the element's own language. */
  #bindMarkup(node: XmlElement, list: DiagnosticList): Bound {
    const raw = new MappedText(list.source.text.slice(node.start, node.end), node.start, node.end);
    const { value } = substituteNamedValues(raw, this.#world.namedValues, "ignore", list, node.name);
    const { line } = list.source.positionAt(node.start);
    const args = { attributes: {}, children: {}, text: value.text, steps: [], line };
    return { args, needs: 0, failed: false, open: false };
  }

  #bindAttributes(
    node: XmlElement,
    shape: ElementShape,
    place: Place,
    bound: Bound,
  ): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const [name, attribute] of Object.entries(shape.attributes ?? {})) {
      const given = attributeOf(node, name);
      if (given === undefined) {
        if (attribute.required === true) bound.failed = true;
        values[name] = defaultOf(attribute);
        continue;
      }
      const what = `attribute \`${name}\` of <${node.name}>`;
      values[name] = given.broken ? unusable : this.#value(given.value, attribute, what, node, place, bound);
      this.#note(values, name, bound);
    }
    return values;
  }

  #bindText(node: XmlElement, shape: ElementShape, place: Place, bound: Bound): unknown {
    const { list } = place;
    if (shape.text === undefined) {
      const isTemplate = this.#world.loose && isPlaceholder(textOf(node)?.value.text ?? "");
      if (!place.unsure && !isTemplate) checkNoText(node, expectedInside(shape), list);
      return undefined;
    }
    const before = list.errorCount;
    if (!checkText(node, shape, list)) {
      if (list.errorCount > before || textOf(node)?.broken === true) bound.failed = true;
      return undefined;
    }
    const wrapped = shape.text.type === "body" ? loneValueOf(node) : null;
    if (wrapped !== null && textOf(wrapped)?.broken === true) {
      bound.failed = true;
      return undefined;
    }
    const value = this.#value(
      contentOf(node, shape, list),
      shape.text,
      `the text of <${node.name}>`,
      node,
      place,
      bound,
    );
    const holder = { text: value };
    this.#note(holder, "text", bound);
    return holder.text;
  }

  #value(
    raw: MappedText,
    shape: AttributeShape,
    what: string,
    node: XmlElement,
    place: Place,
    bound: Bound,
  ): unknown {
    return bindValue(raw, shape, this.#world, {
      what,
      element: node.name,
      list: place.list,
      isLiquid: isLiquid(node),
      onOpen: () => (bound.open = true),
      onExpression: (code) => this.expressions.push({ code, section: place.section, list: place.list }),
    });
  }

  /** Notes what a bound value needs, and that one is missing. */
  #note(holder: Record<string, unknown>, name: string, bound: Bound): void {
    const value = holder[name];
    if (value === unusable) {
      bound.failed = true;
      holder[name] = undefined;
    } else if (typeof value === "function") bound.needs |= (value as Value<unknown>).needs;
  }

  #bindChildren(node: XmlElement, shape: ElementShape, place: Place, args: WritableArgs, bound: Bound): void {
    const shapes = shape.children ?? {};
    for (const name of Object.keys(shapes)) args.children[name] = [];
    // The content of a body is text, whatever it looks like.
    if (shape.text?.type === "body") return;
    const counts = new Counts();
    const policies: XmlElement[] = [];
    for (const child of childElements(node)) {
      const childShape = Object.hasOwn(shapes, child.name) ? shapes[child.name] : undefined;
      if (childShape !== undefined) {
        const path = `${place.path}${child.name}[${counts.next(child.name)}]/`;
        const branches = branchesOf(node, place, path);
        const inner = { ...place, path, parent: child.name, branches, unsure: place.unsure || !child.closed };
        const part = this.#bindElement(child, childShape, inner, false);
        args.children[child.name]!.push(part.args);
        bound.needs |= part.needs;
        bound.failed ||= part.failed;
        bound.open ||= part.open;
      } else if (shape.policies !== undefined) policies.push(child);
      else if (shape.text === undefined) this.#sayUnknownChild(node, child, shape, place);
    }
    if (shape.policies === undefined) return;
    const isMessage = shape.policies !== "section";
    const inner = isMessage
      ? { ...place, inMessage: true, allowed: shape.policies as readonly string[] }
      : place;
    args.steps = this.#bindPolicies(policies, inner, counts);
    if (!isMessage) warnAboutUnreachable(node.children, place.list);
  }

  #sayUnknownChild(node: XmlElement, child: XmlElement, shape: ElementShape, place: Place): void {
    if (place.unsure) return;
    const allowed = Object.keys(shape.children ?? {});
    const likely = place.list.suggest(child.name, allowed);
    const extras = { element: node.name, hint: likely === null ? undefined : `did you mean \`${likely}\`?` };
    if (allowed.length === 0) {
      place.list.report("HG2114", child.start, child.nameEnd, { element: node.name }, extras);
      return;
    }
    const values = {
      parent: node.name,
      element: child.name,
      allowed: allowed.map((name) => `<${name}>`).join(", "),
    };
    place.list.report("HG2103", child.start, child.nameEnd, values, extras);
  }

  // ── Fragments ───────────────────────────────────────────────────────────────────────────────────────────────────

  #include(node: XmlElement, path: string, place: Place): Step[] {
    const { list } = place;
    const extras = { element: node.name };
    if (place.allowed !== null) {
      const values = { element: node.name, parent: place.parent, allowed: place.allowed.join(", ") };
      list.report("HG2130", node.start, node.nameEnd, values, extras);
    }
    const shape: ElementShape = { attributes: { "fragment-id": { type: "string", required: true } } };
    const bound = this.#bindElement(node, shape, { ...place, path: `${path}/` }, true);
    const id = bound.args.attributes["fragment-id"];
    if (bound.failed || typeof id !== "string") return [];
    const fragment = this.#world.fragment(id);
    if (fragment === null) {
      this.#sayMissingFragment(node, id, place);
      return [];
    }
    if (this.#sayUnfit(node, fragment, list) || this.#isEndless(node, id, place)) return [];
    if (place.fragments.length > 0) list.report("HG6008", node.start, node.nameEnd, {}, extras);
    if (fragment.broken) {
      list.report("HG4007", node.start, node.nameEnd, { name: id }, extras);
      return [];
    }
    if (fragment.root === null) return [];
    const inner: Place = {
      ...place,
      list: fragment.list,
      file: fragment.file,
      path: `${path}/`,
      fragments: [...place.fragments, id],
    };
    const steps = this.#bindPolicies(fragment.root.children, inner, new Counts());
    this.#liftDiagnostics(node, id, fragment, list);
    return steps;
  }

  #sayUnfit(node: XmlElement, fragment: IncludedFragment, list: DiagnosticList): boolean {
    const extras = { element: node.name };
    if (fragment.problem === "cycle") {
      list.report("HG4003", node.start, node.nameEnd, { cycle: fragment.cycle.join(" → ") }, extras);
    } else if (fragment.problem === "depth") {
      list.report("HG4004", node.start, node.nameEnd, { limit: deepestFragments }, extras);
    } else if (fragment.problem === "size" || this.#count + fragment.size > mostPolicies) {
      list.report("HG4005", node.start, node.nameEnd, { limit: mostPolicies }, extras);
    } else return false;
    return true;
  }

  #isEndless(node: XmlElement, id: string, place: Place): boolean {
    const { fragments, list } = place;
    const extras = { element: node.name };
    const at = fragments.findIndex((name) => name.toLowerCase() === id.toLowerCase());
    if (at !== -1) {
      const cycle = [...fragments.slice(at), id].join(" → ");
      list.report("HG4003", node.start, node.nameEnd, { cycle }, extras);
      return true;
    }
    if (fragments.length < deepestFragments) return false;
    list.report("HG4004", node.start, node.nameEnd, { limit: deepestFragments }, extras);
    return true;
  }

  #sayMissingFragment(node: XmlElement, id: string, place: Place): void {
    this.variablesSet.add(null); // it might set any
    const attribute = attributeOf(node, "fragment-id")!;
    const likely = attribute.value.hasSecret ? null : place.list.suggest(id, this.#world.fragmentIds());
    const hint = likely === null ? undefined : `did you mean \`${likely}\`?`;
    const severity = this.#world.loose ? "warning" : "error";
    const name = place.list.source.text.slice(attribute.value.start, attribute.value.end);
    const { start, end } = attribute.value;
    place.list.report("HG4002", start, end, { name }, { hint, severity, element: node.name });
  }

  /** What is wrong with a fragment only here is said at the place of the inclusion. */
  #liftDiagnostics(node: XmlElement, id: string, fragment: IncludedFragment, to: DiagnosticList): void {
    for (const { code, severity, message, hint, range, notes } of fragment.list.items) {
      if (severity === "warning") continue;
      const { line, column } = range.start;
      const file = fragment.file ?? `fragment ${id}`;
      to.add({
        code,
        severity,
        message,
        hint,
        element: node.name,
        notes: [...(notes ?? []), `in policy fragment \`${id}\`, ${file}:${line}:${column}`],
        range: to.source.rangeAt(node.start, node.nameEnd),
      });
    }
  }

  // ── Variables ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** `set-variable`, and the attributes with which other policies store a result. */
  #noteVariables(node: XmlElement, bound: Bound): void {
    for (const attribute of node.attributes) {
      if (!namesVariable(node, attribute.name)) continue;
      const value = bound.args.attributes[attribute.name];
      if (typeof value === "string") this.variablesSet.add(value);
      else if (value === undefined) this.variablesSet.add(attribute.value.text.trim());
      else if (typeof value === "function" && (value as Value<unknown>).isConstant) {
        this.variablesSet.add(String((value as Value<unknown>).constant));
      } else this.variablesSet.add(null);
    }
  }

  /** The same for a policy without a definition and all inside it, as written. */
  #noteRawVariables(node: XmlElement): void {
    walkElements(node, (element) => {
      for (const { name, value } of element.attributes) {
        if (!namesVariable(element, name)) continue;
        const text = value.text.trim();
        this.variablesSet.add(/^@[({]|\{\{/.test(text) ? null : text);
      }
      if (element.name === "include-fragment") this.variablesSet.add(null);
    });
  }
}

/** Also where `liquid` is misspelt: its braces are no named values all the same. */
function isLiquid(node: XmlElement): boolean {
  const template = attributeOf(node, "template")?.value.text.trim().toLowerCase();
  return template !== undefined && template !== "none" && template !== "";
}

/** Counts siblings by name, from 1: the numbers of `choose[3]/when[2]`. */
export class Counts {
  readonly #byName = new Map<string, number>();

  next(name: string): number {
    const count = (this.#byName.get(name) ?? 0) + 1;
    this.#byName.set(name, count);
    return count;
  }
}

interface WritableArgs {
  attributes: Record<string, unknown>;
  children: Record<string, ElementArgs[]>;
  text: unknown;
  steps: Step[];
  line: number;
}

interface Bound {
  args: ElementArgs;
  needs: Needs;
  /** A value is missing or wrong; that has been said. */
  failed: boolean;
  /** A value is not known (a document checked without its service), so relations between values cannot be judged. */
  open: boolean;
}

/** A branch of `choose` excludes its siblings. */
function branchesOf(node: XmlElement, place: Place, path: string): Branches {
  if (node.name !== "choose") return place.branches;
  return new Map([...place.branches, [`${place.section} ${place.path}`, path]]);
}

function namesVariable(node: XmlElement, attribute: string): boolean {
  return attribute === "name" ? node.name === "set-variable" : attribute.endsWith("variable-name");
}

function defaultOf(shape: AttributeShape): unknown {
  if (shape.default === undefined) return undefined;
  return shape.expression === true ? constantValue(shape.default) : shape.default;
}

function expectedInside(shape: ElementShape): string[] {
  const names = Object.keys(shape.children ?? {});
  return shape.policies === undefined ? names : [...names, "a policy"];
}
