/** `headgate login`: the link by which a person consents to a connection of the credential manager. */
import type { Command } from "commander";
import type { Application } from "./application.ts";
import { EXIT } from "./index.ts";
import { DoorRefusal, askLocalGateway, findLocalGateway } from "./local-gateway.ts";

interface Flags {
  readonly redirect?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

interface Link {
  readonly loginLink: string;
  readonly redirectUrl: string;
  readonly status: string;
}

export function addLogin(program: Command, application: Application, done: (code: number) => void): void {
  program
    .command("login")
    .description("Print the link by which a person consents to a connection of the credential manager.")
    .argument("<connection>", "PROVIDER/AUTHORIZATION")
    .option("--redirect <url>", "where the browser goes in the end; default: a page that says so")
    .option("--data-dir <dir>", "the gateway's data folder (HEADGATE_DATA; default ./.headgate)")
    .option("--json", "link, redirect URL and status as JSON")
    .addHelpText(
      "after",
      `
Examples:
  headgate login github/alice
  headgate login github/alice --redirect https://portal.example.com/done
`,
    )
    .action(async (connection: string, flags: Flags) => done(await login(application, connection, flags)));
}

async function login(application: Application, connection: string, flags: Flags): Promise<number> {
  const { stdout, stderr } = application;
  const complain = (message: string, code: number): number => {
    stderr.write(`error: ${message}\n`);
    return code;
  };
  const [provider = "", authorization = "", ...more] = connection.split("/");
  if (provider === "" || authorization === "" || more.length > 0)
    return complain(`"${connection}" is not of the form PROVIDER/AUTHORIZATION`, EXIT.usage);
  const access = findLocalGateway(application, flags.dataDir);
  if (access === null) return EXIT.unavailable;
  try {
    const question = { provider, authorization, postLoginRedirectUrl: flags.redirect };
    const path = "/authorizationProviders/getLoginLinks";
    const link = (await askLocalGateway(application, access, path, question)) as Link;
    if (flags.json === true) stdout.write(`${JSON.stringify(link, null, 2)}\n`);
    else {
      stdout.write(`${link.loginLink}\n`);
      stderr.write(
        `Open it within ten minutes. The provider must know this redirect URL: ${link.redirectUrl}\n` +
          (link.status === "Connected"
            ? "The connection works already; consent replaces what it has.\n"
            : ""),
      );
    }
    return EXIT.ok;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return complain(text, error instanceof DoorRefusal ? EXIT.failure : EXIT.unavailable);
  }
}
