/** `JTokenType`, `Formatting` and the other enums of Newtonsoft.Json that expressions name. */
import { defineType } from "../../define.ts";
import { type EnumValue, enumValue } from "../../values.ts";

export const OBJECT = 1;
export const ARRAY = 2;
export const PROPERTY = 4;
export const INTEGER = 6;
export const FLOAT = 7;
export const STRING = 8;
export const BOOLEAN = 9;
export const NULL = 10;
export const UNDEFINED_KIND = 11;
export const DATE = 12;
export const RAW = 13;
export const BYTES = 14;
export const GUID = 15;
export const URI = 16;
export const TIME_SPAN = 17;

const TOKEN_TYPE = defineType(
  "enum Newtonsoft.Json.Linq.JTokenType",
  {},
  {
    values: {
      None: 0,
      Object: OBJECT,
      Array: ARRAY,
      Constructor: 3,
      Property: PROPERTY,
      Comment: 5,
      Integer: INTEGER,
      Float: FLOAT,
      String: STRING,
      Boolean: BOOLEAN,
      Null: NULL,
      Undefined: UNDEFINED_KIND,
      Date: DATE,
      Raw: RAW,
      Bytes: BYTES,
      Guid: GUID,
      Uri: URI,
      TimeSpan: TIME_SPAN,
    },
  },
);

const tokenTypes = Array.from({ length: 18 }, (_, kind) => enumValue(TOKEN_TYPE, kind));

export function tokenType(kind: number): EnumValue {
  return tokenTypes[kind]!;
}

/** `Integer`, `Object`, … */
export function kindName(kind: number): string {
  return tokenTypes[kind]!.text;
}

defineType("enum Newtonsoft.Json.Formatting", {}, { values: { None: 0, Indented: 1 } });

export const isIndented = (formatting: EnumValue): boolean => formatting.number === 1;
