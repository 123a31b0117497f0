/** `headgate explain CODE`: what a message means, what was expected, how to mend it. */
import type { Command } from "commander";
import type { Application } from "./application.ts";
import { EXIT } from "./index.ts";

export function addExplain(program: Command, application: Application, done: (code: number) => void): void {
  program
    .command("explain")
    .description("Say what a message code means and how to mend it.")
    .argument("<code>", "such as HG2107")
    .action(async (code: string) => {
      const { explain, messages } = await import("../compiler/diagnostics.ts");
      const wanted = code.trim().toUpperCase();
      const others = await application.otherMessages();
      const other = others.get(wanted);
      const text =
        explain(wanted) ?? (other === undefined ? null : `${wanted}: ${other.text}\n\n${other.explain}`);
      if (text !== null) {
        application.stdout.write(`${text.trimEnd()}\n`);
        return;
      }
      const known = [...Object.keys(messages), ...others.keys()].sort();
      const alike = known.filter((one) => one.slice(0, 4) === wanted.slice(0, 4)).slice(0, 12);
      const hint = alike.length > 0 ? `codes alike: ${alike.join(", ")}` : "codes look like HG2107";
      application.stderr.write(`error: there is no message ${code} (${hint})\n`);
      done(EXIT.usage);
    });
}
