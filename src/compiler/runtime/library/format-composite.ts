/**
 * Composite formatting: `{index[,alignment][:format]}` with `{{` and `}}`, for `string.Format`, `AppendFormat` and
 * interpolation.
 */
import { checkGrowth, checkLength, spend, spendUnits } from "../budget.ts";
import { argumentNull, formatError } from "../errors.ts";
import { formatted, textOf } from "../values.ts";

/** Larger indexes and alignments are refused by .NET too. */
const LIMIT = 1_000_000;

/** One `{…}` with its value already boxed: text of a hole in an interpolated string. */
export function formatHole(value: unknown, alignment: number, format: string | null): string {
  const text =
    format === null || format === "" ? textOf(value) : value === null ? "" : formatted(value, format);
  if (alignment === 0) return text;
  const width = Math.abs(alignment);
  if (text.length >= width) return text;
  checkLength(width);
  return alignment < 0 ? text.padEnd(width) : text.padStart(width);
}

/**
 * `string.Format(format, args)`.
 *
 * @param args boxed
 * @throws FormatException for unbalanced braces or an index without argument
 */
export function formatComposite(format: string | null, args: readonly unknown[]): string {
  if (format === null) throw argumentNull("format");
  spendUnits(format.length);
  let result = "";
  let literal = 0;
  let at = 0;
  while (at < format.length) {
    const c = format.charCodeAt(at);
    if (c === OPEN || c === CLOSE) {
      result += format.slice(literal, at);
      if (format.charCodeAt(at + 1) === c) {
        literal = at + 1;
        at += 2;
        continue;
      }
      if (c === CLOSE) throw formatError();
      const item = readItem(format, at + 1);
      if (item.index >= args.length) throw formatError(MISSING);
      const text = formatHole(args[item.index] ?? null, item.alignment, item.format);
      result += text;
      checkGrowth(result.length, text.length);
      spend();
      at = literal = item.end;
    } else at++;
  }
  return result + format.slice(literal);
}

const OPEN = 123;
const CLOSE = 125;
const MISSING =
  "Index (zero based) must be greater than or equal to zero and less than the size of the argument list.";

interface Item {
  readonly index: number;
  readonly alignment: number;
  readonly format: string | null;
  /** Behind the closing brace. */
  readonly end: number;
}

const ITEM = /(\d{1,7}) *(?:, *(-?)(\d{1,7}) *)?(?::([^{}]*))?\}/y;

function readItem(format: string, at: number): Item {
  ITEM.lastIndex = at;
  const match = ITEM.exec(format);
  if (match === null) throw formatError();
  const index = Number(match[1]);
  const width = Number(match[3] ?? 0);
  if (index >= LIMIT || width >= LIMIT) throw formatError();
  return {
    index,
    alignment: match[2] === "-" ? -width : width,
    format: match[4] ?? null,
    end: ITEM.lastIndex,
  };
}
