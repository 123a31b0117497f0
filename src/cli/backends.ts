/** `headgate backends`: how the running gateway's backends are doing, and commands for one of them. */
import type { Command } from "commander";
import type { LocalAccess } from "../base/local-access.ts";
import type { Application, BackendReport } from "./application.ts";
import { EXIT } from "./index.ts";
import { DoorRefusal, askLocalGateway, findLocalGateway } from "./local-gateway.ts";
import { wantsColor } from "./report.ts";

interface Flags {
  readonly dataDir?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
}

const EVERY_MS = 1000;
/** Cursor home, and everything below it away: the list is drawn over itself. */
const REDRAW = "\x1b[H\x1b[J";
const DATA_DIR = [
  "--data-dir <dir>",
  "the gateway's data folder (HEADGATE_DATA; default ./.headgate)",
] as const;

const ACTIONS = [
  ["reset", "resetBackend", "Close its circuit breaker and end its ejections.", "is reset"],
  ["drain", "drainBackend", "Send it nothing new; what is under way finishes.", "is drained"],
  ["undrain", "undrainBackend", "Send it requests again.", "takes requests again"],
] as const;

export function addBackends(program: Command, application: Application, done: (code: number) => void): void {
  const backends = program
    .command("backends")
    .description("Show how the running gateway's backends are doing; reset, drain or undrain one.")
    .option("-w, --watch", "show it again every second, until Ctrl-C")
    .option(...DATA_DIR)
    .option("--json", "as JSON; with --watch one line each second")
    .addHelpText(
      "after",
      `
Examples:
  headgate backends                  state, requests under way, p50 and p95, last outcomes, trips
  headgate backends --watch
  headgate backends reset east       close its circuit breaker now
  headgate backends drain east       no new requests for it
`,
    )
    .action(async (flags: Flags) => done(await list(application, flags)));
  for (const [name, action, description, outcome] of ACTIONS) {
    backends
      .command(name)
      .description(description)
      .argument("<id>", "name of the backend")
      .option(...DATA_DIR)
      .exitOverride()
      .action(async (id: string, own: Flags) => {
        const dataDir = own.dataDir ?? backends.opts<Flags>().dataDir;
        done(await act(application, dataDir, action, id, outcome));
      });
  }
}

async function list(application: Application, { dataDir, json, watch }: Flags): Promise<number> {
  const access = findLocalGateway(application, dataDir);
  if (access === null) return EXIT.unavailable;
  const { stdout, environment } = application;
  let stopped = false;
  let stop = (): void => {};
  const asked = new Promise<void>((resolve) => (stop = resolve));
  if (watch === true)
    application.onSignal(() => {
      stopped = true;
      stop();
    });
  try {
    for (;;) {
      const reports = await ask(application, access);
      if (json === true)
        stdout.write(`${watch === true ? JSON.stringify(reports) : JSON.stringify(reports, null, 2)}\n`);
      else {
        const over = watch === true && stdout.isTTY === true ? REDRAW : "";
        stdout.write(over + renderBackends(reports, wantsColor(stdout, environment)));
      }
      if (watch !== true) return EXIT.ok;
      await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, EVERY_MS).unref())]);
      if (stopped) return EXIT.ok;
    }
  } catch (error) {
    return complain(application, error);
  }
}

async function act(
  application: Application,
  dataDir: string | undefined,
  action: string,
  id: string,
  outcome: string,
): Promise<number> {
  const access = findLocalGateway(application, dataDir);
  if (access === null) return EXIT.unavailable;
  try {
    await askLocalGateway(application, access, `/gateways/managed/${action}`, { id });
    application.stdout.write(`${id} ${outcome}\n`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof DoorRefusal) || error.status !== 404) return complain(application, error);
    application.stderr.write(`error: ${notFound(id, await ask(application, access))}\n`);
    return EXIT.failure;
  }
}

function notFound(id: string, reports: readonly BackendReport[]): string {
  const members = reports.filter(({ pools }) => pools.includes(id));
  const names = (members.length > 0 ? members : reports).map((report) => report.id).join(", ") || "none";
  return members.length > 0
    ? `"${id}" is a pool; name one of its members: ${names}`
    : `there is no backend "${id}"; there are: ${names}`;
}

async function ask(application: Application, access: LocalAccess): Promise<readonly BackendReport[]> {
  const { value } = (await askLocalGateway(application, access, "/gateways/managed/listBackends", {})) as {
    value: readonly BackendReport[];
  };
  return value;
}

function complain(application: Application, error: unknown): number {
  application.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  return EXIT.unavailable;
}

// ── The list ──────────────────────────────────────────────────────────────────────────────────────────────────────

const HEADINGS = [
  "BACKEND",
  "STATE",
  "IN FLIGHT",
  "P50",
  "P95",
  "ATTEMPTS",
  "FAILED",
  "TRIPS",
  "LAST OUTCOMES",
];
/** Columns of numbers. */
const RIGHT = new Set([2, 3, 4, 5, 6, 7]);
const RED = "\x1b[31m";
const YELLOW = "\x1b[33m";
const PLAIN = "\x1b[0m";

/** One line for each, in the configuration's order; ends with a line break. */
export function renderBackends(reports: readonly BackendReport[], color: boolean): string {
  if (reports.length === 0) return "There are no backends.\n";
  const rows = [HEADINGS, ...reports.map(rowOf)];
  const widths = HEADINGS.map((_heading, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map((row, n) => {
      const cells = row.map((cell, i) =>
        RIGHT.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      );
      const shade = n === 0 || !color ? "" : shadeOf(reports[n - 1]!);
      if (shade !== "") cells[1] = `${shade}${cells[1]!}${PLAIN}`;
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}

function rowOf(report: BackendReport): string[] {
  const { id, inFlight, p50Ms, p95Ms, attempts, failures, trips, breaker, pools, lastOutcomes } = report;
  // Nothing is counted for a backend that neither a breaker nor a pool looks after.
  if (breaker === null && pools.length === 0) return [id, stateOf(report), ...Array<string>(6).fill("-"), ""];
  return [
    id,
    stateOf(report),
    String(inFlight),
    milliseconds(p50Ms),
    milliseconds(p95Ms),
    String(attempts),
    String(failures),
    breaker === null ? "-" : String(trips),
    lastOutcomes.join(" "),
  ];
}

function stateOf({ breaker, openForMs, drained, ejectedForMs, pools }: BackendReport): string {
  const states: string[] = [];
  if (drained) states.push("drained");
  if (breaker === "open")
    states.push(openForMs > 0 ? `open for ${seconds(openForMs)}` : "open, the next request is the probe");
  else if (breaker === "half-open") states.push("half-open");
  if (ejectedForMs > 0) states.push(`ejected for ${seconds(ejectedForMs)}`);
  if (states.length > 0) return states.join(", ");
  return breaker === null && pools.length === 0 ? "not watched" : "well";
}

function shadeOf({ breaker, drained, ejectedForMs }: BackendReport): string {
  if (breaker === "open") return RED;
  return drained || breaker === "half-open" || ejectedForMs > 0 ? YELLOW : "";
}

function milliseconds(ms: number | null): string {
  if (ms === null) return "-";
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${ms.toFixed(0)} ms` : seconds(ms);
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}
