/**
 * Parsed JSON before it becomes `JToken`s: small, immutable, shared. A body is parsed to this once; every
 * `Body.As<JObject>()` lays fresh tokens over it, made only where somebody looks (`token.ts`).
 *
 * Integers are numbers while exact, else bigints. Everything keyed by text from outside is a `Map`.
 */
import { Box, type NetObject, typeNamed } from "../../values.ts";

export type Raw =
  | string
  | boolean
  | null
  | number
  | bigint
  | Box
  | RawDate
  | typeof UNDEFINED
  | RawArray
  | RawObject;
export type RawArray = Raw[];
/** Names in order; of a repeated name the last value stands in the first place. */
export type RawObject = Map<string, Raw>;

/** The literal `undefined`, and what stands between two commas. */
export const UNDEFINED = Symbol("undefined");

/** A text in full ISO form, which Newtonsoft reads as a date. */
export class RawDate {
  readonly text: string;
  /** Written back as received unless it is changed: so in message bodies. */
  readonly keepText: boolean;
  #value: NetObject | null = null;

  constructor(text: string, keepText: boolean) {
    this.text = text;
    this.keepText = keepText;
  }

  /** The `DateTime`, made when asked for. */
  value(make: (text: string) => NetObject): NetObject {
    return (this.#value ??= make(this.text));
  }
}

/** A JSON number with fraction or exponent. */
export function rawFloat(value: number): Box {
  return new Box(typeNamed("System.Double"), value);
}
