/** `headgate up`: the gateway on a folder, from nothing to an answer in one command. */
import { cpSync, existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Problem } from "../base/problem.ts";
import { suggest } from "../base/suggest.ts";
import type { Flags, Settings } from "../settings.ts";
import type { Application, ReloadOutcome, StartedGateway } from "./application.ts";
import { EXIT } from "./index.ts";
import { countProblems, renderProblems, wantsColor } from "./report.ts";
import { followTls, readTls } from "./tls-files.ts";

const EXAMPLE = join(import.meta.dirname, "..", "..", "examples", "start");
const DEFAULT_FOLDER = "headgate";

export function addUp(program: Command, application: Application, done: (code: number) => void): void {
  program
    .command("up", { isDefault: false })
    .description(
      "Start the gateway on a configuration folder; without one, on an example that answers at once.",
    )
    .option("--config <dir>", "configuration folder (HEADGATE_CONFIG; default ./headgate)")
    .option("--data-dir <dir>", "where keys and state are kept (HEADGATE_DATA; default ./.headgate)")
    // Its first name, before other commands came that take a body with it.
    .addOption(new Option("--data <dir>").hideHelp())
    .option("--host <address>", "address to listen on (HEADGATE_HOST; default 127.0.0.1)")
    .option("--port <number>", "port to listen on (HEADGATE_PORT; default 8080, or the next free one)")
    .option("--tls-key <file>", "PEM key, to listen with TLS (HEADGATE_TLS_KEY_FILE)")
    .option("--tls-cert <file>", "PEM certificate chain (HEADGATE_TLS_CERT_FILE)")
    .option(
      "--access-log <when>",
      "on, off, or auto: on unless standard output is a terminal (HEADGATE_ACCESS_LOG)",
    )
    .option("--json", "print what is started as one JSON object")
    .action(async ({ dataDir, ...flags }: Flags & { dataDir?: string }) =>
      done(await up(application, { ...flags, data: dataDir ?? flags.data })),
    );
}

async function up(application: Application, flags: Flags): Promise<number> {
  const { stdout, stderr, environment } = application;
  let settings: Settings;
  try {
    settings = application.readSettings(flags, environment);
  } catch (error) {
    return complain(application, error, EXIT.usage);
  }
  for (const name of application.unknownVariables(environment)) {
    const known = application.knownVariables();
    const meant = suggest(name, known);
    const hint = meant === null ? `known are ${known.join(", ")}` : `did you mean ${meant}?`;
    stderr.write(`warning: the environment variable ${name} means nothing; ${hint}\n`);
  }
  const configDir = settings.configDir ?? DEFAULT_FOLDER;
  const isNew = settings.configDir === null && !existsSync(configDir);
  if (isNew) cpSync(EXAMPLE, configDir, { recursive: true });
  if (!existsSync(configDir)) {
    stderr.write(`error: there is no folder ${configDir}\n`);
    return EXIT.invalidConfiguration;
  }

  const model = settings.demoModel ? await application.startDemoModel() : null;
  const watching = new ReloadReporter(application);
  let gateway: StartedGateway;
  try {
    gateway = await application.startGateway({
      configDir,
      dataDir: settings.dataDir,
      redis: settings.redis,
      environment: withDemoModel(environment, model?.url),
      host: settings.host,
      port: settings.port,
      portIsDefault: settings.portIsDefault,
      tls: readTls(settings),
      watch: true,
      admin: settings.admin,
      gateway: settings.gateway,
      egress: settings.egress,
      dnsServers: settings.dnsServers,
      sessionSecret: settings.sessionSecret,
      compat: settings.compat,
      publicUrl: settings.publicUrl,
      accessLog: settings.accessLog === "on" || (settings.accessLog === "auto" && stdout.isTTY !== true),
      logStream: stdout,
      onReload: (outcome) => watching.report(outcome),
    });
  } catch (error) {
    await model?.close();
    return failedToStart(application, watching, error);
  }
  watching.started();
  sayHello(application, settings, gateway, configDir, isNew);
  const stopFollowing = followTls(settings, gateway, (line) => void application.stderr.write(`${line}\n`));
  await untilSignal(application, gateway, settings.drainMs);
  stopFollowing();
  await model?.close();
  return EXIT.ok;
}

/** The built-in model's address is a named value of the example; whoever sets the variable decides. */
function withDemoModel(
  environment: Application["environment"],
  url: string | undefined,
): Application["environment"] {
  return url === undefined ? environment : { HEADGATE_NAMED_VALUE_DEMO_MODEL_URL: url, ...environment };
}

function failedToStart(application: Application, watching: ReloadReporter, error: unknown): number {
  if (watching.failed) {
    application.stderr.write(`error: the configuration was refused: ${countProblems(watching.problems)}\n`);
    return EXIT.invalidConfiguration;
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EADDRINUSE" || code === "EACCES" || code === "EADDRNOTAVAIL")
    return complain(application, error, EXIT.unavailable);
  return complain(application, error, EXIT.environment);
}

function complain(application: Application, error: unknown, code: number): number {
  if (error instanceof Error && "hint" in error && "code" in error) {
    const problem: Problem = {
      code: String(error.code),
      severity: "error",
      message: error.message.replace(/\.$/, ""),
      hint: String(error.hint),
    };
    application.stderr.write(
      renderProblems([problem], {
        color: wantsColor(application.stderr, application.environment),
        textOf: () => undefined,
      }),
    );
    return code;
  }
  application.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  return code;
}

/** Says what came of each attempt to load the folder. */
class ReloadReporter {
  readonly #application: Application;
  #isStarted = false;
  failed = false;
  problems: readonly Problem[] = [];

  constructor(application: Application) {
    this.#application = application;
  }

  started(): void {
    this.#isStarted = true;
  }

  report({ problems, applied, version, textOf }: ReloadOutcome): void {
    const { stderr, environment } = this.#application;
    this.failed = !applied;
    this.problems = problems;
    if (problems.length > 0)
      stderr.write(`${renderProblems(problems, { color: wantsColor(stderr, environment), textOf })}\n`);
    if (!this.#isStarted) return;
    if (applied) stderr.write(`configuration ${version} is live (${countProblems(problems)})\n`);
    else
      stderr.write(
        `the change was refused (${countProblems(problems)}); configuration ${version} keeps serving\n`,
      );
  }
}

function sayHello(
  application: Application,
  settings: Settings,
  gateway: StartedGateway,
  configDir: string,
  isNew: boolean,
): void {
  const { stdout, environment } = application;
  const key = gateway.subscriptionKey("demo");
  const provider = (environment["OPENAI_API_KEY"] ?? "") === "" ? null : "OpenAI (OPENAI_API_KEY)";
  const paths = { config: resolve(configDir), data: resolve(settings.dataDir) };
  const curl =
    key === null
      ? null
      : `curl ${gateway.url}/openai/v1/chat/completions -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" ` +
        `-d '{"model":"demo","stream":true,"messages":[{"role":"user","content":"Hello"}]}'`;
  if (settings.json) {
    stdout.write(
      `${JSON.stringify({ gateway: gateway.url, ...paths, demoKey: key, model: provider ?? "demo", curl })}\n`,
    );
    return;
  }
  const here = relative(".", paths.config) || ".";
  const lines = [
    `Headgate is up.`,
    ``,
    `  Gateway   ${gateway.url}${gateway.port === settings.port || settings.port === 0 ? "" : `   (${settings.port} was taken)`}`,
    ...(gateway.adminUrl === null ? [] : [`  Metrics   ${gateway.adminUrl}/metrics`]),
    `  Config    ${here}/${isNew ? "   made for you; edit it, changes are live" : "   watched; changes are live"}`,
    `  Data      ${relative(".", paths.data) || "."}/`,
    ...(key === null ? [] : [`  Demo key  ${key}`]),
    `  Models    ${provider ?? "no provider key found, the built-in demo model answers (set OPENAI_API_KEY for the real one)"}`,
    ...(curl === null ? [] : ["", `  ${curl}`]),
    ``,
    `Ctrl-C drains and stops.`,
  ];
  stdout.write(`${lines.join("\n")}\n`);
}

/** The first signal drains, a second one ends at once. */
async function untilSignal(
  application: Application,
  gateway: StartedGateway,
  drainMs: number,
): Promise<void> {
  await new Promise<void>((resolveStopped) => {
    let stopping = false;
    application.onSignal(() => {
      if (stopping) {
        application.exit(EXIT.failure);
        return;
      }
      stopping = true;
      application.stderr.write(`draining: ${gateway.inFlight} requests under way\n`);
      void gateway.drain(drainMs).then(resolveStopped);
    });
  });
}
