/** One line of the ledger: a request to a model, what it was charged and from what evidence. Written once, never changed. */
import type { DialectName, ModelOperation } from "../llm/dialect.ts";
import type { Ending, Evidence } from "../llm/settlement.ts";

export interface LedgerRecord {
  /** The gateway's id of the request: `CorrelationId` in logs. */
  readonly requestId: string;
  /** Number of the response within a WebSocket session, from 1; 0 elsewhere, 1 of what is reported later. */
  readonly part: number;
  /** When it began, ms since the epoch. */
  readonly timeMs: number;
  readonly durationMs: number;
  /** Until the first octet of the backend's answer; null when there was none. */
  readonly firstByteMs: number | null;
  /** Names of resources; null where there is none. */
  readonly api: string | null;
  readonly operation: string | null;
  readonly product: string | null;
  readonly subscription: string | null;
  readonly user: string | null;
  readonly workspace: string | null;
  readonly backend: string | null;
  readonly dialect: DialectName;
  /** `gen_ai.provider.name`. */
  readonly provider: string;
  readonly modelOperation: ModelOperation;
  readonly modelAsked: string | null;
  readonly deployment: string | null;
  readonly modelServed: string | null;
  /** The `api-version` the client used. */
  readonly apiVersion: string | null;
  /** The provider's id of the answer. */
  readonly answerId: string | null;
  readonly stream: boolean;
  /** What the client got; 499 when it hung up first. */
  readonly status: number;
  readonly ending: Ending;
  readonly finishReason: string | null;
  /** Our error code, or the provider's, when something failed. */
  readonly error: string | null;
  readonly attempts: number;
  /** Tokens and cost are below 0 in a line that takes back what an earlier one of the request says too much. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly reasoningTokens: number;
  readonly promptAudioTokens: number;
  readonly completionAudioTokens: number;
  /** `cachedTokens` and `cacheWriteTokens` are inside `promptTokens`. */
  readonly cachedInside: boolean;
  /** What limits counted. */
  readonly chargedTokens: number;
  readonly evidence: Evidence;
  /** In millionths of a US dollar; null = the price is not known. */
  readonly costMicros: number | null;
  /** Which entry of the price table; null = unknown. */
  readonly price: string | null;
}
