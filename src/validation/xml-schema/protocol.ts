/** What the thread that validates XML is asked, and what it answers. */

/** Several schemas that may refer to one another. */
export interface SchemaSet {
  readonly id: number;
  /** Lower-case names → text. */
  readonly texts: ReadonlyMap<string, string>;
}

export type Question =
  | { readonly kind: "know"; readonly set: SchemaSet }
  | { readonly kind: "forget"; readonly set: number }
  /** Answered with `ready`, whether it could be compiled or not. */
  | { readonly kind: "compile"; readonly set: number; readonly schema: string }
  | {
      readonly kind: "check";
      readonly set: number;
      /** Lower-case name of the schema. */
      readonly schema: string;
      readonly text: string;
      readonly isSoap: boolean;
    };

export type XmlVerdict =
  | { readonly kind: "valid" }
  /** Line and position from 1. */
  | {
      readonly kind: "invalid";
      readonly error: string;
      readonly line: number;
      readonly position: number;
    }
  /** The schema itself cannot be used. */
  | { readonly kind: "schema"; readonly cause: string };

export type Answer =
  | XmlVerdict
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly error: string };
