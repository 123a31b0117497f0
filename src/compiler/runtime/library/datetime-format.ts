/** Standard and custom formats of DateTime and DateTimeOffset, invariant culture (`expressions.md` §5.4). */
import { checkLength, spendUnits } from "../budget.ts";
import { formatError } from "../errors.ts";
import { type CalendarFields, TICKS_PER_MINUTE, fieldsOf } from "./calendar.ts";

export const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
export const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** A moment as formats see it. */
export interface Shown {
  /** Clock time. */
  readonly ticks: bigint;
  /** Minutes from UTC, asked only where a format shows it. */
  offset(): number;
  /** What `K` writes: `Z`, an offset, or nothing. */
  readonly zone: "utc" | "offset" | "none";
  /** A DateTimeOffset: R and u show UTC, there is no U. */
  readonly hasOffset: boolean;
}

const STANDARD: Readonly<Record<string, string>> = {
  d: "MM/dd/yyyy",
  D: "dddd, dd MMMM yyyy",
  f: "dddd, dd MMMM yyyy HH:mm",
  F: "dddd, dd MMMM yyyy HH:mm:ss",
  g: "MM/dd/yyyy HH:mm",
  G: "MM/dd/yyyy HH:mm:ss",
  m: "MMMM dd",
  M: "MMMM dd",
  o: "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
  O: "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
  r: "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
  R: "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
  s: "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
  t: "HH:mm",
  T: "HH:mm:ss",
  u: "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
  y: "yyyy MMMM",
  Y: "yyyy MMMM",
};

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

/** @throws FormatException */
export function formatMoment(moment: Shown, format: string | null): string {
  if (format === null || format === "") {
    format = moment.hasOffset ? "MM/dd/yyyy HH:mm:ss zzz" : STANDARD["G"]!;
  } else if (format.length === 1) {
    if (format === "U") {
      if (moment.hasOffset) throw formatError();
      return custom(moment, fieldsOf(utcTicks(moment)), STANDARD["F"]!);
    }
    const pattern = STANDARD[format];
    if (pattern === undefined) throw formatError();
    const inUtc = moment.hasOffset && (format === "r" || format === "R" || format === "u");
    return custom(moment, fieldsOf(inUtc ? utcTicks(moment) : moment.ticks), pattern);
  }
  return custom(moment, fieldsOf(moment.ticks), format);
}

function utcTicks(moment: Shown): bigint {
  return moment.zone === "utc" ? moment.ticks : moment.ticks - BigInt(moment.offset()) * TICKS_PER_MINUTE;
}

function custom(moment: Shown, fields: CalendarFields, format: string): string {
  checkLength(format.length);
  let text = "";
  let paid = 0;
  for (let at = 0; at < format.length;) {
    if (at - paid > 1023) {
      spendUnits(at - paid);
      paid = at;
    }
    const c = format[at]!;
    switch (c) {
      case "'":
      case '"': {
        let end = at + 1;
        for (; format[end] !== c; end++) {
          if (end >= format.length)
            throw formatError(`Cannot find a matching quote character for the character '${c}'.`);
          if (format[end] === "\\") end++;
          if (end < format.length) text += format[end]!;
        }
        at = end + 1;
        break;
      }
      case "\\":
        if (at + 1 >= format.length) throw formatError();
        text += format[at + 1]!;
        at += 2;
        break;
      case "%":
        if (format[at + 1] === undefined || format[at + 1] === "%") throw formatError();
        at++;
        break;
      default: {
        let count = 1;
        while (format[at + count] === c) count++;
        const piece = LETTERS[c];
        text += piece === undefined ? format.slice(at, at + count) : piece(fields, count, moment);
        if (c === "F" && text.endsWith(".") && fractionText(fields, count).replace(/0+$/, "") === "") {
          text = text.slice(0, -1);
        }
        at += count;
      }
    }
  }
  return text;
}

function fractionText(fields: CalendarFields, count: number): string {
  if (count > 7) throw formatError();
  return pad(fields.fraction, 7).slice(0, count);
}

function offsetText(minutes: number, count: number): string {
  const sign = minutes < 0 ? "-" : "+";
  const hours = Math.floor(Math.abs(minutes) / 60);
  if (count === 1) return `${sign}${hours}`;
  if (count === 2) return `${sign}${pad(hours, 2)}`;
  return `${sign}${pad(hours, 2)}:${pad(Math.abs(minutes) % 60, 2)}`;
}

type Piece = (fields: CalendarFields, count: number, moment: Shown) => string;

const LETTERS: Readonly<Record<string, Piece | undefined>> = {
  __proto__: null as never,
  d: ({ day, weekday }, count) =>
    count > 3 ? DAYS[weekday]! : count === 3 ? DAYS[weekday]!.slice(0, 3) : pad(day, count),
  M: ({ month }, count) =>
    count > 3 ? MONTHS[month - 1]! : count === 3 ? MONTHS[month - 1]!.slice(0, 3) : pad(month, count),
  y: ({ year }, count) => (count <= 2 ? pad(year % 100, count) : pad(year, count)),
  h: ({ hour }, count) => pad(hour % 12 === 0 ? 12 : hour % 12, Math.min(count, 2)),
  H: ({ hour }, count) => pad(hour, Math.min(count, 2)),
  m: ({ minute }, count) => pad(minute, Math.min(count, 2)),
  s: ({ second }, count) => pad(second, Math.min(count, 2)),
  f: fractionText,
  F: (fields, count) => fractionText(fields, count).replace(/0+$/, ""),
  t: ({ hour }, count) => (hour < 12 ? "AM" : "PM").slice(0, count === 1 ? 1 : 2),
  g: () => "A.D.",
  z: (_, count, moment) => offsetText(moment.zone === "utc" ? 0 : moment.offset(), count),
  K: (_, count, moment) => {
    const text = moment.zone === "none" ? "" : moment.zone === "utc" ? "Z" : offsetText(moment.offset(), 3);
    return text.repeat(count);
  },
};
