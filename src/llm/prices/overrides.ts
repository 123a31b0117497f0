/**
 * The operator's own prices, in `prices.yaml` of the configuration folder. They come before the bundled ones; the first
 * entry that fits counts. US dollars per million tokens:
 *
 *     prices:
 *       - model: gpt-4o-2024-08-06      # exact, or a beginning and *
 *         provider: azure.ai.openai     # only of this provider; may be left out
 *         input: 2.25
 *         output: 9
 *         cacheRead: 1.1                # cacheWrite, inputAudio, outputAudio, reasoning: as their whole where left out
 *         request: 0.001                # dollars per request, on top
 */
import { LineCounter, type Node, isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Problem, SourceRange } from "../../base/problem.ts";
import { suggest } from "../../base/suggest.ts";
import type { Rates } from "./price.ts";

export const PRICES_FILE = "prices.yaml";

export interface Override {
  /** In lower case; without the `*`. */
  readonly model: string;
  readonly isPrefix: boolean;
  /** null = of any provider. */
  readonly provider: string | null;
  readonly rates: Rates;
  /** Where it stands: `prices.yaml:3`. */
  readonly entry: string;
}

/** What `headgate explain` says of them. */
export const priceMessages = {
  HG5801: {
    text: "prices.yaml cannot be read",
    explain:
      "The file is YAML with one list, `prices`. Each entry has a `model` (a name, or a beginning and `*`), may have a `provider`, " +
      "and rates in US dollars per million tokens: `input`, `output`, `cacheRead`, `cacheWrite`, `inputAudio`, `outputAudio`, " +
      "`reasoning`; `request` is in dollars per request.",
  },
  HG5802: {
    text: "an entry of prices.yaml is not complete or has something that it does not take",
    explain: "Rates are numbers of 0 and above. `model` is needed, and at least one rate.",
  },
  HG5803: {
    text: "an entry of prices.yaml is never reached",
    explain: "An entry before it fits everything that it fits; the first one that fits counts.",
  },
};

const RATES = [
  "input",
  "output",
  "cacheRead",
  "cacheWrite",
  "inputAudio",
  "outputAudio",
  "reasoning",
  "request",
] as const;
const KEYS: readonly string[] = ["model", "provider", ...RATES];

const DEAREST = 1e6;

/** @returns all that is usable, and everything wrong with its place */
export function readOverrides(text: string): { overrides: Override[]; problems: Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, maxAliasCount: 0 } as object);
  const problems: Problem[] = [];
  const complain = (
    code: keyof typeof priceMessages,
    message: string,
    at: readonly [number, number] | null,
    hint?: string,
    severity: Problem["severity"] = "error",
  ): void => {
    const range = at === null ? undefined : rangeOf(lines, at);
    problems.push({ code, severity, message, file: PRICES_FILE, range, hint });
  };
  for (const error of document.errors)
    complain("HG5801", `this is not YAML: ${error.message.split("\n", 1)[0]!}`, error.pos);
  if (problems.length > 0 || document.contents === null) return { overrides: [], problems };
  const list = isMap(document.contents) ? document.contents.get("prices", true) : undefined;
  if (!isSeq(list)) {
    const hint = "write `prices:` and a list of entries below it";
    complain("HG5801", "there is no list `prices`", placeOf(document.contents), hint);
    return { overrides: [], problems };
  }
  const overrides: Override[] = [];
  for (const item of list.items) {
    const at = placeOf(item as Node);
    if (!isMap(item)) {
      complain("HG5802", "an entry is a mapping with `model` and rates", at);
      continue;
    }
    let model: string | null = null;
    let provider: string | null = null;
    const rates: Record<string, number> = {};
    const before = problems.length;
    for (const pair of item.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : "";
      const value = isScalar(pair.value) ? pair.value.value : undefined;
      const place = placeOf((pair.value ?? pair.key) as Node) ?? at;
      if (!KEYS.includes(key)) {
        const near = suggest(key, KEYS);
        const hint =
          near === undefined || near === null
            ? `known are ${KEYS.join(", ")}`
            : `did you mean \`${String(near)}\`?`;
        complain("HG5802", `\`${key}\` means nothing here`, placeOf(pair.key as Node) ?? at, hint);
      } else if (key === "model" || key === "provider") {
        if (typeof value !== "string" || value.trim() === "")
          complain("HG5802", `\`${key}\` is a name`, place);
        else if (key === "model") model = value.trim().toLowerCase();
        else provider = value.trim().toLowerCase();
      } else if (typeof value !== "number" || !(value >= 0 && value <= DEAREST)) {
        complain("HG5802", `\`${key}\` is a number of dollars from 0 to ${DEAREST}`, place);
      } else rates[key] = value;
    }
    if (problems.length > before) continue;
    if (model === null) complain("HG5802", "an entry needs a `model`", at);
    else if (Object.keys(rates).length === 0)
      complain("HG5802", "an entry needs a rate, such as `input: 2.5`", at);
    else {
      const isPrefix = model.endsWith("*");
      const line = at === null ? 1 : lines.linePos(at[0]).line;
      const override: Override = {
        model: isPrefix ? model.slice(0, -1) : model,
        isPrefix,
        provider,
        rates,
        entry: `${PRICES_FILE}:${line}`,
      };
      const hiding = overrides.find((earlier) => covers(earlier, override));
      if (hiding !== undefined)
        complain("HG5803", `${hiding.entry} fits everything that this entry fits`, at, undefined, "warning");
      overrides.push(override);
    }
  }
  return { overrides, problems };
}

/** @returns the first that fits, or null */
export function overrideFor(
  overrides: readonly Override[],
  provider: string,
  model: string,
): Override | null {
  const name = model.toLowerCase();
  const of = provider.toLowerCase();
  return (
    overrides.find(
      (override) =>
        (override.provider === null || override.provider === of) &&
        (override.isPrefix ? name.startsWith(override.model) : name === override.model),
    ) ?? null
  );
}

function covers(earlier: Override, later: Override): boolean {
  if (earlier.provider !== null && earlier.provider !== later.provider) return false;
  if (earlier.isPrefix) return later.model.startsWith(earlier.model);
  return !later.isPrefix && earlier.model === later.model;
}

function placeOf(node: Node | null | undefined): readonly [number, number] | null {
  const range = node?.range;
  return range === undefined || range === null ? null : [range[0], range[1]];
}

function rangeOf(lines: LineCounter, [start, end]: readonly [number, number]): SourceRange {
  const from = lines.linePos(start);
  const to = lines.linePos(Math.max(start, end));
  return {
    start: { line: from.line, column: from.col },
    end:
      to.line === from.line ? { line: to.line, column: to.col } : { line: from.line, column: from.col + 1 },
  };
}
