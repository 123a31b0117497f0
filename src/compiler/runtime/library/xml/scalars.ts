/** Values ↔ the text XML has for them (`XmlConvert`; `expressions.md` §5.9). */
import { NetException, argumentError, argumentNull, formatError } from "../../errors.ts";
import { Box, TYPE, formatted, textOf, typeOf } from "../../values.ts";
import { late } from "../late.ts";
import { parseIsoDate } from "../json/scalars.ts";

/** The text of content that is no node. Boxed, not null. */
export function xmlText(value: unknown): string {
  if (value === null) throw argumentNull("value");
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
      return value ? "true" : "false";
    case "number":
      return String(value);
    default:
  }
  const { name } = typeOf(value);
  if (value instanceof Box && (name === "System.Double" || name === "System.Single")) {
    const text = textOf(value);
    return text === "Infinity" ? "INF" : text === "-Infinity" ? "-INF" : text;
  }
  switch (name) {
    case "System.DateTime":
    case "System.DateTimeOffset": {
      const text = formatted(value, "yyyy-MM-ddTHH:mm:ss.FFFFFFFK");
      return name === "System.DateTimeOffset" ? text.replace(/\+00:00$/, "Z") : text;
    }
    case "System.TimeSpan":
      return duration(ticksOf(value));
  }
  if (
    name.startsWith("System.Xml.Linq.X") &&
    typeof value === "object" &&
    TYPE in (value as object) &&
    !name.endsWith("Name") &&
    !name.endsWith("Namespace")
  ) {
    throw argumentError("An XObject cannot be used as a value.");
  }
  return textOf(value);
}

const ticksOf: (value: unknown) => bigint = late("System.TimeSpan", "Ticks", []);
const spanOf: (ticks: bigint) => unknown = late("System.TimeSpan", ".ctor", ["System.Int64"]);

const SECOND = 10_000_000n;

/** ISO 8601: `P1DT2H3M4.5S`. */
function duration(ticks: bigint): string {
  const sign = ticks < 0n ? "-" : "";
  const all = ticks < 0n ? -ticks : ticks;
  const seconds = all / SECOND;
  const fraction = (all % SECOND).toString().padStart(7, "0").replace(/0+$/, "");
  const part = (n: bigint, unit: string): string => (n === 0n ? "" : `${n}${unit}`);
  const days = part(seconds / 86_400n, "D");
  const rest = seconds % 60n;
  const secondText = rest === 0n && fraction === "" ? "" : `${rest}${fraction === "" ? "" : `.${fraction}`}S`;
  const time = part((seconds / 3600n) % 24n, "H") + part((seconds / 60n) % 60n, "M") + secondText;
  if (days === "" && time === "") return "PT0S";
  return `${sign}P${days}${time === "" ? "" : `T${time}`}`;
}

const DURATION =
  /^\s*(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,7})\d*)?S)?)?\s*$/;

function toTimeSpan(text: string): unknown {
  const m = DURATION.exec(text);
  if (m === null || /[PT]\s*$/.test(text))
    throw formatError(`The string '${text}' is not a valid TimeSpan value.`);
  const n = (i: number): bigint => BigInt(m[i] ?? "0");
  const days = n(2) * 365n + n(3) * 30n + n(4);
  let ticks =
    (((days * 24n + n(5)) * 60n + n(6)) * 60n + n(7)) * SECOND + BigInt((m[8] ?? "").padEnd(7, "0") || "0");
  if (m[1] !== undefined) ticks = -ticks;
  if (BigInt.asIntN(64, ticks) !== ticks)
    throw new NetException("System.OverflowException", `The string '${text}' is not a valid TimeSpan value.`);
  return spanOf(ticks);
}

function toBoolean(text: string): boolean {
  switch (text.trim().toLowerCase()) {
    case "true":
    case "1":
      return true;
    case "false":
    case "0":
      return false;
    default:
      throw formatError(`The string '${text}' is not a valid Boolean value.`);
  }
}

const TEXT = ["System.String"];
const parse = (type: string): ((text: string) => unknown) => late(`System.${type}`, "Parse", TEXT);
const parseDate = parse("DateTime");
const parseOffset = parse("DateTimeOffset");
const parseDouble = parse("Double");
const parseSingle = parse("Single");
const parseGuid = parse("Guid");

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?(?:Z|[+-]\d\d:\d\d)?$/;

function infinite(text: string): number | null {
  const trimmed = text.trim();
  return trimmed === "INF" ? Infinity : trimmed === "-INF" ? -Infinity : null;
}

/** Text → raw value, by C# keyword or short name of the target. */
export const FROM_TEXT: readonly (readonly [string, (text: string) => unknown])[] = [
  ["bool", toBoolean],
  ["int", parse("Int32")],
  ["uint", parse("UInt32")],
  ["long", parse("Int64")],
  ["ulong", parse("UInt64")],
  ["float", (text) => infinite(text) ?? parseSingle(text)],
  ["double", (text) => infinite(text) ?? parseDouble(text)],
  ["decimal", parse("Decimal")],
  ["DateTime", (text) => (ISO.test(text.trim()) ? parseIsoDate(text.trim()) : parseDate(text))],
  ["DateTimeOffset", parseOffset],
  ["TimeSpan", toTimeSpan],
  ["Guid", (text) => parseGuid(text.trim())],
];
