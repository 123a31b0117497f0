/**
 * The format of `cases/*.txt`: what an author writes, what a caller sends, a dashed line, what must come of it.
 *
 *     === Title, unique in its file
 *     Free text until the first block: why, and where the specification says so.
 *     --- inbound
 *     <set-header name="X"><value>1</value></set-header>
 *     --- request
 *     GET /api/x
 *     Accept: text/plain
 *     --- upstream
 *     200
 *     Content-Type: text/plain
 *
 *     hello
 *     -----
 *     --- upstream saw
 *     GET /x
 *     X: 1
 *     --- client saw
 *     200
 *     Content-Type: text/plain
 *
 *     hello
 *
 * Before the dashed line:
 *
 * - `[global|product|api|operation] inbound|backend|outbound|on-error`: policies of one section; without a scope, the
 *   API's. `<base />` is put in front unless the text has one. Sections that are not given are `<base />`.
 * - `global|product|api|operation`: a whole document.
 * - `policy ID`: a whole document of another resource, e.g. `/apis/other/operations/get`.
 * - `fragment NAME`: the policies of a fragment.
 * - `named values`, `backends`: lines `name = value`. A backend's value is a URL, or `pool a, b` (`a@2` = priority 2).
 * - `operations`: lines `METHOD template`, instead of those in `world.ts`.
 * - `resources`: more resources, a line each: id, properties as JSON (or, for a policy, the document).
 * - `settings`: JSON, `{ "api": properties, "options": gateway options, "region": "…" }`.
 * - `hosts`: names that lead to the upstream, by http and https. It sees `Seen-Scheme` and, with a client certificate,
 *   `Seen-Certificate`. Tokens of the gateway's own identity come from the upstream's `/msi/token` in any case.
 * - `request`: method, target, headers, blank line, body. Several make several calls. `@gzip` as a header compresses;
 *   `@later SECONDS` moves the clock first.
 * - `upstream`: status, headers, blank line, body; or `hang`, `reset`. The n-th answers the n-th request, the last one all
 *   that follow. `upstream GET /path` answers what comes there, whatever the query.
 * - `upstream stream [GET /path]`: head, blank line, then JSON strings, one chunk each, and `wait`: until the client has all
 *   so far.
 *
 * After it:
 *
 * - `upstream saw`: `METHOD target`, headers, body, one block per request in order, or `nothing`.
 * - `client saw`: status (and reason), headers, body; `closed` when the connection breaks; one block per request.
 * - `refused`: `CODE message`, one line per error of the configuration.
 * - `logged`: JSON, one line per record of the trace policy; members given must be there.
 * - `metrics`: lines of the Prometheus text, all that policies have emitted.
 *
 * Headers listed must be there with these values, in this order when repeated; `!Name` must be absent; others do not
 * matter. A body is compared when there is a blank line; `@quoted` among the headers makes it a JSON string.
 *
 * `{guid}` stands for any GUID, `{any}` for anything; `{upstream}` is the upstream's URL, `{upstream-host}` its host and
 * port, `{nobody}` a URL where nobody listens, `{long}` five million `x`; `{jwt {"sub": "a"}}` is a token of these claims,
 * signed by a key that `{jwks}` publishes; `{pfx}` a certificate with its key in base64.
 * In later requests and answers, `{answer 1 Location /state=(\w+)/}` is what the expression finds in that header (or `body`)
 * of the client's first answer, `{seen 2 body /…/}` of the upstream's second request.
 */

export interface Block {
  /** What stands behind the dashes, in lower case but for names. */
  readonly name: string;
  readonly text: string;
  readonly line: number;
}

export interface Case {
  readonly file: string;
  readonly title: string;
  readonly line: number;
  readonly given: readonly Block[];
  readonly expected: readonly Block[];
}

export interface WrittenMessage {
  readonly first: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly absent: readonly string[];
  /** `@gzip` and its kin. */
  readonly marks: readonly string[];
  /** null without a blank line. */
  readonly body: string | null;
}

/** @throws Error that names file and line */
export function parseCases(file: string, text: string): Case[] {
  const cases: Case[] = [];
  let current: { title: string; line: number; given: Block[]; expected: Block[]; after: boolean } | null =
    null;
  let block: { name: string; line: number; lines: string[] } | null = null;
  const closeBlock = (): void => {
    if (block === null || current === null) return;
    const made = { name: block.name, line: block.line, text: block.lines.join("\n").replace(/\n+$/, "") };
    (current.after ? current.expected : current.given).push(made);
    block = null;
  };
  const closeCase = (): void => {
    closeBlock();
    if (current === null) return;
    if (current.expected.length === 0)
      throw new Error(`${file}:${current.line}: "${current.title}" expects nothing`);
    const { title, line, given, expected } = current;
    if (cases.some((other) => other.title === title))
      throw new Error(`${file}:${line}: two cases are called "${title}"`);
    cases.push({ file, title, line, given, expected });
  };
  text.split(/\r?\n/).forEach((content, i) => {
    const line = i + 1;
    if (content.startsWith("=== ")) {
      closeCase();
      current = { title: content.slice(4).trim(), line, given: [], expected: [], after: false };
    } else if (content === "-----") {
      closeBlock();
      if (current === null) throw new Error(`${file}:${line}: a dashed line outside a case`);
      current.after = true;
    } else if (content.startsWith("--- ")) {
      closeBlock();
      if (current === null) throw new Error(`${file}:${line}: a block outside a case`);
      block = { name: content.slice(4).trim(), line, lines: [] };
    } else block?.lines.push(content);
  });
  closeCase();
  return cases;
}

export function parseMessage({ text }: Block): WrittenMessage {
  const lines = text.split("\n");
  const blank = lines.indexOf("");
  const head = blank < 0 ? lines : lines.slice(0, blank);
  const headers: (readonly [string, string])[] = [];
  const absent: string[] = [];
  const marks: string[] = [];
  for (const line of head.slice(1)) {
    if (line.startsWith("!")) absent.push(line.slice(1).trim());
    else if (line.startsWith("@")) marks.push(line.slice(1).trim());
    else {
      const at = line.indexOf(":");
      headers.push([line.slice(0, at).trim(), line.slice(at + 1).trim()]);
    }
  }
  const rest = blank < 0 ? null : lines.slice(blank + 1).join("\n");
  const body = rest !== null && marks.includes("quoted") ? (JSON.parse(rest) as string) : rest;
  return { first: (head[0] ?? "").trim(), headers, absent, marks, body };
}
