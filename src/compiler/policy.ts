/**
 * What a policy is to the compiler: the shape of its XML element, and a function that turns the checked element
 * into a step. From this one object come the checks on save, completion, forms and the reference page.
 *
 * The compiler knows nothing of exchanges: a step is a function of two opaque values (the exchange and the message
 * it acts on) that the gateway gives a type to (`gateway/policy.ts`, `definePolicy`).
 */
import type { HostContext } from "./runtime/host.ts";

export type Section = "inbound" | "backend" | "outbound" | "on-error";
export const SECTIONS: readonly Section[] = ["inbound", "backend", "outbound", "on-error"];

/** Broad to narrow. */
export type Scope = "global" | "workspace" | "product" | "api" | "operation";
export const SCOPES: readonly Scope[] = ["global", "workspace", "product", "api", "operation"];

/**
 * What the value of an attribute or a text becomes.
 *
 * - `string`: text; an expression's null becomes `""`, any other type its `ToString()`.
 * - `nullable-string`: the same, but null stays null.
 * - `bool`, `int`, `number`: also from literals (`true` in any case).
 * - `body`: `string | Uint8Array | null`, for message bodies.
 * - `any`: the boxed .NET value; a literal is a string.
 */
export type ValueType = "string" | "nullable-string" | "bool" | "int" | "number" | "body" | "any";

export interface ValueShape {
  readonly type: ValueType;
  /** May be an expression; then the step gets a `Value` instead of the plain value. */
  readonly expression?: boolean;
  /** Literals must be one of these (compared without case, given as written here). */
  readonly oneOf?: readonly string[];
  /** Bounds of literal numbers, inclusive. */
  readonly min?: number;
  readonly max?: number;
  /** What a literal must look like; never the empty text. `expected` says it in words: "a header name". */
  readonly format?: { readonly pattern: RegExp; readonly expected: string };
  /** A literal must name an existing resource of this kind. */
  readonly references?: ReferenceKind;
  /** White space around a literal is dropped. Default true, false for `body`. */
  readonly trim?: boolean;
  /** One sentence for the reference page. */
  readonly doc?: string;
}

export interface AttributeShape extends ValueShape {
  readonly required?: boolean;
  /** Used, already converted, when the attribute is absent. */
  readonly default?: unknown;
}

export type ReferenceKind =
  | "backend"
  | "fragment"
  | "logger"
  | "certificate"
  | "certificate-thumbprint"
  | "schema"
  | "authorization-provider"
  | "cache";

/** An element's inside. */
export interface ElementShape {
  readonly attributes?: Readonly<Record<string, AttributeShape>>;
  /** Elements of this policy that are not policies themselves (`<value>`, `<when>`, `<origin>`). */
  readonly children?: Readonly<Record<string, ChildShape>>;
  /** Text content. Absent: text is an error. */
  readonly text?: ValueShape & { readonly required?: boolean };
  /**
   * Policies stand inside: `section`: any that are legal in the enclosing section; a list: only these, acting on
   * the message that this policy makes (send-request, return-response).
   */
  readonly policies?: "section" | readonly string[];
  /** The element is another language's (`xsl:stylesheet`): its text is the whole element, tags and all, unchecked. */
  readonly markup?: boolean;
}

export interface ChildShape extends ElementShape {
  /** How often it must and may stand there. Default 0 … any. */
  readonly min?: number;
  readonly max?: number;
  readonly doc?: string;
}

/** An expression-capable value, ready to be asked. A literal is a `Value` too, with `constant`. */
export interface Value<T> {
  /** @throws NetException, BudgetError; the pipeline turns them into `ExpressionValueEvaluationFailure` */
  (context: HostContext): T;
  /** The value when it does not depend on the request, else undefined. */
  readonly constant: T | undefined;
  readonly isConstant: boolean;
  /** Bodies that must be in memory before it is asked. */
  readonly needs: Needs;
}

/** Bit set of bodies. */
export type Needs = number;
export const NEEDS_NOTHING: Needs = 0;
export const NEEDS_REQUEST_BODY: Needs = 1;
export const NEEDS_RESPONSE_BODY: Needs = 2;

/**
 * A checked element as `prepare` gets it. Attributes and children are under their XML names; absent optional
 * attributes are undefined.
 */
export interface ElementArgs {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly children: Readonly<Record<string, readonly ElementArgs[]>>;
  /** Plain value or `Value`, undefined when there is no text. */
  readonly text: unknown;
  /** Compiled policies inside, in document order. Empty when there are none. */
  readonly steps: readonly Step[];
  readonly line: number;
}

/** Where a step stands; for `LastError`, traces and the effective-policy view. */
export interface Site {
  readonly element: string;
  readonly section: Section;
  readonly scope: Scope;
  /** The resource the document belongs to: `/`, `/products/p`, `/apis/a`, `/apis/a/operations/o`. */
  readonly scopeId: string;
  /** `choose[3]/when[2]/set-header[1]`: 1-based among siblings of the same name. */
  readonly path: string;
  /** The `id` attribute. */
  readonly policyId: string | null;
  readonly file: string | null;
  readonly line: number;
  readonly column: number;
  /** True inside send-request, return-response, …: the step acts on that policy's message. */
  readonly inMessage: boolean;
  /** The operation's URL template, in operation-scope documents; null elsewhere. */
  readonly operationTemplate: string | null;
}

/** One executable policy. `exchange` and `message` get their types in the gateway. */
export interface Step {
  readonly site: Site;
  /** Bodies that must be in memory before `run`: those that its own values mention. Policies inside do not count. */
  readonly needs: Needs;
  readonly run: (exchange: any, message: any) => unknown;
}

export interface PolicyDefinition {
  readonly element: string;
  /** One or two sentences: what it does. */
  readonly summary: string;
  readonly sections: readonly Section[];
  /** Default: all. */
  readonly scopes?: readonly Scope[];
  /** May stand only once. */
  readonly once?: "document" | "section";
  readonly shape: ElementShape;
  /**
   * The values are asked by the step itself, one after the other, so the pipeline must not buffer bodies for it
   * beforehand (`choose`: later conditions may never be asked).
   */
  readonly buffersItself?: boolean;
  /** Relations that the shape cannot say (mutual exclusions, …). Reports through `report`. */
  readonly check?: (args: ElementArgs, report: ReportMistake, site: Site) => void;
  /** Builds the step's code once, when the snapshot is built. */
  readonly prepare: (args: ElementArgs, site: Site) => (exchange: any, message: any) => unknown;
}

/** What a policy's own complaint points at; default the name of the element itself. */
export interface MistakePlace {
  /** A child, or the path of one: `allowed-origins/origin`. */
  readonly child?: string;
  /** Which of the children of this name (of a path: of its last part), from 0. */
  readonly index?: number;
  /** An attribute of the element or of that child. */
  readonly attribute?: string;
  /** The value of the attribute, or the text of the element, instead of the name. */
  readonly value?: boolean;
  /** UTF-16 units into that value as it is written; then a single character is shown. */
  readonly offset?: number;
}

/**
 * @param message one sentence, no full stop
 * @param severity default `error`, which refuses the document
 */
export type ReportMistake = (
  message: string,
  at?: MistakePlace,
  hint?: string,
  severity?: "error" | "warning",
) => void;

/** What runs for an operation: a list per section, null when there is nothing to run. */
export interface Plan {
  readonly inbound: readonly Step[] | null;
  readonly backend: readonly Step[] | null;
  readonly outbound: readonly Step[] | null;
  readonly onError: readonly Step[] | null;
}
