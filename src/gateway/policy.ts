/** `definePolicy`: the compiler's `PolicyDefinition` with the exchange's and message's types filled in. */
import type {
  AttributeShape,
  ElementArgs,
  ElementShape,
  PolicyDefinition,
  ReportMistake,
  Scope,
  Section,
  Site,
  Step,
  Value,
  ValueShape,
} from "../compiler/policy.ts";
import type { Exchange } from "./exchange.ts";
import { type Message, ResponseMessage } from "./message.ts";

/**
 * What a step answers: nothing to go on, a response to end the exchange early, or `SkipToOutbound`. A promise only
 * when there is something to wait for.
 */
export type Outcome = void | ResponseMessage | SkipToOutbound;
export type Run = (exchange: Exchange, message: Message | null) => Outcome | Promise<Outcome>;

/** Ends inbound and backend; outbound goes on after the first step of these elements (a cache hit). */
export class SkipToOutbound {
  readonly after: readonly string[];
  constructor(after: readonly string[]) {
    this.after = after;
  }
}

type Plain<S extends ValueShape> = S["type"] extends "bool"
  ? boolean
  : S["type"] extends "int" | "number"
    ? number
    : S["type"] extends "nullable-string"
      ? string | null
      : S["type"] extends "body"
        ? string | Uint8Array | null
        : S["type"] extends "any"
          ? unknown
          : string;
type Given<S extends ValueShape> = S extends { readonly expression: true } ? Value<Plain<S>> : Plain<S>;
type Present<S extends AttributeShape> = S extends
  | { readonly required: true }
  | { readonly default: {} | null }
  ? Given<S>
  : Given<S> | undefined;

/** Types of `args` as the shape says. */
export interface Args<S extends ElementShape> {
  readonly attributes: {
    readonly [K in keyof NonNullable<S["attributes"]>]: Present<NonNullable<S["attributes"]>[K]>;
  };
  readonly children: {
    readonly [K in keyof NonNullable<S["children"]>]: readonly Args<NonNullable<S["children"]>[K]>[];
  };
  readonly text: S["text"] extends ValueShape
    ? S["text"] extends { readonly required: true }
      ? Given<S["text"]>
      : Given<S["text"]> | undefined
    : undefined;
  readonly steps: readonly Step[];
  readonly line: number;
}

export interface PolicySource<S extends ElementShape> {
  readonly element: string;
  readonly summary: string;
  readonly sections: readonly Section[];
  readonly scopes?: readonly Scope[];
  readonly once?: "document" | "section";
  readonly shape: S;
  readonly buffersItself?: boolean;
  readonly check?: (args: Args<S>, report: ReportMistake, site: Site) => void;
  /** Code for every request; the arguments are ready. */
  readonly run?: (exchange: Exchange, args: Args<S>, message: Message | null) => Outcome | Promise<Outcome>;
  /** Instead of `run`, when something can be worked out once. */
  readonly prepare?: (args: Args<S>, site: Site) => Run;
}

/**
 * Declares a policy. One folder per element, one line in `policies/index.ts`.
 *
 * @throws Error when it has neither `run` nor `prepare`
 */
export function definePolicy<const S extends ElementShape>(source: PolicySource<S>): PolicyDefinition {
  const { run, prepare } = source;
  if (prepare === undefined && run === undefined) throw new Error(`<${source.element}> has no code`);
  return {
    element: source.element,
    summary: source.summary,
    sections: source.sections,
    scopes: source.scopes,
    once: source.once,
    shape: source.shape,
    buffersItself: source.buffersItself,
    check: source.check as PolicyDefinition["check"],
    prepare: (args: ElementArgs, site: Site) => {
      const typed = args as unknown as Args<S>;
      if (prepare !== undefined) return prepare(typed, site);
      return (exchange: Exchange, message: Message | null) => run!(exchange, typed, message);
    },
  };
}

export const ALL_SECTIONS: readonly Section[] = ["inbound", "backend", "outbound", "on-error"];

/** The message that an element acts on: the enclosing policy's, else the section's. */
export function messageOf(exchange: Exchange, section: Section, message: Message | null): Message {
  if (message !== null) return message;
  if (section === "inbound" || section === "backend") return exchange.request;
  return responseOf(exchange);
}

/** The pending response; an empty 200 when there is none yet. */
export function responseOf(exchange: Exchange): ResponseMessage {
  return (exchange.response ??= new ResponseMessage(200));
}
