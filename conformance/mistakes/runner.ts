/** Runs seeded mistakes through the command line, in this process, each in a folder of its own. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { commandLine } from "../../src/cli/index.ts";
import { application } from "../../src/start.ts";
import type { MistakeFile } from "./mistake-file.ts";
import { parseMistake } from "./mistake-file.ts";

const HERE = import.meta.dirname;

export interface NamedMistake {
  /** `xml/tag-not-finished`. */
  readonly name: string;
  readonly path: string;
  readonly mistake: MistakeFile;
}

export function loadMistakes(): NamedMistake[] {
  return readdirSync(HERE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".txt"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => {
      const name = path.slice(HERE.length + 1, -".txt".length);
      try {
        return { name, path, mistake: parseMistake(readFileSync(path, "utf8")) };
      } catch (error) {
        throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    });
}

/** What the command says, in the order of saying, and how it ends. */
export async function run(mistake: MistakeFile): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "headgate-mistake-"));
  const before = process.cwd();
  const said: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      said.push(chunk.toString());
      done();
    },
  });
  try {
    for (const { path, text } of mistake.files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    process.chdir(folder);
    const world = { ...application, environment: mistake.environment, stdout: stream, stderr: stream };
    const code = await commandLine(world, mistake.args);
    return `${said.join("").replaceAll(folder, ".").trimEnd()}\nexit ${code}\n`;
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where the output is not what the head of the file expects; empty when it is. */
export function judge({ expect }: MistakeFile, output: string): string[] {
  const { code, line, column, text } = expect;
  if (!/^exit (?!0$)\d+$/m.test(output) && !/^warning\[/m.test(output)) return ["nothing is wrong, it says"];
  if (code === null) return output.includes(text) ? [] : [`"${text}" is not in the output`];
  const problems = [
    ...output.matchAll(/^(?:error|warning)\[(HG\d{4})\]: .*\n(?:\s+--> .*?(?::(\d+):(\d+))?\n)?/gm),
  ];
  const wrong: string[] = [];
  if (problems.length !== 1) wrong.push(`${problems.length} problems instead of one`);
  const [, foundCode, foundLine, foundColumn] = problems[0] ?? [];
  if (foundCode !== code) wrong.push(`${foundCode} instead of ${code}`);
  const place = `${foundLine ?? null}:${foundColumn ?? null}`;
  if (place !== `${line}:${column}`) wrong.push(`at ${place} instead of ${line}:${column}`);
  const hint = /(?:\^+ |= hint: )(.+)/.exec(output)?.[1] ?? "";
  if (hint === "") wrong.push("no hint");
  else if (!hint.includes(text)) wrong.push(`the hint is: ${hint}`);
  return wrong;
}
