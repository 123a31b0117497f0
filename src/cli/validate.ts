/** `headgate validate`: every mistake of a folder, or of loose policy documents, with its place and how to mend it. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type Problem, hasErrors } from "../base/problem.ts";
import type { Application } from "./application.ts";
import { EXIT } from "./index.ts";
import { countProblems, renderProblems, wantsColor } from "./report.ts";

interface Flags {
  readonly policy?: string[];
  readonly json?: boolean;
}

interface Checked {
  readonly problems: readonly Problem[];
  readonly textOf: (file: string) => string | undefined;
  /** What was looked at, for the last line. */
  readonly what: string;
}

export function addValidate(program: Command, application: Application, done: (code: number) => void): void {
  program
    .command("validate")
    .description("Check a configuration folder, or loose policy documents, without running them.")
    .argument("[dir]", "configuration folder in an APIOps layout")
    .option("--policy <file...>", "policy documents, or folders of them, with no service around them")
    .option("--json", "problems as one JSON object")
    .action(async (dir: string | undefined, flags: Flags) => {
      if (dir === undefined && flags.policy === undefined) {
        application.stderr.write("error: say which folder to check, or --policy FILE…\n");
        done(EXIT.usage);
        return;
      }
      done(await validate(application, dir, flags));
    });
}

async function validate(application: Application, dir: string | undefined, flags: Flags): Promise<number> {
  const { stdout, stderr, environment } = application;
  let checked: Checked;
  try {
    checked =
      flags.policy !== undefined
        ? await checkPolicies(application, [...flags.policy, ...(dir === undefined ? [] : [dir])])
        : await checkFolder(application, dir!);
  } catch (error) {
    stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.usage;
  }
  const { problems, textOf, what } = checked;
  if (flags.json === true)
    stdout.write(`${JSON.stringify({ ok: !hasErrors(problems), problems }, null, 2)}\n`);
  else {
    if (problems.length > 0)
      stdout.write(`${renderProblems(problems, { color: wantsColor(stdout, environment), textOf })}\n`);
    stdout.write(`${what}: ${countProblems(problems)}\n`);
  }
  return hasErrors(problems) ? EXIT.invalidConfiguration : EXIT.ok;
}

async function checkFolder(application: Application, dir: string): Promise<Checked> {
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`there is no folder ${dir}`);
  const { problems, textOf, resources } = await application.check(dir, application.environment);
  return { problems, textOf, what: `${dir} (${resources} resources)` };
}

/** Loose documents: unknown references are warnings, for there is nothing around to refer to. */
async function checkPolicies(application: Application, paths: readonly string[]): Promise<Checked> {
  // Loaded here, so that help is there at once.
  const [{ PolicyCompiler }, { compileExpression }] = await Promise.all([
    import("../compiler/compile.ts"),
    import("../compiler/csharp/compile-expression.ts"),
  ]);
  const compiler = new PolicyCompiler(await application.catalogue(), compileExpression);
  const found = paths.map(policyFiles);
  const files = found.flatMap((each) => each.files);
  const others = found.reduce((sum, each) => sum + each.others, 0);
  if (files.length === 0) throw new Error(`there are no policy documents (*.xml) in ${paths.join(", ")}`);
  const texts = new Map<string, string>();
  const problems: Problem[] = [];
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    texts.set(file, text);
    problems.push(...compiler.compileLoose(text, file).diagnostics);
  }
  return {
    problems,
    textOf: (file) => texts.get(file),
    what: `${files.length === 1 ? files[0]! : `${files.length} policy documents`}${others === 0 ? "" : ` (${others} other XML files left out)`}`,
  };
}

/** Anything that a policy document, even a damaged one, has somewhere. */
const POLICY_LIKE = /<(?:polic\w*|fragment|inbound|backend|outbound|on-error|base)\b/i;

/** A file as it is; of a folder every `*.xml` below it that could be a policy document. */
function policyFiles(path: string): { files: string[]; others: number } {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new Error(`there is no file ${path}`);
  if (!stats.isDirectory()) return { files: [path], others: 0 };
  const all = readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.xml$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files = all.filter((file) => POLICY_LIKE.test(readFileSync(file, "utf8")));
  return { files, others: all.length - files.length };
}
