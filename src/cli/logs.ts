/** `headgate logs`: what requests to models were answered and what they cost, from the running gateway's ledger. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { LocalAccess } from "../base/local-access.ts";
import type { Application } from "./application.ts";
import { type ExportFormat, exportHead, exportRecord, messagesOf } from "./evaluation.ts";
import { EXIT } from "./index.ts";
import {
  type Column,
  type LogRow,
  type MessagesPart,
  modelOf,
  money,
  plain,
  plainLines,
  readSince,
  tableHead,
  tableLine,
  timeText,
} from "./ledger-answers.ts";
import { DoorRefusal, askLocalGateway, findLocalGateway } from "./local-gateway.ts";
import { wantsColor } from "./report.ts";

interface Flags {
  readonly follow?: boolean;
  readonly since?: ReturnType<typeof readSince>;
  readonly api?: string;
  readonly subscription?: string;
  readonly product?: string;
  readonly user?: string;
  readonly backend?: string;
  readonly model?: string;
  readonly status?: string;
  readonly ending?: string;
  readonly evidence?: string;
  readonly text?: string;
  readonly minTokens?: number;
  readonly request?: string;
  readonly limit?: number;
  readonly messages?: boolean;
  readonly json?: boolean;
  readonly export?: ExportFormat;
  readonly dataDir?: string;
}

const SHOWN = 50;
const PAGE = 500;
/** Between two looks while following. */
const PAUSE_MS = 500;

export function addLogs(program: Command, application: Application, done: (code: number) => void): void {
  program
    .command("logs")
    .description("Show requests to models: what they asked, how they ended, what they cost.")
    .option("-f, --follow", "go on as requests come")
    .option("--since <span>", "1h, 7d, or a date (default: everything that is kept)", readSince)
    .option("--api <name>", "names may end in * here and below")
    .option("--subscription <name>", "")
    .option("--product <name>", "")
    .option("--user <name>", "")
    .option("--backend <name>", "")
    .option("--model <name>", "asked for, served or deployed under that name")
    .option("--status <status>", "429, or a class: 4xx")
    .option("--ending <ending>", "finished, incomplete, upstream-error, client-gone, cut-off, refused, …")
    .option("--evidence <kind>", "where token counts come from: reported, counted, estimated, none")
    .option("--text <phrase>", "a phrase in what was said, where messages are logged; may end in *")
    .option("--min-tokens <n>", "tokens in all, at least", readCount)
    .option("--request <id>", "one request, by its correlation id")
    .option("--limit <n>", `how many at most (default ${SHOWN}; with --export everything)`, readCount)
    .option("--messages", "what was said, too, where it is logged")
    .option("--json", "a JSON object per line")
    .addOption(
      new Option("--export <format>", "requests with their messages as a data set").choices(["jsonl", "csv"]),
    )
    .option("--data-dir <dir>", "the gateway's data folder (HEADGATE_DATA; default ./.headgate)")
    .addHelpText(
      "after",
      `
Examples:
  headgate logs -f                                    follow along
  headgate logs --since 1h --status 4xx               what went wrong in the last hour
  headgate logs --text "refund policy" --messages     who asked about it, and what
  headgate logs --since 7d --export jsonl > eval.jsonl
`,
    )
    .action(async (flags: Flags) => done(await logs(application, flags)));
}

async function logs(application: Application, flags: Flags): Promise<number> {
  if (flags.follow === true && (flags.text !== undefined || flags.export !== undefined)) {
    application.stderr.write("error: -f does not go with --text or --export\n");
    return EXIT.usage;
  }
  const access = findLocalGateway(application, flags.dataDir);
  if (access === null) return EXIT.unavailable;
  const screen = new Screen(application, access, flags);
  try {
    // What comes while the first rows are shown must not fall between.
    const end = flags.follow === true ? await screen.end() : null;
    await screen.show();
    if (end !== null) await screen.follow(end);
    return EXIT.ok;
  } catch (error) {
    application.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof DoorRefusal && error.status === 400 ? EXIT.usage : EXIT.unavailable;
  }
}

const COLUMNS: readonly Column[] = [
  ["TIME", 20],
  ["STATUS", -6],
  ["API", 16],
  ["SUBSCRIPTION", 16],
  ["MODEL", 24],
  ["IN", -7],
  ["OUT", -7],
  ["COST", -10],
  ["MS", -7],
  ["ENDING", 1],
];

class Screen {
  readonly #application: Application;
  readonly #access: LocalAccess;
  readonly #flags: Flags;
  readonly #color: boolean;
  /** Rows that `follow` would show again. */
  readonly #shown = new Set<number>();
  #headed = false;
  #withoutMessages = 0;

  constructor(application: Application, access: LocalAccess, flags: Flags) {
    this.#application = application;
    this.#access = access;
    this.#flags = flags;
    this.#color = wantsColor(application.stdout, application.environment);
  }

  /** What is there. Newest last, as on any log; an export begins with the newest. */
  async show(): Promise<void> {
    const { flags, limit } = { flags: this.#flags, limit: this.#limit };
    if (flags.export !== undefined) this.#write(exportHead(flags.export));
    const kept: LogRow[] = [];
    let left = limit;
    let cursor: string | undefined;
    do {
      const question = { ...this.#question(), limit: Math.min(PAGE, left), cursor };
      const page = (await this.#ask("/ledger/search", question)) as { rows: LogRow[]; next: string | null };
      left -= page.rows.length;
      cursor = page.next ?? undefined;
      if (flags.export === undefined) kept.push(...page.rows);
      else for (const row of page.rows) await this.#row(row);
    } while (cursor !== undefined && left > 0 && !this.#application.stdout.destroyed);
    for (const row of kept.toReversed()) await this.#row(row);
    for (const { seq } of kept) this.#shown.add(seq);
    if (flags.export !== undefined && this.#withoutMessages > 0) {
      const what =
        this.#withoutMessages === 1
          ? "1 request has no logged messages and was left out"
          : `${this.#withoutMessages} requests have no logged messages and were left out`;
      this.#application.stderr.write(`note: ${what}\n`);
    } else if (
      flags.export === undefined &&
      kept.length === 0 &&
      flags.follow !== true &&
      flags.json !== true
    )
      this.#application.stderr.write(
        "nothing fits (requests to models are recorded where a policy counts tokens or a diagnostic logs them)\n",
      );
  }

  /** Where the ledger ends now. */
  async end(): Promise<number> {
    return ((await this.#ask("/ledger/tail", {})) as { last: number }).last;
  }

  /** What comes after `end`, until somebody stops it or the gateway is gone. */
  async follow(end: number): Promise<void> {
    const filters = this.#question();
    let last = end;
    while (!this.#application.stdout.destroyed) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const tail = (await this.#ask("/ledger/tail", { ...filters, after: last })) as {
        rows: LogRow[];
        last: number;
      };
      last = tail.last;
      for (const row of tail.rows) if (!this.#shown.has(row.seq)) await this.#row(row);
      this.#shown.clear();
    }
  }

  get #limit(): number {
    return this.#flags.limit ?? (this.#flags.export === undefined ? SHOWN : Infinity);
  }

  #question(): object {
    const { since, api, subscription, product, user, backend, model, status } = this.#flags;
    const { ending, evidence, text, minTokens, request } = this.#flags;
    const named = { api, subscription, product, user, backend, model, status, ending, evidence };
    return { ...since, ...named, text, minTokens, requestId: request };
  }

  async #row(row: LogRow): Promise<void> {
    const { json, messages, export: format } = this.#flags;
    if (format !== undefined) return this.#export(format, row);
    const said = messages === true && row.hasContents ? await this.#messages(row) : null;
    if (json === true) {
      this.#write(`${JSON.stringify(messages === true ? { ...row, messages: said } : row)}\n`);
      return;
    }
    if (!this.#headed) this.#write(`${tableHead(COLUMNS)}\n`);
    this.#headed = true;
    const line = tableLine(COLUMNS, [
      timeText(row.timeMs),
      String(row.status),
      row.api ?? "-",
      row.subscription ?? "-",
      modelOf(row) ?? "-",
      tokens(row.promptTokens, row.evidence),
      tokens(row.completionTokens, row.evidence),
      money(row.costMicros),
      String(Math.round(row.durationMs)),
      row.error === null ? row.ending : `${row.ending} (${row.error})`,
    ]);
    this.#write(`${this.#color && row.status >= 400 ? `\u001b[31m${line}\u001b[0m` : line}\n`);
    if (said !== null) this.#write(conversation(said));
  }

  async #export(format: ExportFormat, row: LogRow): Promise<void> {
    const said = row.hasContents ? await this.#messages(row) : null;
    if (said === null) this.#withoutMessages++;
    else this.#write(exportRecord(format, row, said));
  }

  async #messages({ requestId, part }: LogRow): Promise<MessagesPart | null> {
    try {
      const { parts } = (await this.#ask("/ledger/messages", { requestId })) as { parts: MessagesPart[] };
      return parts.find((said) => said.part === part) ?? null;
    } catch (error) {
      // Of one row; the others can be shown all the same.
      const why = error instanceof Error ? error.message : String(error);
      this.#application.stderr.write(`note: the messages of ${requestId} cannot be read: ${why}\n`);
      return null;
    }
  }

  #ask(path: string, question: object): Promise<unknown> {
    return askLocalGateway(this.#application, this.#access, path, question);
  }

  #write(text: string): void {
    if (text !== "" && !this.#application.stdout.destroyed) this.#application.stdout.write(text);
  }
}

/** `~` where we have counted, the provider has not said. */
function tokens(count: number, evidence: string): string {
  return evidence === "estimated" || evidence === "counted" ? `~${count}` : String(count);
}

function conversation(said: MessagesPart): string {
  const lines: string[] = [];
  for (const [who, logged] of [
    ["", said.request],
    ["assistant", said.response],
  ] as const) {
    if (logged === null) continue;
    for (const { role, text } of messagesOf(logged.text))
      lines.push(`${plain(role === "" ? who : role)}: ${plainLines(text)}`);
    if (logged.truncated) lines.push("(cut)");
  }
  return `${lines.join("\n").replace(/^/gm, "    ")}\n`;
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError("write a number of 1 and above");
  return count;
}
