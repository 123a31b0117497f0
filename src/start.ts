/**
 * The command line's first step. Reading what was asked needs little; everything else (`main.ts`) is loaded when a command
 * runs, so that `--help` and a mistyped option answer at once.
 */
import { commandLine } from "./cli/index.ts";
import type { Application } from "./cli/application.ts";
import { knownVariables, readSettings, unknownVariables } from "./settings.ts";

/** The command line. @returns the exit code */
export function run(args: readonly string[]): Promise<number> {
  return commandLine(application, args);
}

const parts = (): Promise<typeof import("./main.ts")> => import("./main.ts");

/** Everything that commands use; tests replace its streams and environment. */
export const application: Application = {
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  readSettings,
  unknownVariables,
  knownVariables,
  catalogue: async () => (await parts()).catalogue,
  startGateway: async (options) => (await parts()).startGateway(options),
  request: async (request) => (await parts()).requestOnce(request),
  startDemoModel: async () => (await parts()).startDemo(),
  check: async (folder, environment) => (await parts()).checkFolder(folder, environment),
  otherMessages: async () => (await parts()).otherMessages,
  onSignal: (listener) => {
    process.on("SIGINT", listener);
    process.on("SIGTERM", listener);
  },
  exit: (code) => process.exit(code),
};
