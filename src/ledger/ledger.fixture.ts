/** For tests of the ledger: records, and ledgers in temporary folders. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/system-clock.ts";
import { Ledger, type LedgerOptions } from "./ledger.ts";
import type { LedgerRecord } from "./record.ts";

export const NOON = Date.UTC(2026, 5, 1, 12);

/** A finished chat, with what is given instead. */
export function record(given: Partial<LedgerRecord> = {}): LedgerRecord {
  return {
    requestId: "r-1",
    part: 0,
    timeMs: NOON,
    durationMs: 120.5,
    firstByteMs: 40.25,
    api: "openai",
    operation: "chat",
    product: "basic",
    subscription: "team-a",
    user: "ada",
    workspace: null,
    backend: "east",
    dialect: "openai-chat",
    provider: "openai",
    modelOperation: "chat",
    modelAsked: "gpt-4o",
    deployment: null,
    modelServed: "gpt-4o-2024-08-06",
    apiVersion: null,
    answerId: "chatcmpl-1",
    stream: false,
    status: 200,
    ending: "finished",
    finishReason: "stop",
    error: null,
    attempts: 1,
    promptTokens: 10,
    completionTokens: 5,
    totalTokens: 15,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    promptAudioTokens: 0,
    completionAudioTokens: 0,
    cachedInside: true,
    chargedTokens: 15,
    evidence: "reported",
    costMicros: 75,
    price: "openai/gpt-4o",
    ...given,
  };
}

export interface TestLedger {
  readonly ledger: Ledger;
  readonly folder: string;
  /** Another ledger on the same folder. */
  again(options?: Partial<LedgerOptions>): Ledger;
  close(): Promise<void>;
}

/** @param nowMs what the clock says; its timers are real */
export function testLedger(options: Partial<LedgerOptions> = {}, nowMs = NOON): TestLedger {
  const folder = mkdtempSync(join(tmpdir(), "headgate-ledger-"));
  const clock = systemClock(
    () => nowMs,
    () => performance.now(),
  );
  const opened: Ledger[] = [];
  const again = (more: Partial<LedgerOptions> = options): Ledger => {
    const ledger = Ledger.open(folder, { clock, pid: process.pid, ...more });
    opened.push(ledger);
    return ledger;
  };
  return {
    ledger: again(),
    folder,
    again,
    close: async () => {
      for (const ledger of opened) await ledger.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
