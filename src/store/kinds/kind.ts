/**
 * What the store knows about a type of resource: its shape, its names, what it refers to and how the
 * artifact folders call it. One object per type, listed in `index.ts`; everything else here works
 * from that list. Types that are not listed are stored as they come.
 */
import type { KnownResourceType, PropertiesOf } from "../../contract/types.ts";
import type { ObjectShape, Shape } from "./shape.ts";
import { object } from "./shape.ts";

export interface ResourceKind {
  /** As outside workspaces, e.g. `apis/operations`. */
  readonly type: KnownResourceType;
  /** How messages call it, e.g. `version set`. */
  readonly noun: string;
  readonly shape: ObjectShape;
  readonly names: NameRule;
  readonly references: readonly ReferenceField[];
  readonly artifact: ArtifactForm | undefined;
}

export interface NameRule {
  readonly max: number;
  /** Characters that must not occur. */
  readonly forbidden: RegExp;
  /** In words, for the message. */
  readonly rule: string;
}

/** A property that holds a reference. */
export interface ReferenceField {
  /** E.g. `pool.services[].id`; `""` for the resource's own name, as in `products/apis`. */
  readonly at: string;
  /** The collection a plain name is looked up in, e.g. `backends`. */
  readonly to: string;
  /** The noun of what it leads to. */
  readonly noun: string;
  /** `warn` where nothing at run time depends on it. Default `refuse`. */
  readonly unknown?: "refuse" | "warn";
}

/** How the two artifact layouts write a type. Names are compared without case, spaces, `-`, `_`. */
export interface ArtifactForm {
  /** The folder that holds one folder per resource. */
  readonly folders: readonly string[];
  /** Information files without extension; the first is the name we would write. */
  readonly files: readonly string[];
  /** A resource folder needs no information file, e.g. a workspace in layout A. */
  readonly optional?: boolean;
  /** The layout B file beside the parent's information file that lists names, without extension. */
  readonly listFile?: string;
  /** Layout A keeps some links below the other end: `tags/{t}/apis/{a}`. */
  readonly mirrored?: {
    readonly under: string;
    readonly folders: readonly string[];
    readonly files: readonly string[];
  };
  /** The resource is a document in a file of its own. */
  readonly policy?: boolean;
}

const WORDS: NameRule = {
  max: 80,
  forbidden: /[*#&+:<>?/\\%]/,
  rule: "it must not contain * # & + : < > ? / \\ %",
};

export const names = {
  usual: WORDS,
  long: { ...WORDS, max: 256 },
  wordLike: { max: 80, forbidden: /[^\w-]/, rule: "letters, digits, `_` and `-` only" },
} as const satisfies Record<string, NameRule>;

export interface KindDefinition<T extends KnownResourceType> {
  readonly noun: string;
  /** Only properties of the contract; `satisfies` by construction of the parameter type. */
  readonly properties: { readonly [name in keyof KnownPart<PropertiesOf<T>>]?: Shape };
  readonly required?: readonly (keyof KnownPart<PropertiesOf<T>> & string)[];
  readonly names?: NameRule;
  readonly references?: readonly ReferenceField[];
  readonly artifact?: ArtifactForm;
}

/** The named properties of an open type, without its index signature. */
export type KnownPart<P> = { [K in keyof P as string extends K ? never : K]: P[K] };

/** Defines a kind; property names that the contract does not have are a type error. */
export function defineKind<T extends KnownResourceType>(
  type: T,
  definition: KindDefinition<T>,
): ResourceKind {
  return {
    type,
    noun: definition.noun,
    shape: object(definition.properties as ObjectShape["properties"], definition.required ?? []),
    names: definition.names ?? names.usual,
    references: definition.references ?? [],
    artifact: definition.artifact,
  };
}
