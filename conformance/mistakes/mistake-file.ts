/**
 * The format of a seeded mistake: what somebody wrote, what was expected of us, and what `headgate` says.
 *
 *     # A title.
 *     expect HG1006 6:7 `</set-header>`        code, place, a part of the hint; the only problem said
 *     $ headgate validate --policy policy.xml  variables may stand in front: `$ HEADGATE_PORT=x headgate up`
 *     === policy.xml                           a file; several may follow one another
 *     <policies> …
 *     -----
 *     error[HG1006]: …                         standard output and standard error as they come, then the exit code
 *     exit 65
 *
 * Mistakes outside of files have no place: `expect HG5701`. Those without a code: `expect text …`, a part of the output.
 */
export interface MistakeFile {
  readonly comment: string;
  readonly expect: Expectation;
  readonly environment: Readonly<Record<string, string>>;
  /** Behind `headgate`. */
  readonly args: readonly string[];
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** Everything in front of the dashes, as written. */
  readonly input: string;
  readonly output: string;
}

export interface Expectation {
  /** null: only `text`. */
  readonly code: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** A part of the hint, or of the output when there is no code. */
  readonly text: string;
}

const DASHES = "\n-----\n";

/** @throws Error that says which part is missing */
export function parseMistake(source: string): MistakeFile {
  const cut = source.lastIndexOf(DASHES);
  if (cut === -1) throw new Error("the line of dashes is missing");
  const input = source.slice(0, cut);
  const [head = "", ...parts] = input.split(/^=== /m);
  const lines = head.split("\n");
  const files = parts.map((part) => {
    const at = part.indexOf("\n");
    return at === -1
      ? { path: part.trim(), text: "" }
      : { path: part.slice(0, at).trim(), text: withEnd(part.slice(at + 1)) };
  });
  const command = lines.find((line) => line.startsWith("$ "));
  const expect = lines.find((line) => line.startsWith("expect "));
  if (command === undefined || expect === undefined)
    throw new Error("`$ headgate …` or `expect …` is missing");
  const [variables = "", rest = ""] = command.slice(2).split(/\bheadgate ?/, 2);
  return {
    comment: lines
      .filter((line) => line.startsWith("#"))
      .map((line) => line.slice(1).trim())
      .join(" "),
    expect: parseExpectation(expect),
    environment: Object.fromEntries(
      variables
        .trim()
        .split(/\s+/)
        .filter((word) => word !== "")
        .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]),
    ),
    args: rest.split(/\s+/).filter((word) => word !== ""),
    files,
    input,
    output: source.slice(cut + DASHES.length),
  };
}

/** The input with what was said now. */
export function formatMistake(file: MistakeFile, output: string): string {
  return `${file.input}${DASHES}${output}`;
}

function withEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function parseExpectation(line: string): Expectation {
  const plain = /^expect text (.+)$/.exec(line);
  if (plain !== null) return { code: null, line: null, column: null, text: plain[1]! };
  const found = /^expect (HG\d{4})(?: (\d+):(\d+))?(?: (.+))?$/.exec(line);
  if (found === null) throw new Error(`cannot read: ${line}`);
  const [, code, row, column, text] = found;
  return {
    code: code!,
    line: row === undefined ? null : Number(row),
    column: column === undefined ? null : Number(column),
    text: text ?? "",
  };
}
