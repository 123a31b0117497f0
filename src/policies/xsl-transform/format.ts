/** Numbers as text: `format-number()` (XSLT 1.0 §12.3) and `xsl:number` (§7.7). */
export interface DecimalFormat {
  readonly decimal: string;
  readonly grouping: string;
  readonly infinity: string;
  readonly minus: string;
  readonly nan: string;
  readonly percent: string;
  readonly perMille: string;
  readonly zero: string;
  readonly digit: string;
  readonly separator: string;
}

export const DEFAULT_FORMAT: DecimalFormat = {
  decimal: ".",
  grouping: ",",
  infinity: "Infinity",
  minus: "-",
  nan: "NaN",
  percent: "%",
  perMille: "\u2030",
  zero: "0",
  digit: "#",
  separator: ";",
};

export function formatNumber(value: number, pattern: string, format: DecimalFormat): string {
  if (Number.isNaN(value)) return format.nan;
  const [positive = "", negative] = pattern.split(format.separator, 2);
  const isNegative = value < 0 || Object.is(value, -0);
  const chosen = isNegative && negative !== undefined ? negative : positive;
  const sign = isNegative && negative === undefined ? format.minus : "";
  const special = format.digit + format.zero + format.decimal + format.grouping;
  const isSpecial = (c: string): boolean => special.includes(c);
  const characters = [...chosen];
  const first = characters.findIndex(isSpecial);
  if (first < 0) return sign + chosen;
  const last = characters.findLastIndex(isSpecial);
  const [prefix, body, suffix] = [
    characters.slice(0, first).join(""),
    characters.slice(first, last + 1).join(""),
    characters.slice(last + 1).join(""),
  ];
  const affixes = prefix + suffix;
  const scale = affixes.includes(format.percent) ? 100 : affixes.includes(format.perMille) ? 1000 : 1;
  const absolute = Math.abs(value) * scale;
  if (absolute === Infinity) return sign + prefix + format.infinity + suffix;
  return sign + prefix + digits(absolute, body, format) + suffix;
}

function digits(value: number, body: string, format: DecimalFormat): string {
  const [whole = "", fraction = ""] = body.split(format.decimal, 2);
  const count = (text: string, c: string): number => text.split(c).length - 1;
  const minFraction = Math.min(20, count(fraction, format.zero));
  const maxFraction = Math.min(20, minFraction + count(fraction, format.digit));
  const minWhole = Math.min(100, count(whole, format.zero));
  const groupAt = whole.lastIndexOf(format.grouping);
  const groupSize = groupAt < 0 ? 0 : whole.length - groupAt - 1;
  const text = value.toLocaleString("en-US", {
    useGrouping: false,
    minimumFractionDigits: minFraction,
    maximumFractionDigits: maxFraction,
    roundingMode: "halfEven",
  } as Intl.NumberFormatOptions);
  const [wholeDigits = "0", fractionDigits = ""] = text.split(".");
  const padded = (wholeDigits === "0" && minWhole === 0 && fractionDigits !== "" ? "" : wholeDigits).padStart(
    minWhole,
    "0",
  );
  const grouped =
    groupSize > 0
      ? padded.replace(new RegExp(`\\B(?=(?:\\d{${groupSize}})+$)`, "g"), () => format.grouping)
      : padded;
  const joined = fractionDigits === "" ? grouped : grouped + format.decimal + fractionDigits;
  return format.zero === "0"
    ? joined
    : joined.replace(/\d/g, (digit) => String.fromCodePoint(format.zero.codePointAt(0)! + Number(digit)));
}

/** Numbers in the manner of `1`, `01`, `a`, `A`, `i`, `I`, with what stands between (§7.7.1). */
export function formatNumbers(
  numbers: readonly number[],
  pattern: string,
  groupingSeparator: string,
  groupingSize: number,
): string {
  const parts = pattern.match(/[\p{L}\p{N}]+|[^\p{L}\p{N}]+/gu) ?? ["1"];
  const isToken = (part: string): boolean => /[\p{L}\p{N}]/u.test(part);
  const tokens = parts.filter(isToken);
  const prefix = isToken(parts[0]!) ? "" : parts[0]!;
  const suffix = parts.length > 1 && !isToken(parts.at(-1)!) ? parts.at(-1)! : "";
  const between = parts
    .slice(prefix === "" ? 0 : 1, suffix === "" ? undefined : -1)
    .filter((part) => !isToken(part));
  let text = prefix;
  numbers.forEach((number, i) => {
    if (i > 0) text += between[Math.min(i - 1, between.length - 1)] ?? ".";
    const written = formatOne(number, tokens[Math.min(i, tokens.length - 1)] ?? "1");
    text +=
      groupingSize > 0 && /^\d+$/.test(written)
        ? written.replace(new RegExp(`\\B(?=(?:\\d{${groupingSize}})+$)`, "g"), () => groupingSeparator)
        : written;
  });
  return text + suffix;
}

function formatOne(number: number, token: string): string {
  switch (token) {
    case "a":
      return letters(number);
    case "A":
      return letters(number).toUpperCase();
    case "i":
      return roman(number);
    case "I":
      return roman(number).toUpperCase();
    default:
      return String(number).padStart(/^0*1$/.test(token) ? Math.min(token.length, 100) : 1, "0");
  }
}

function letters(number: number): string {
  if (number < 1) return String(number);
  let text = "";
  for (let left = number; left > 0; left = Math.floor((left - 1) / 26))
    text = String.fromCharCode(97 + ((left - 1) % 26)) + text;
  return text;
}

const ROMAN: readonly (readonly [number, string])[] = [
  [1000, "m"],
  [900, "cm"],
  [500, "d"],
  [400, "cd"],
  [100, "c"],
  [90, "xc"],
  [50, "l"],
  [40, "xl"],
  [10, "x"],
  [9, "ix"],
  [5, "v"],
  [4, "iv"],
  [1, "i"],
];

function roman(number: number): string {
  if (number < 1 || number > 4999) return String(number);
  let text = "";
  let left = number;
  for (const [value, letter] of ROMAN) {
    while (left >= value) {
      text += letter;
      left -= value;
    }
  }
  return text;
}
