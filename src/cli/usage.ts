/** `headgate usage`: tokens and cost, summed up by whom and over what time. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Application } from "./application.ts";
import { EXIT } from "./index.ts";
import { type Column, csvLine, money, readSince, tableHead, tableLine, timeText } from "./ledger-answers.ts";
import { askLocalGateway, findLocalGateway } from "./local-gateway.ts";

const DIMENSIONS = ["subscription", "product", "api", "model", "backend"] as const;
type Dimension = (typeof DIMENSIONS)[number];

interface Flags extends Readonly<Partial<Record<Dimension, string>>> {
  readonly by: readonly Dimension[];
  readonly since: ReturnType<typeof readSince>;
  readonly step?: "minute" | "hour" | "day";
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly dataDir?: string;
}

/** As the ledger sums up. */
interface UsageRow extends Readonly<Partial<Record<Dimension, string | null>>> {
  readonly time: number | null;
  readonly requests: number;
  readonly errors: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly totalTokens: number;
  readonly costMicros: number;
  readonly unpriced: number;
  readonly durationMs: number;
}

const WEEK_MS = 7 * 86_400_000;

export function addUsage(program: Command, application: Application, done: (code: number) => void): void {
  const command = program
    .command("usage")
    .description("Sum up requests to models: tokens and cost, by whom and over what time.")
    .addOption(
      new Option("--by <names>", `one or more of ${DIMENSIONS.join(", ")}`)
        .argParser(readBy)
        .default(["model"], "model"),
    )
    .addOption(
      new Option("--since <span>", "1h, 7d, or a date")
        .argParser(readSince)
        .default({ since: WEEK_MS }, "7d"),
    )
    .addOption(new Option("--step <step>", "a row per").choices(["minute", "hour", "day"]));
  for (const name of DIMENSIONS) command.option(`--${name} <name>`, `only this ${name}`);
  command
    .option("--json", "as one JSON document")
    .option("--csv", "as comma-separated values")
    .option("--data-dir <dir>", "the gateway's data folder (HEADGATE_DATA; default ./.headgate)")
    .addHelpText(
      "after",
      `
Examples:
  headgate usage                                     the last seven days by model
  headgate usage --by subscription,model --since 30d who used what
  headgate usage --step day --csv > usage.csv
`,
    )
    .action(async (flags: Flags) => done(await usage(application, flags)));
}

async function usage(application: Application, flags: Flags): Promise<number> {
  const access = findLocalGateway(application, flags.dataDir);
  if (access === null) return EXIT.unavailable;
  const filters: Partial<Record<Dimension, string>> = {};
  for (const name of DIMENSIONS) if (flags[name] !== undefined) filters[name] = flags[name];
  try {
    const question = { ...flags.since, by: flags.by, step: flags.step, filters };
    const answer = await askLocalGateway(application, access, "/ledger/usage", question);
    const { rows, truncated } = answer as { rows: UsageRow[]; truncated: boolean };
    if (flags.json === true) application.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    else if (flags.csv === true) application.stdout.write(csvOf(rows, flags));
    else application.stdout.write(tableOf(rows, flags));
    if (truncated) application.stderr.write(`note: only the first ${rows.length} rows are shown\n`);
    return EXIT.ok;
  } catch (error) {
    application.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.unavailable;
  }
}

const NUMBERS: readonly Column[] = [
  ["REQUESTS", -9],
  ["ERRORS", -7],
  ["IN", -12],
  ["OUT", -12],
  ["CACHED", -12],
  ["COST", -12],
  ["AVG MS", -8],
];

function tableOf(rows: readonly UsageRow[], flags: Flags): string {
  const columns: Column[] = [
    ...(flags.step === undefined ? [] : ([["TIME", 20]] as const)),
    ...flags.by.map((name) => [name.toUpperCase(), 24] as const),
    ...NUMBERS,
  ];
  const lines = rows.map((row) =>
    tableLine(columns, [
      ...(flags.step === undefined ? [] : [timeText(row.time ?? 0)]),
      ...flags.by.map((name) => row[name] ?? "-"),
      ...numbersOf(row),
    ]),
  );
  if (rows.length !== 1) {
    const names = columns.length - NUMBERS.length;
    const blank = Array.from({ length: names }, (_, i) => (i === 0 ? "all" : ""));
    lines.push(tableLine(columns, [...blank, ...numbersOf(total(rows))]));
  }
  const unpriced = total(rows).unpriced;
  const note =
    unpriced === 0
      ? ""
      : `\n${unpriced === 1 ? "1 request is of a model" : `${unpriced} requests are of models`} whose price is not known; COST leaves ${unpriced === 1 ? "it" : "them"} out.\n`;
  return `${[tableHead(columns), ...lines].join("\n")}\n${note}`;
}

function numbersOf(row: UsageRow): string[] {
  return [
    String(row.requests),
    String(row.errors),
    String(row.promptTokens),
    String(row.completionTokens),
    String(row.cachedTokens),
    row.unpriced === row.requests && row.requests > 0
      ? "?"
      : `${money(row.costMicros)}${row.unpriced > 0 ? "+?" : ""}`,
    row.requests === 0 ? "-" : String(Math.round(row.durationMs / row.requests)),
  ];
}

const SUMMED = [
  "requests",
  "errors",
  "promptTokens",
  "completionTokens",
  "cachedTokens",
  "totalTokens",
  "costMicros",
  "unpriced",
  "durationMs",
] as const satisfies readonly (keyof UsageRow)[];

function total(rows: readonly UsageRow[]): UsageRow {
  const sums = Object.fromEntries(
    SUMMED.map((name) => [name, rows.reduce((sum, row) => sum + row[name], 0)]),
  );
  return { time: null, ...(sums as unknown as Omit<UsageRow, "time">) };
}

function csvOf(rows: readonly UsageRow[], flags: Flags): string {
  const head = [...(flags.step === undefined ? [] : ["time"]), ...flags.by, ...SUMMED];
  const lines = rows.map((row) => [
    ...(flags.step === undefined ? [] : [timeText(row.time ?? 0)]),
    ...flags.by.map((name) => row[name] ?? null),
    ...SUMMED.map((name) => row[name]),
  ]);
  return [head, ...lines].map((line) => `${csvLine(line)}\r\n`).join("");
}

/** @throws InvalidArgumentError */
function readBy(text: string): Dimension[] {
  return text.split(",").map((name) => {
    const found = DIMENSIONS.find((dimension) => dimension === name.trim());
    if (found === undefined) throw new InvalidArgumentError(`write one or more of ${DIMENSIONS.join(", ")}`);
    return found;
  });
}
