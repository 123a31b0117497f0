/** Laws that hold for every value: round trips, and agreement with the platform where both know the answer. */
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { configureBudget, beginEvaluation } from "../budget.ts";
import { typeNamed } from "../values.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { fieldsOf, ticksOf, unixMsOfTicks } from "./calendar.ts";
import { formatMoment } from "./datetime-format.ts";
import { readMoment } from "./datetime-parse.ts";
import {
  Decimal,
  MAX_COEFFICIENT,
  addDecimal,
  compareDecimal,
  decimalText,
  divideDecimal,
  multiplyDecimal,
  subtractDecimal,
} from "./decimal-arithmetic.ts";
import { parseDecimal } from "./decimal.ts";
import { floatingText, numberText } from "./format-standard.ts";
import { readDouble } from "./number-parse.ts";
import { canonical, escapeData, parseAbsolute, isFailure, unescapeData } from "./uri-parse.ts";
import { htmlDecode, htmlEncode } from "./web-utility.ts";
import { readTimeSpan, TimeSpan, timeSpanText } from "./timespan.ts";
import "./index.ts";

beforeEach(() => {
  configureBudget(() => 0);
  beginEvaluation();
});

const check = <T>(arbitrary: fc.Arbitrary<T>, law: (value: T) => void): void =>
  fc.assert(
    fc.property(arbitrary, (value) => {
      beginEvaluation();
      law(value);
    }),
    { numRuns: 200, seed: 20240305 },
  );

const decimals = fc
  .tuple(fc.bigInt({ min: -MAX_COEFFICIENT, max: MAX_COEFFICIENT }), fc.integer({ min: 0, max: 28 }))
  .map(([coefficient, scale]) => new Decimal(coefficient, scale));
const smallDecimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.integer({ min: 0, max: 8 }))
  .map(([coefficient, scale]) => new Decimal(coefficient, scale));
const ticks = fc.bigInt({ min: 0n, max: 3_155_378_975_999_999_999n });

test("a double's text reads back as the same double", () =>
  check(fc.double({ noNaN: true }), (value) => {
    expect(readDouble(floatingText(value, false))).toBe(value);
  }));

test("a float's text reads back as the same float", () =>
  check(fc.float({ noNaN: true }), (value) => {
    expect(Math.fround(readDouble(floatingText(value, true)) as number)).toBe(value);
  }));

test("E16 keeps a double", () =>
  check(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
    expect(Number(numberText(value, typeNamed("System.Double"), "E16"))).toBe(value);
  }));

test("F agrees with toFixed, N is F with commas", () =>
  check(
    fc.tuple(fc.double({ min: -1e20, max: 1e20, noNaN: true }), fc.integer({ min: 0, max: 30 })),
    ([value, places]) => {
      const fixed = numberText(value, typeNamed("System.Double"), `F${places}`);
      expect(Number(fixed) === Number(value.toFixed(places))).toBe(true);
      expect(numberText(value, typeNamed("System.Double"), `N${places}`).replaceAll(",", "")).toBe(fixed);
    },
  ));

test("a decimal's text reads back with its scale", () =>
  check(decimals, (value) => {
    const back = parseDecimal(decimalText(value));
    expect([back.coefficient, back.scale]).toEqual([value.coefficient, value.scale]);
  }));

test("decimal sums, products and quotients undo", () =>
  check(fc.tuple(smallDecimals, smallDecimals), ([a, b]) => {
    expect(compareDecimal(subtractDecimal(addDecimal(a, b), b), a)).toBe(0);
    if (b.coefficient !== 0n) expect(compareDecimal(divideDecimal(multiplyDecimal(a, b), b), a)).toBe(0);
  }));

test("the calendar agrees with the platform's", () =>
  check(ticks, (value) => {
    const f = fieldsOf(value);
    const date = new Date(unixMsOfTicks(value));
    expect([f.year, f.month, f.day, f.hour, f.minute, f.second, f.weekday]).toEqual([
      date.getUTCFullYear(),
      date.getUTCMonth() + 1,
      date.getUTCDate(),
      date.getUTCHours(),
      date.getUTCMinutes(),
      date.getUTCSeconds(),
      date.getUTCDay(),
    ]);
    expect(ticksOf(f.year, f.month, f.day, f.hour, f.minute, f.second, f.fraction)).toBe(value);
  }));

test("the round-trip format reads back", () =>
  check(ticks, (value) => {
    const text = formatMoment({ ticks: value, offset: () => 0, zone: "none", hasOffset: false }, "o");
    expect(readMoment(text)).toEqual({ ticks: value, offset: null });
  }));

test("a TimeSpan's text reads back", () =>
  check(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
    expect((readTimeSpan(timeSpanText(new TimeSpan(value))) as TimeSpan).ticks).toBe(value);
  }));

test("Base64 agrees with the platform's", () =>
  check(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    const text = toBase64(bytes);
    expect(text).toBe(Buffer.from(bytes).toString("base64"));
    expect(fromBase64(text)).toEqual(bytes);
  }));

test("escaping undoes, and agrees with the platform's but for five characters", () =>
  check(fc.string({ unit: "grapheme" }), (text) => {
    const whole = text.toWellFormed();
    expect(unescapeData(escapeData(whole))).toBe(whole);
    expect(escapeData(whole)).toBe(
      encodeURIComponent(whole).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
    );
    expect(htmlDecode(htmlEncode(whole))).toBe(whole);
  }));

test("a canonical URI is its own canonical form, and no text breaks the parser", () =>
  check(
    fc.oneof(
      fc.string(),
      fc.string().map((s) => `http://h/${s}`),
    ),
    (text) => {
      const parts = parseAbsolute(text);
      if (isFailure(parts)) return;
      expect(canonical(parts.path)).toBe(parts.path);
      expect(canonical(parts.query)).toBe(parts.query);
    },
  ));
