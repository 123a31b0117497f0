/** The command line: one file per command, one line each here. Exit codes as in `EXIT`. */
import { Command, CommanderError } from "commander";
import type { Application } from "./application.ts";
import { addBackends } from "./backends.ts";
import { addExplain } from "./explain.ts";
import { addLogin } from "./login.ts";
import { addLogs } from "./logs.ts";
import { addTrace } from "./trace.ts";
import { addUp } from "./up.ts";
import { addUsage } from "./usage.ts";
import { addValidate } from "./validate.ts";

const COMMANDS = [addUp, addValidate, addExplain, addTrace, addBackends, addLogin, addLogs, addUsage];

/** sysexits, as far as they fit. */
export const EXIT = {
  ok: 0,
  failure: 1,
  changes: 2,
  usage: 64,
  invalidConfiguration: 65,
  unavailable: 69,
  environment: 78,
} as const;

/** @returns the exit code */
export async function commandLine(application: Application, args: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const program = new Command("headgate")
    .description("An open, self-hosted AI gateway that runs Azure API Management policies unmodified.")
    .showSuggestionAfterError()
    .showHelpAfterError("(headgate --help lists the commands)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void application.stdout.write(text),
      writeErr: (text) => void application.stderr.write(text),
    })
    .addHelpText("after", EXAMPLES);
  for (const add of COMMANDS) add(program, application, (result) => (code = result));
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
  return code;
}

const EXAMPLES = `
Examples:
  headgate up                         start on ./headgate (made from an example when it is not there)
  headgate validate ./headgate        check a configuration folder
  headgate validate --policy *.xml    check loose policy documents
  headgate explain HG2107             what a message means and how to mend it
  headgate trace /openai/v1/models    what every policy does with a request
  headgate logs -f                    requests to models as they come: tokens, cost, how they ended
  headgate usage --by subscription    who used what, and what it cost
  headgate backends --watch           how the backends of the running gateway are doing
`;
