/**
 * Rows of `ApiManagementGatewayLlmLog` (`ai-observability.md` §5.2–5.3): one header row with tokens and model, then the
 * prompt's pieces, then the completion's, joined by their correlation id. Content rows carry no tokens, so that sums do
 * not double.
 */
import type { LlmRule, LogRow } from "../../telemetry/diagnostic.ts";
import { ledgerRecord } from "./ledger-record.ts";
import type { ModelCall } from "./model-call.ts";

const PIECE_BYTES = 32 * 1024;
const MOST_BYTES = 2 * 1024 * 1024;

/** @param call settled, and one that `isLogged` */
export function llmRows(call: ModelCall, rule: LlmRule): LogRow[] {
  const { exchange } = call;
  const record = ledgerRecord(call, call.settlement!, null);
  const rows: LogRow[] = [];
  const add = (columns: Readonly<Record<string, unknown>>): void =>
    void rows.push({
      category: "GatewayLlmLogs",
      timeMs: exchange.timestampMs,
      correlationId: exchange.requestId,
      columns: {
        CorrelationId: exchange.requestId,
        OperationName: "Microsoft.ApiManagement/GatewayLlmLogs",
        Region: exchange.services.deployment.region,
        SequenceNumber: rows.length,
        ...columns,
      },
    });
  add({
    RequestId: record.answerId,
    ApiVersion: record.apiVersion,
    DeploymentName: record.deployment ?? record.modelAsked ?? record.modelServed ?? record.dialect,
    ModelName: record.modelServed ?? record.modelAsked,
    IsStreamCompletion: record.stream,
    PromptTokens: record.promptTokens,
    CompletionTokens: record.completionTokens,
    TotalTokens: record.totalTokens,
    CachedTokens: record.cachedTokens,
    ReasoningTokens: record.reasoningTokens,
    UsageSource: record.evidence,
    ApiId: record.api,
    SubscriptionId: record.subscription,
    ...(call.ending === "cache-hit" ? { Cache: "hit" } : undefined),
  });
  const { request, response } = partsOf(call, rule);
  for (const [name, part] of [
    ["RequestMessages", request],
    ["ResponseMessages", response],
  ] as const) {
    const texts = part === null ? [] : pieces(part.text);
    // Where more was said than is recorded, the last row says so.
    texts.forEach((piece, i) => {
      const isCut = part!.cut && i === texts.length - 1;
      add(isCut ? { [name]: piece, Truncated: true } : { [name]: piece });
    });
  }
  return rows;
}

/** A call that failed or was refused leaves no row, unless tokens were reported (`resources.md` §7.4). */
export function isLogged(call: ModelCall): boolean {
  if (call.ending === "refused") return false;
  return call.ending !== "failed" && (call.ending !== "upstream-error" || call.found?.usage != null);
}

export interface Contents {
  /** JSON text of an array of `{role, content}`; null = not recorded. */
  readonly request: string | null;
  /** JSON text of an array of `{role, content}`. */
  readonly response: string | null;
  /** More was said than is recorded. */
  readonly truncated: boolean;
}

/** Messages as they are stored: cut to size, without the secrets that the configuration knows. */
export function contentsOf(call: ModelCall, rule: LlmRule): Contents {
  const { request, response } = partsOf(call, rule);
  return {
    request: request?.text ?? null,
    response: response?.text ?? null,
    truncated: request?.cut === true || response?.cut === true || call.found?.text.truncated === true,
  };
}

interface Part {
  readonly text: string;
  /** More was said. */
  readonly cut: boolean;
}

function partsOf(
  call: ModelCall,
  rule: LlmRule,
): { readonly request: Part | null; readonly response: Part | null } {
  const { secrets } = call.exchange.snapshot;
  // Secrets first: of one that is cut its beginning would stay.
  const part = (messages: unknown, bytes: number): Part =>
    cut(withoutSecrets(JSON.stringify(messages), secrets), bytes);
  const found = call.found;
  const text = call.isSession ? call.partText : found === null ? "" : found.text.read(null);
  const response =
    rule.responseBytes === 0 || text === ""
      ? null
      : part([{ role: "assistant", content: text }], rule.responseBytes);
  return {
    request:
      rule.requestBytes === 0
        ? null
        : part(call.isSession ? call.partMessages : call.request.messages(), rule.requestBytes),
    response: response === null ? null : { ...response, cut: response.cut || found?.text.truncated === true },
  };
}

function cut(text: string, bytes: number): Part {
  const limit = Math.min(bytes, MOST_BYTES);
  if (text.length * 3 <= limit) return { text, cut: false };
  const octets = Buffer.from(text);
  if (octets.length <= limit) return { text, cut: false };
  let end = limit;
  // Not in the middle of a character.
  while (end > 0 && (octets[end]! & 0xc0) === 0x80) end--;
  return { text: octets.toString("utf8", 0, end), cut: true };
}

const SHORTEST_SECRET = 8;

function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length >= SHORTEST_SECRET && clean.includes(secret)) clean = clean.replaceAll(secret, "*****");
  }
  return clean;
}

function pieces(text: string): string[] {
  if (text === "") return [];
  if (text.length * 3 <= PIECE_BYTES) return [text];
  const octets = Buffer.from(text);
  const found: string[] = [];
  for (let at = 0; at < octets.length;) {
    let end = Math.min(octets.length, at + PIECE_BYTES);
    while (end < octets.length && (octets[end]! & 0xc0) === 0x80) end--;
    found.push(octets.toString("utf8", at, end));
    at = end;
  }
  return found;
}
