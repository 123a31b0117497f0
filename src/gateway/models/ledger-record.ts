/** An exchange's line in the ledger. */
import type { LedgerRecord } from "../../ledger/record.ts";
import type { Usage } from "../../llm/usage.ts";
import type { Settlement } from "../../llm/settlement.ts";
import type { ModelCall } from "./model-call.ts";

/** What a price table knows of one call; null = the price is not known. */
export interface Priced {
  /** Millionths of a US dollar. */
  readonly costMicros: number;
  /** Which entry. */
  readonly price: string;
}

/** @param part number of the response within a session, from 1; 0 for others */
export function ledgerRecord(
  call: ModelCall,
  settlement: Settlement,
  priced: Priced | null,
  part = 0,
): LedgerRecord {
  const { exchange, request, found, dialect } = call;
  const { usage } = settlement;
  return {
    requestId: exchange.requestId,
    part,
    timeMs: exchange.timestampMs,
    durationMs: rounded(exchange.elapsedMs()),
    firstByteMs: call.firstByteMs === null ? null : rounded(call.firstByteMs),
    api: exchange.api?.rootId ?? null,
    operation: exchange.operation?.id ?? null,
    product: exchange.product?.id ?? null,
    subscription: exchange.subscription?.id ?? null,
    user: exchange.user?.id ?? null,
    workspace: exchange.workspace?.id ?? null,
    backend: exchange.attempts.at(-1)?.backendId ?? null,
    dialect: dialect.name,
    provider: providerOf(call),
    modelOperation: dialect.operation,
    modelAsked: request.model,
    deployment: request.deployment,
    modelServed: found?.model ?? null,
    apiVersion: apiVersionOf(call.line.query),
    answerId: found?.id ?? null,
    stream: request.stream,
    status: statusOf(call),
    ending: call.ending ?? "finished",
    finishReason: found?.finishReason ?? null,
    error: exchange.error?.code ?? exchange.brokenOff?.code ?? found?.error ?? null,
    attempts: exchange.attempts.length,
    ...tokenColumns(usage),
    chargedTokens: settlement.prompt + settlement.completion,
    evidence: settlement.evidence,
    costMicros: priced?.costMicros ?? null,
    price: priced?.price ?? null,
  };
}

/** `gen_ai.provider.name`: as the request says, else the dialect's. */
export function providerOf(call: ModelCall): string {
  return call.request.provider ?? call.dialect.provider;
}

function statusOf(call: ModelCall): number {
  const { exchange } = call;
  if (call.ending === "client-gone") return 499;
  return exchange.response?.statusCode ?? exchange.attempts.at(-1)?.status ?? 200;
}

function apiVersionOf(query: string): string | null {
  return query === "" ? null : new URLSearchParams(query).get("api-version");
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** A usage as a record has it. */
export function tokenColumns(usage: Usage): Pick<LedgerRecord, TokenColumn> {
  return {
    promptTokens: usage.prompt,
    completionTokens: usage.completion,
    totalTokens: usage.total,
    cachedTokens: usage.cached,
    cacheWriteTokens: usage.cacheWrites,
    reasoningTokens: usage.reasoning,
    promptAudioTokens: usage.promptAudio,
    completionAudioTokens: usage.completionAudio,
    cachedInside: usage.cachedInside,
  };
}

type TokenColumn =
  | "promptTokens"
  | "completionTokens"
  | "totalTokens"
  | "cachedTokens"
  | "cacheWriteTokens"
  | "reasoningTokens"
  | "promptAudioTokens"
  | "completionAudioTokens"
  | "cachedInside";
