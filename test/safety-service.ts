/**
 * A stand-in for Azure AI Content Safety: its two calls, its api-version, its authorization and its limits. It flags words:
 * `bomb` is violence of severity 6, `kill` 4, `ugh` hate 2; `forbidden` stands in every blocklist; "ignore all previous" is an
 * attack. Anything that it is not asked as documented is answered as the service answers mistakes.
 */
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface AskedSafety {
  readonly call: "analyze" | "shield";
  readonly text: string;
  readonly documents: readonly string[];
  readonly body: any;
  readonly headers: IncomingMessage["headers"];
}

export interface SafetyService {
  readonly url: string;
  readonly asked: AskedSafety[];
  /** Tokens or keys that are let in; null: everybody is. */
  authorized: ((headers: IncomingMessage["headers"]) => boolean) | null;
  /** In place of an answer; says whether it has answered. */
  instead: ((asked: AskedSafety, response: ServerResponse, index: number) => boolean) | null;
  /** Resolves when `count` calls have come. */
  came(count: number): Promise<void>;
  reset(): void;
  close(): Promise<void>;
}

const MOST = 10_000;
const WORDS: readonly (readonly [string, RegExp, number])[] = [
  ["Violence", /\bbomb\b/i, 6],
  ["Violence", /\bkill\b/i, 4],
  ["Hate", /\bugh\b/i, 2],
  ["SelfHarm", /\bharm\b/i, 5],
];
const ATTACK = /ignore all previous/i;

export async function startSafetyService(): Promise<SafetyService> {
  const waiting: { count: number; done: () => void }[] = [];
  const server = createServer({ noDelay: true }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("error", () => {});
    response.on("error", () => {});
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url!, "http://x");
      const call = /\/contentsafety\/text:(analyze|shieldPrompt)$/.exec(url.pathname)?.[1];
      if (request.method !== "POST" || call === undefined) return mistake(response, 404, "NotFound");
      if (url.searchParams.get("api-version") !== "2024-09-01")
        return mistake(response, 400, "InvalidApiVersion");
      if (service.authorized !== null && !service.authorized(request.headers))
        return mistake(response, 401, "PermissionDenied");
      let body: any;
      try {
        body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      } catch {
        return mistake(response, 400, "InvalidRequestBody");
      }
      const asked: AskedSafety = {
        call: call === "analyze" ? "analyze" : "shield",
        text: call === "analyze" ? body.text : body.userPrompt,
        documents: body.documents ?? [],
        body,
        headers: request.headers,
      };
      service.asked.push(asked);
      for (const one of waiting.splice(0))
        if (service.asked.length >= one.count) one.done();
        else waiting.push(one);
      if (service.instead?.(asked, response, service.asked.length - 1) === true) return;
      answer(asked, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const service: SafetyService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    authorized: null,
    instead: null,
    came: (count) =>
      service.asked.length >= count
        ? Promise.resolve()
        : new Promise((done) => void waiting.push({ count, done })),
    reset() {
      service.asked.length = 0;
      service.authorized = null;
      service.instead = null;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return service;
}

export function answer({ call, body }: AskedSafety, response: ServerResponse): void {
  if (call === "shield") {
    const { userPrompt, documents = [] } = body;
    if (typeof userPrompt !== "string" || !Array.isArray(documents))
      return mistake(response, 400, "InvalidRequestBody");
    const size = documents.reduce((sum: number, one: string) => sum + [...one].length, 0) as number;
    if ([...userPrompt].length > MOST || size > MOST || documents.length > 5)
      return mistake(response, 400, "InvalidRequestBody");
    return send(response, 200, {
      userPromptAnalysis: { attackDetected: ATTACK.test(userPrompt) },
      documentsAnalysis: documents.map((one: string) => ({ attackDetected: ATTACK.test(one) })),
    });
  }
  const { text, categories, blocklistNames = [], haltOnBlocklistHit = false, outputType } = body;
  if (typeof text !== "string" || text === "" || [...text].length > MOST || !text.isWellFormed())
    return mistake(response, 400, "InvalidRequestBody");
  if (outputType !== "FourSeverityLevels" && outputType !== "EightSeverityLevels")
    return mistake(response, 400, "InvalidRequestBody");
  const match = blocklistNames.length > 0 && /\bforbidden\b/i.test(text);
  const analysed = (categories ?? ["Hate", "SelfHarm", "Sexual", "Violence"]).map((category: string) => {
    let severity = 0;
    for (const [name, word, level] of WORDS)
      if (name === category && word.test(text)) severity = Math.max(severity, level);
    return { category, severity: outputType === "FourSeverityLevels" ? severity & ~1 : severity };
  });
  send(response, 200, {
    blocklistsMatch: match
      ? [{ blocklistName: blocklistNames[0], blocklistItemId: "item-1", blocklistItemText: "forbidden" }]
      : [],
    categoriesAnalysis: match && haltOnBlocklistHit ? [] : analysed,
  });
}

function mistake(response: ServerResponse, status: number, code: string): void {
  send(response, status, { error: { code, message: `${code}.` } });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
