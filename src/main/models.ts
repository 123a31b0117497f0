/** What requests to models need: counting, prices, the ledger, and answers that are kept by their meaning. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { type ExternalCache, cacheForRegion } from "../cache/cache.ts";
import type { StartOptions } from "../cli/application.ts";
import { type Books, enter, enterContents } from "../gateway/models/bookkeeping.ts";
import type { LaterAnswers } from "../gateway/models/later-answers.ts";
import type { ModelCounting } from "../gateway/models/model-counting.ts";
import type { Services } from "../gateway/services.ts";
import { Ledger } from "../ledger/index.ts";
import { PRICES_FILE, readOverrides } from "../llm/prices/index.ts";
import { Flights } from "../semantic/flights.ts";
import { EmbeddedModel } from "../semantic/model/embedder.ts";
import type { SemanticStores } from "../semantic/semantic-stores.ts";
import { VectorCache } from "../semantic/vector-cache.ts";
import { readRetention } from "../settings.ts";

/** Policies that count prompts before they are sent. */
export const COUNTS = /<(?:llm|azure-openai)-(?:token-limit|emit-token-metric)\b/;

export function modelServices(
  books: Books,
  counting: ModelCounting,
  later: Pick<LaterAnswers, "keep">,
): Services["models"] {
  return {
    countPrompt: (prompt, model) => counting.countPrompt(prompt, model),
    countText: (text, model) => counting.countText(text, model),
    settled: (call, settlement) => {
      counting.settled(call);
      const record = enter(books, call, settlement);
      if (call.awaits) later.keep({ record, charges: call.laterCharges });
    },
    contents: (call, contents) => enterContents(books, call, contents),
  };
}

export function semanticServices(clock: Clock, stores: SemanticStores): Services["semantic"] {
  return {
    storeFor: (configured) => stores.for(semanticConnection(configured)),
    embedder: new EmbeddedModel({ clock }),
    vectors: new VectorCache(),
    flights: new Flights(),
  };
}

/** Of the external cache that holds answers by meaning; null: this node keeps its own. */
export function semanticConnection(configured: readonly ExternalCache[]): string | null {
  return cacheForRegion(configured, "self-hosted")?.connectionString ?? null;
}

/** Where requests to models are written down, in the data folder. */
export function openLedger(
  clock: Clock,
  options: StartOptions,
  say: (level: string, msg: string, more: Readonly<Record<string, unknown>>) => void,
): Ledger | null {
  if (options.dataDir === null) return null;
  return Ledger.open(join(options.dataDir, "ledger"), {
    clock,
    pid: process.pid,
    ...readRetention(options.environment),
    report: (trouble) =>
      trouble === null
        ? say("info", "the ledger is written again", {})
        : say("error", "the ledger cannot be written", { error: trouble }),
  });
}

/** The operator's own prices. */
export function readPrices(configDir: string): ReturnType<typeof readOverrides> & { readonly text: string } {
  let text = "";
  try {
    text = readFileSync(join(configDir, PRICES_FILE), "utf8");
  } catch {
    // Most have none.
  }
  return { ...readOverrides(text), text };
}
