/**
 * Logged requests as data sets for evaluating models (`ai-observability.md` §5.8): one record per interaction, as CSV, or as
 * JSON Lines with the fields that evaluators read: `query`, `response`, `context`, `ground_truth`.
 */
import { type LogRow, type MessagesPart, csvLine, modelOf, timeText } from "./ledger-answers.ts";

export type ExportFormat = "jsonl" | "csv";

const COLUMNS = [
  "time",
  "request_id",
  "api",
  "subscription",
  "model",
  "status",
  "prompt_tokens",
  "completion_tokens",
  "cost_usd",
  "prompt",
  "completion",
] as const;

export function exportHead(format: ExportFormat): string {
  return format === "csv" ? `${csvLine(COLUMNS)}\r\n` : "";
}

export function exportRecord(format: ExportFormat, row: LogRow, said: MessagesPart): string {
  const request = messagesOf(said.request?.text ?? null);
  const response = messagesOf(said.response?.text ?? null);
  const cost = row.costMicros === null ? null : row.costMicros / 1e6;
  if (format === "csv") {
    const values = [
      timeText(row.timeMs),
      row.requestId,
      row.api,
      row.subscription,
      modelOf(row),
      row.status,
      row.promptTokens,
      row.completionTokens,
      cost,
      conversation(request),
      response.map(({ text }) => text).join("\n"),
    ];
    return `${csvLine(values)}\r\n`;
  }
  const record = {
    query: request.find(({ role }) => role === "user")?.text ?? request.at(-1)?.text ?? "",
    response: response.map(({ text }) => text).join("\n"),
    context: request
      .filter(({ role }) => role === "system" || role === "developer")
      .map(({ text }) => text)
      .join("\n"),
    ground_truth: "",
    messages: request.map(({ role, text }) => ({ role, content: text })),
    time: timeText(row.timeMs),
    request_id: row.requestId,
    api: row.api,
    subscription: row.subscription,
    model: modelOf(row),
    prompt_tokens: row.promptTokens,
    completion_tokens: row.completionTokens,
    cost_usd: cost,
    truncated: said.request?.truncated === true || said.response?.truncated === true,
  };
  return `${JSON.stringify(record)}\n`;
}

interface Message {
  readonly role: string;
  readonly text: string;
}

/** Messages out of what was logged: a JSON array of them, one of them, or a text that was cut. */
export function messagesOf(logged: string | null): Message[] {
  if (logged === null || logged === "") return [];
  let value: unknown;
  try {
    value = JSON.parse(logged);
  } catch {
    return [{ role: "", text: logged }];
  }
  return (Array.isArray(value) ? value : [value]).map(messageOf);
}

function messageOf(value: unknown): Message {
  if (value === null || typeof value !== "object") return { role: "", text: textOf(value) };
  const { role, content, parts } = value as Readonly<Record<string, unknown>>;
  const said = content ?? parts;
  return {
    role: typeof role === "string" ? role : "",
    text: said === undefined ? JSON.stringify(value) : textOf(said),
  };
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (content === null || content === undefined) return "";
  if (Array.isArray(content))
    return content
      .map(textOf)
      .filter((text) => text !== "")
      .join("\n");
  if (typeof content === "object") {
    const { text } = content as { text?: unknown };
    return typeof text === "string" ? text : JSON.stringify(content);
  }
  return JSON.stringify(content);
}

function conversation(messages: readonly Message[]): string {
  return messages.map(({ role, text }) => (role === "" ? text : `${role}: ${text}`)).join("\n");
}
