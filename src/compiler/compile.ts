/**
 * The door of the compiler: policy documents in, diagnostics and plans out. No I/O, no clock; never throws on bad input.
 *
 *     text → xml/parser → document (frame) → bind (policies, values, expressions) → effective (scopes) → Plan
 *
 * One `PolicyCompiler` lives as long as the process and remembers: a text is parsed once, an expression compiled once,
 * and a document whose surroundings (the named values, fragments and resources it mentions) did not change is not
 * compiled again, so that a change to one document among thousands costs one document.
 */
import { Binder, deepestFragments, mostPolicies } from "./bind.ts";
import type { DocumentPlace, IncludedFragment, World } from "./bind.ts";
import { Catalogue } from "./catalogue.ts";
import { DiagnosticList, sortDiagnostics } from "./diagnostics.ts";
import type { Diagnostic } from "./diagnostics.ts";
import { bindFragment, bindPolicies } from "./document.ts";
import type { SectionCodes } from "./document.ts";
import { Folder, effectiveView, emptyPlan } from "./effective.ts";
import type { EffectiveView } from "./effective.ts";
import type { CompileExpression, CompiledExpression } from "./expression.ts";
import { fragmentShapes } from "./fragment-graph.ts";
import type { FragmentShape } from "./fragment-graph.ts";
import type { NamedValue } from "./named-values.ts";
import type { Plan, PolicyDefinition, ReferenceKind, Scope, Step } from "./policy.ts";
import { Recent } from "./recent.ts";
import { warnAboutHoles, warnAboutStreaming, warnAboutVariables } from "./warnings.ts";
import { parseXml } from "./xml/parser.ts";
import type { ParsedDocument, TextFormat } from "./xml/parser.ts";

/** A policy document of one scope. */
export interface DocumentSource {
  readonly text: string;
  readonly scope: Scope;
  /** The resource it belongs to: `/`, `/products/p`, `/apis/a`, `/apis/a/operations/o`. */
  readonly scopeId: string;
  readonly file?: string | null;
  /** The operation's URL template; only for operation scope. */
  readonly operationTemplate?: string | null;
  /** How expressions are written; default `raw`, which reads encoded ones as well. */
  readonly format?: TextFormat;
}

export interface FragmentSource {
  readonly id: string;
  readonly text: string;
  readonly format?: TextFormat;
  readonly file?: string | null;
}

/** What documents may refer to. Fragment ids compare without case, display names with. */
export interface Surroundings {
  /** By display name. */
  readonly namedValues: ReadonlyMap<string, NamedValue>;
  /** Treated as immutable: make a new map when a fragment changes. */
  readonly fragments: ReadonlyMap<string, FragmentSource>;
  /** Whether a resource exists; `undefined` (or absent): not known here, so not checked. */
  readonly exists?: (kind: ReferenceKind, name: string) => boolean | undefined;
  readonly namesOf?: (kind: ReferenceKind) => Iterable<string>;
  /** Documents checked without their service: unknown references are warnings, no steps are made. */
  readonly loose?: boolean;
}

export interface CompiledDocument {
  readonly kind: "policies";
  readonly source: DocumentSource;
  /** No errors; only then may a plan be built from it. */
  readonly ok: boolean;
  /** In order of place. Errors and warnings, each once. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sections: SectionCodes;
}

export interface CompiledFragment {
  readonly kind: "fragment";
  readonly source: FragmentSource;
  readonly ok: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

const NOTHING: readonly never[] = [];

export const nothingAround: Surroundings = { namedValues: new Map(), fragments: new Map() };

/** What a document looked up, to tell whether it must be compiled again. Most look up nothing at all. */
class Dependencies {
  namedValues: Map<string, NamedValue | undefined> | null = null;
  /** Text, file and state of fragments by lower-case id; null: there was none. */
  fragments: Map<string, { text: string; file: string | null; state: string } | null> | null = null;
  references: Map<string, { kind: ReferenceKind; name: string; found: boolean | undefined }> | null = null;
}

interface Remembered<T> {
  readonly result: T;
  readonly dependencies: Dependencies;
}

/** What an entry weighs besides its text, in characters. */
const entryWeight = 500;

const defaultGlobal: DocumentSource = {
  text: "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>",
  scope: "global",
  scopeId: "/",
};

export class PolicyCompiler {
  readonly catalogue: Catalogue;
  readonly #compileExpression: CompileExpression;
  /** Fragments, which many documents include; a document is parsed when it is compiled and its tree let go. */
  // Limits are characters of source: a tree weighs some thirty times its text, so few are kept.
  readonly #parsed = {
    raw: new Recent<string, ParsedDocument>(2 ** 20),
    encoded: new Recent<string, ParsedDocument>(2 ** 20),
  };
  readonly #expressions = new Recent<string, CompiledExpression>(2 ** 22);
  /** By the place they belong to: what was there before is not asked for again. */
  readonly #documents = new Recent<string, Remembered<CompiledDocument>>(2 ** 25);
  readonly #fragments = new Recent<string, Remembered<CompiledFragment>>(2 ** 22);
  readonly #folder = new Folder();
  /** Lower-case ids of the fragments of a surrounding. */
  readonly #fragmentIds = new WeakMap<ReadonlyMap<string, FragmentSource>, Map<string, FragmentSource>>();
  readonly #fragmentShapes = new WeakMap<
    ReadonlyMap<string, FragmentSource>,
    ReadonlyMap<string, FragmentShape>
  >();
  #defaultPlan: Plan | null = null;

  constructor(policies: Iterable<PolicyDefinition>, compileExpression: CompileExpression) {
    this.catalogue = new Catalogue(policies);
    this.#compileExpression = compileExpression;
  }

  /** Compiles the policy document of one scope. */
  compile(source: DocumentSource, around: Surroundings = nothingAround): CompiledDocument {
    const { scope, scopeId, file, operationTemplate, text } = source;
    const { format } = source;
    const key = `${around.loose === true ? "loose " : ""}${scope} ${scopeId} ${file ?? ""}`;
    const weight = text.length + entryWeight;
    const remembered = this.#documents.get(key, weight);
    if (remembered !== undefined && isSameSource(remembered.result.source, source)) {
      if (this.#isFresh(remembered.dependencies, around)) return remembered.result;
    }
    const parsed = parseXml(text, format);
    const dependencies = new Dependencies();
    const world = this.#world(around, dependencies);
    const list = new DiagnosticList(parsed.source);
    const place: DocumentPlace = {
      scope: around.loose === true ? null : scope,
      scopeId,
      file: file ?? null,
      operationTemplate: operationTemplate ?? null,
    };
    const binder = new Binder(world, place);
    const sections = bindPolicies(parsed, binder, this.catalogue, list);
    warnAboutVariables(binder.expressions, binder.variablesSet, null);
    warnAboutStreaming(binder.expressions, binder.elementsMet);
    warnAboutHoles(binder.expressions);
    const diagnostics = finish(parsed, list, file);
    const result: CompiledDocument = {
      kind: "policies",
      source,
      ok: !diagnostics.some(({ severity }) => severity === "error"),
      diagnostics,
      sections,
    };
    // A broken document is refused, so nobody asks for it again; its diagnostics would only take room.
    if (result.ok) this.#documents.set(key, { result, dependencies }, weight);
    return result;
  }

  /** Checks a policy fragment on its own. What depends on where it is included is checked there. */
  compileFragment(source: FragmentSource, around: Surroundings = nothingAround): CompiledFragment {
    const key = [around.loose === true, source.format, source.id, source.file ?? "", source.text].join("\0");
    const remembered = this.#fragments.get(key, key.length + entryWeight);
    if (remembered !== undefined && this.#isFresh(remembered.dependencies, around)) return remembered.result;
    const parsed = this.#parse(source.text, source.format);
    const dependencies = new Dependencies();
    const world = this.#world(around, dependencies);
    const list = new DiagnosticList(parsed.source);
    const place: DocumentPlace = {
      scope: null,
      scopeId: "/",
      file: source.file ?? null,
      operationTemplate: null,
    };
    const binder = new Binder(world, place);
    bindFragment(parsed, source.id, binder, list);
    warnAboutVariables(binder.expressions, binder.variablesSet, null);
    const diagnostics = finish(parsed, list, source.file);
    const ok = !diagnostics.some(({ severity }) => severity === "error");
    const result: CompiledFragment = { kind: "fragment", source, ok, diagnostics };
    const weight = key.length + entryWeight * (1 + diagnostics.length);
    this.#fragments.set(key, { result, dependencies }, weight);
    return result;
  }

  /**
   * Checks a document of which nothing is known: neither its scope nor what it refers to
   * (`headgate validate --policy FILE`). A fragment is recognised by its root.
   */
  compileLoose(text: string, file: string | null = null): CompiledDocument | CompiledFragment {
    const loose: Surroundings = { ...nothingAround, loose: true };
    if (this.#parse(text).root?.name === "fragment")
      return this.compileFragment({ id: "", text, file }, loose);
    return this.compile({ text, scope: "operation", scopeId: "/", file }, loose);
  }

  /**
   * What runs for the documents of a chain of scopes, broad to narrow. The first is the global one (null: the built-in
   * default); other scopes without a document may be null or left out.
   *
   * @throws Error when a document is not `ok`: a bug of the caller
   */
  plan(chain: readonly (CompiledDocument | null)[]): Plan {
    this.#defaultPlan ??= this.#folder.fold(this.compile(defaultGlobal), emptyPlan);
    const [global, ...narrower] = chain;
    let plan = this.#defaultPlan;
    if (global !== null && global !== undefined)
      plan = this.#folder.fold(sound(global), emptyPlan, this.#defaultPlan);
    for (const document of narrower) if (document !== null) plan = this.#folder.fold(sound(document), plan);
    return plan;
  }

  /** The effective policy of a chain as text, with the origin of each part. */
  view(chain: readonly (CompiledDocument | null)[], around: Surroundings = nothingAround): EffectiveView {
    const [global, ...narrower] = chain;
    const documents = [
      global ?? this.compile(defaultGlobal),
      ...narrower.filter((document) => document !== null),
    ];
    const viewed = documents.map(({ source: { scope, scopeId, file, text, format } }) => ({
      scope,
      scopeId,
      file: file ?? null,
      parsed: this.#parse(text, format),
    }));
    return effectiveView(viewed, (id) => {
      const fragment = this.#fragmentOf(around, id);
      return fragment === undefined ? null : this.#parse(fragment.text, fragment.format);
    });
  }

  // ── What documents look up ──────────────────────────────────────────────────────────────────────────────────────

  #world(around: Surroundings, dependencies: Dependencies): World {
    const { namedValues } = around;
    return {
      catalogue: this.catalogue,
      loose: around.loose === true,
      namedValues: {
        find: (name) => {
          const found = namedValues.get(name);
          (dependencies.namedValues ??= new Map()).set(name, found);
          return found;
        },
        names: () => namedValues.keys(),
      },
      exists: (kind, name) => {
        const found = around.exists?.(kind, name);
        (dependencies.references ??= new Map()).set(`${kind} ${name}`, { kind, name, found });
        return found;
      },
      namesOf: around.namesOf,
      fragment: (id) => this.#include(id, around, dependencies),
      fragmentIds: () => [...around.fragments.values()].map((fragment) => fragment.id),
      compileExpression: (code, form, type) => {
        const key = `${form} ${type} ${code}`;
        const weight = key.length + entryWeight;
        const known = this.#expressions.get(key, weight);
        if (known !== undefined) return known;
        const compiled = this.#compileExpression(code, form, type);
        this.#expressions.set(key, compiled, weight);
        return compiled;
      },
    };
  }

  #include(id: string, around: Surroundings, dependencies: Dependencies): IncludedFragment | null {
    const source = this.#fragmentOf(around, id);
    const key = id.toLowerCase();
    if (source === undefined) {
      (dependencies.fragments ??= new Map()).set(key, null);
      return null;
    }
    const file = source.file ?? null;
    const shape = this.#shapeOf(source, around);
    const problem = problemOf(shape);
    const broken = problem === null && !this.#isSound(source, around);
    (dependencies.fragments ??= new Map()).set(key, {
      text: source.text,
      file,
      state: stateOf(source, shape, broken),
    });
    const parsed = this.#parse(source.text, source.format);
    const list = new DiagnosticList(parsed.source);
    return { root: parsed.root, list, file, broken, problem, cycle: shape.cycle ?? [], size: shape.size };
  }

  readonly #checking = new Set<string>();

  #isSound(source: FragmentSource, around: Surroundings): boolean {
    // A circle that only named values close (`fragment-id="{{x}}"`) is not in the graph; the binder's own check ends it.
    const key = source.id.toLowerCase();
    if (this.#checking.has(key)) return true;
    this.#checking.add(key);
    try {
      return this.compileFragment(source, around).ok;
    } finally {
      this.#checking.delete(key);
    }
  }

  #shapeOf(source: FragmentSource, around: Surroundings): FragmentShape {
    let shapes = this.#fragmentShapes.get(around.fragments);
    if (shapes === undefined) {
      const ids = this.#idsOf(around);
      shapes = fragmentShapes(ids.keys(), (id) => {
        const fragment = ids.get(id);
        return fragment === undefined ? null : this.#parse(fragment.text, fragment.format);
      });
      this.#fragmentShapes.set(around.fragments, shapes);
    }
    return shapes.get(source.id.toLowerCase()) ?? { cycle: null, depth: 1, size: 0 };
  }

  #fragmentOf(around: Surroundings, id: string): FragmentSource | undefined {
    return this.#idsOf(around).get(id.toLowerCase());
  }

  #idsOf(around: Surroundings): Map<string, FragmentSource> {
    let ids = this.#fragmentIds.get(around.fragments);
    if (ids === undefined) {
      ids = new Map([...around.fragments.values()].map((source) => [source.id.toLowerCase(), source]));
      this.#fragmentIds.set(around.fragments, ids);
    }
    return ids;
  }

  #isFresh(dependencies: Dependencies, around: Surroundings): boolean {
    for (const [name, before] of dependencies.namedValues ?? NOTHING) {
      const now = around.namedValues.get(name);
      if (now?.value !== before?.value || now?.secret !== before?.secret) return false;
    }
    for (const { kind, name, found } of dependencies.references?.values() ?? NOTHING) {
      if (around.exists?.(kind, name) !== found) return false;
    }
    for (const [id, before] of dependencies.fragments ?? NOTHING) {
      const now = this.#fragmentOf(around, id);
      if (before === null || now === undefined) {
        if (before !== null || now !== undefined) return false;
      } else if (now.text !== before.text || (now.file ?? null) !== before.file) return false;
      else {
        const shape = this.#shapeOf(now, around);
        const broken = problemOf(shape) === null && !this.#isSound(now, around);
        if (stateOf(now, shape, broken) !== before.state) return false;
      }
    }
    return true;
  }

  #parse(text: string, format: TextFormat = "raw"): ParsedDocument {
    const weight = text.length + entryWeight;
    const memory = this.#parsed[format];
    const known = memory.get(text, weight);
    if (known !== undefined) return known;
    const parsed = parseXml(text, format);
    memory.set(text, parsed, weight);
    return parsed;
  }
}

/** Steps of an element that stand directly in a list, such as `cors` in an effective inbound. */
export function stepsOf(element: string, steps: readonly Step[] | null): Step[] {
  return steps === null ? [] : steps.filter((step) => step.site.element === element);
}

function problemOf(shape: FragmentShape): IncludedFragment["problem"] {
  if (shape.cycle !== null) return "cycle";
  if (shape.depth > deepestFragments) return "depth";
  return shape.size > mostPolicies ? "size" : null;
}

function stateOf({ format }: FragmentSource, shape: FragmentShape, broken: boolean): string {
  return `${format} ${problemOf(shape)} ${shape.cycle?.join(" ")} ${broken}`;
}

function isSameSource(a: DocumentSource, b: DocumentSource): boolean {
  return (
    a.text === b.text &&
    a.scope === b.scope &&
    a.scopeId === b.scopeId &&
    (a.file ?? "") === (b.file ?? "") &&
    (a.operationTemplate ?? "") === (b.operationTemplate ?? "") &&
    (a.format ?? "raw") === (b.format ?? "raw")
  );
}

function sound(document: CompiledDocument): CompiledDocument {
  if (!document.ok) throw new Error(`policy document of ${document.source.scopeId} has errors`);
  return document;
}

/** All diagnostics of a document, each once, in order of place. */
function finish(
  parsed: ParsedDocument,
  list: DiagnosticList,
  file: string | null | undefined,
): readonly Diagnostic[] {
  if (parsed.diagnostics.length + list.items.length === 0) return NOTHING;
  const all = sortDiagnostics([...parsed.diagnostics, ...list.items]);
  const seen = new Set<string>();
  const result: Diagnostic[] = [];
  for (const item of all) {
    const key = `${item.code} ${item.range.start.offset} ${item.range.end.offset} ${item.message}`;
    if (seen.has(key)) continue;
    seen.add(key);
    result.push(file === null || file === undefined ? item : { ...item, file });
  }
  return result;
}
