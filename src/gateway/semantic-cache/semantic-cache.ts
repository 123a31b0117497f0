/**
 * llm-semantic-cache-lookup and -store (`ai-policies.md` §2): an answer is given again to a prompt that means the same. What
 * an answer may depend on besides the words (API, operation, model, tools, form of the answer, what the author varies by)
 * makes partitions that nothing crosses.
 *
 * Identical prompts that are under way at the same time wait for the first of them: it asks the model, the others get
 * what it stored. Whatever fails here (embeddings, store) is a miss and never fails the call.
 */
import { hash } from "node:crypto";
import type { PolicyDefinition, Value } from "../../compiler/policy.ts";
import type { PromptMessage } from "../../llm/prompt.ts";
import { sameMeaning } from "../../semantic/lexical-guard.ts";
import type { SemanticStore } from "../../semantic/semantic-store.ts";
import { acceptsCoding, decodeResponse, encodeResponse, keepBody, lifeMs, responseFrom } from "../caching.ts";
import { BUILT_IN, embed } from "./embeddings.ts";
import type { Exchange } from "../exchange.ts";
import { modelCallOf } from "../models/find-model-call.ts";
import type { ModelCall } from "../models/model-call.ts";
import type { ResponseMessage } from "../message.ts";
import { partitionOf } from "./semantic-partition.ts";
import { SkipToOutbound, definePolicy, responseOf } from "../policy.ts";

const STORES: readonly string[] = ["llm-semantic-cache-store", "azure-openai-semantic-cache-store"];
/** Above this, prompts of another meaning are likely to be near enough. */
const LOOSE = 0.2;
/** So much further away the nearest entry is still named in a trace. */
const NEAR_MISS = 0.2;
/** Looked at in turn when words are compared, too. */
const CANDIDATES = 4;

/**
 * For so many answers to the same prompt a request waits in vain; then it asks for itself. Where answers are never kept
 * (errors, too long, no store policy) requests would else go one after the other, however many.
 */
const MOST_WAITS = 2;

/** What a lookup leaves for the store. */
export interface SemanticSlot {
  readonly store: SemanticStore;
  readonly partition: string;
  readonly prompt: string;
  readonly vector: Float32Array;
}

interface LookupRules {
  readonly element: string;
  readonly threshold: Value<number>;
  readonly backend: Value<string>;
  readonly model: Value<string> | undefined;
  readonly ignoresSystem: Value<boolean>;
  readonly mostMessages: Value<number> | undefined;
  readonly varyBy: readonly Value<string>[];
  /** null: as the embedder needs it. */
  readonly comparesWords: boolean | null;
}

export function semanticLookup(element: string): PolicyDefinition {
  return definePolicy({
    element,
    summary:
      "Answers a request to a model from the semantic cache when a prompt of the same meaning was answered before.",
    sections: ["inbound"],
    scopes: ["global", "product", "api", "operation"],
    once: "section",
    shape: {
      attributes: {
        "score-threshold": {
          type: "number",
          expression: true,
          required: true,
          min: 0,
          max: 1,
          doc: "Greatest distance (1 − cosine similarity) of a hit: lower is stricter. Begin with 0.05.",
        },
        "embeddings-backend-id": {
          type: "string",
          expression: true,
          required: true,
          references: "backend",
          doc: "Backend whose URL answers embeddings requests; `built-in`: the embedded model.",
        },
        "embeddings-backend-auth": {
          type: "string",
          oneOf: ["system-assigned"],
          doc: "system-assigned: the gateway's own identity, unless the backend has credentials of its own.",
        },
        "ignore-system-messages": {
          type: "bool",
          expression: true,
          default: false,
          doc: "Compare without system messages.",
        },
        "max-message-count": {
          type: "int",
          expression: true,
          min: 1,
          doc: "Conversations with more messages are neither looked up nor stored.",
        },
        "embeddings-model": {
          type: "string",
          expression: true,
          doc: "Ours: `model` of the embeddings request, for services that want one.",
        },
        "compare-words": {
          type: "bool",
          doc: "Ours: a hit must also agree in numbers, negations, opposites and names. Default: only with the embedded model.",
        },
      },
      children: {
        "vary-by": {
          text: { type: "string", expression: true, required: true },
          doc: "Separate entries per value; vary by user or group where answers are not for everybody.",
        },
      },
    },
    check: ({ attributes }, report) => {
      const threshold = attributes["score-threshold"].constant;
      if (threshold === undefined || threshold <= LOOSE) return;
      report(
        `a score-threshold of ${threshold} is loose: it is a distance, and prompts of another meaning come as near`,
        { attribute: "score-threshold", value: true },
        "begin with 0.05; lower is stricter",
        "warning",
      );
    },
    prepare: ({ attributes, children }) => {
      const rules: LookupRules = {
        element,
        threshold: attributes["score-threshold"],
        backend: attributes["embeddings-backend-id"],
        model: attributes["embeddings-model"],
        ignoresSystem: attributes["ignore-system-messages"],
        mostMessages: attributes["max-message-count"],
        varyBy: children["vary-by"].map(({ text }) => text),
        comparesWords: attributes["compare-words"] ?? null,
      };
      return (exchange) => lookup(rules, exchange);
    },
  });
}

async function lookup(rules: LookupRules, exchange: Exchange): Promise<SkipToOutbound | void> {
  exchange.semanticSlot = null;
  const call = await modelCallOf(exchange);
  const say = (text: string): void => exchange.remark(rules.element, text);
  if (call === null) return say("This is no request to a model: nothing is looked up.");
  const text = cacheableText(rules, exchange, call);
  exchange.cacheLookup = "bypass";
  if (text.refused !== null) return say(`Nothing is looked up or stored: ${text.refused}.`);
  const partition = partitionOf(
    exchange,
    call,
    call.request.prompt(),
    rules.ignoresSystem(exchange.context),
    [
      rules.backend(exchange.context),
      rules.model?.(exchange.context) ?? null,
      rules.varyBy.map((value) => value(exchange.context)),
    ],
  );
  if (partition === null) return say("Nothing is looked up or stored: the request is nested too deep.");
  const { semantic } = exchange.services;
  const flightKey = `${partition} ${hash("sha256", text.prompt, "base64url")}`;
  // Whoever comes first flies; should it bring nothing, the next of those who waited does.
  for (let waits = 0; waits < MOST_WAITS; waits++) {
    const ahead = semantic.flights.join(flightKey);
    if (ahead === null) break;
    say("The same prompt is under way: waiting for its answer.");
    const payload = await ahead.wait(exchange.abort);
    if (exchange.abort.aborted) return;
    if (payload !== null && !answer(exchange, payload)) break;
    if (payload === null) continue;
    say("Hit: the answer to the same prompt, which was under way.");
    return new SkipToOutbound(STORES);
  }
  // Null when another has begun meanwhile: this one has waited enough, or cannot read what was brought.
  const flight = semantic.flights.begin(flightKey);
  exchange.semanticFlight = flight;
  if (flight !== null) exchange.onEnd(() => flight.land(null));
  const backend = rules.backend(exchange.context);
  const vector = await embed(
    exchange,
    rules.element,
    backend,
    rules.model?.(exchange.context) ?? null,
    text.prompt,
  );
  if (vector === null) return;
  const store = semantic.storeFor(exchange.snapshot.caches);
  const threshold = rules.threshold(exchange.context);
  const comparesWords = rules.comparesWords ?? backend === BUILT_IN;
  // Who traces a miss wants to know by how much.
  const reach = exchange.traced === null ? threshold : threshold + NEAR_MISS;
  const found = await store.find(partition, vector, reach, comparesWords ? CANDIDATES : 1);
  if (found.state === "unavailable") say(`The semantic cache does not answer: ${found.why}.`);
  else {
    for (const near of found.near) {
      if (near.distance > threshold) {
        say(`Miss: the nearest has distance ${near.distance.toFixed(4)}, threshold ${threshold}.`);
        break;
      }
      if (comparesWords && !sameMeaning(text.prompt, near.prompt)) {
        say(`Near (${near.distance.toFixed(4)}), but the words say something else.`);
        continue;
      }
      if (!answer(exchange, near.payload)) continue;
      say(`Hit: distance ${near.distance.toFixed(4)}, threshold ${threshold}.`);
      flight?.land(near.payload);
      return new SkipToOutbound(STORES);
    }
    if (found.near.length === 0) say(`Miss: nothing within ${Number(reach.toFixed(4))}.`);
    exchange.cacheLookup = "miss";
  }
  exchange.semanticSlot = { store, partition, prompt: text.prompt, vector };
}

function answer(exchange: Exchange, payload: Uint8Array): boolean {
  const stored = decodeResponse(payload);
  if (stored === null) return false;
  const response = responseFrom(stored);
  const accepted = exchange.request.headers.getAll("accept-encoding")?.join(",") ?? null;
  if (!acceptsCoding(accepted, response.headers.get("content-encoding"))) return false;
  exchange.response = response;
  return true;
}

type Cacheable =
  | { readonly refused: string; readonly prompt: "" }
  | { readonly refused: null; readonly prompt: string };

/** The text that is compared, or why there is none (`ai-policies.md` §2.4). */
function cacheableText(rules: LookupRules, exchange: Exchange, call: ModelCall): Cacheable {
  const refuse = (refused: string): Cacheable => ({ refused, prompt: "" });
  if (exchange.request.method !== "POST") return refuse("only POST is");
  const body = call.body ?? {};
  if (typeof body["n"] === "number" && body["n"] > 1) return refuse("several choices are asked for");
  if (body["previous_response_id"] != null || body["conversation"] != null)
    return refuse("it continues a conversation that the provider keeps");
  if (body["background"] === true) return refuse("it is answered later");
  if (body["store"] === true) return refuse("the provider is to keep the answer");
  const prompt = call.request.prompt();
  if (prompt.kind === "other") return refuse("there is no text");
  const messages = rules.ignoresSystem(exchange.context)
    ? prompt.messages.filter(({ role }) => role !== "system" && role !== "developer")
    : prompt.messages;
  const most = rules.mostMessages?.(exchange.context);
  if (most !== undefined && messages.length > most) return refuse(`there are more than ${most} messages`);
  const last = messages.at(-1);
  if (last === undefined) return refuse("there is no message");
  if (last.role === "tool" || last.role === "function" || last.parts.some(isToolResult))
    return refuse("the last turn is the result of a tool");
  const lines: string[] = [];
  for (const message of messages) {
    for (const part of message.parts)
      if (part.kind !== "text" && part.kind !== "json") return refuse("it holds more than text");
    const text = textOf(message);
    if (text !== "") lines.push(message.role === "" ? text : `${message.role}: ${text}`);
  }
  return lines.length === 0 ? refuse("there is no text") : { refused: null, prompt: lines.join("\n") };
}

function isToolResult(part: PromptMessage["parts"][number]): boolean {
  return part.kind === "json";
}

function textOf({ parts }: PromptMessage): string {
  return parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
}

export function semanticStore(element: string): PolicyDefinition {
  return definePolicy({
    element,
    summary: "Stores the answer for the semantic cache, with the prompt that the lookup prepared.",
    sections: ["outbound"],
    scopes: ["global", "product", "api", "operation"],
    once: "section",
    shape: {
      attributes: {
        duration: { type: "number", expression: true, required: true, min: 0, doc: "Seconds to live." },
        "cache-response": {
          type: "bool",
          expression: true,
          doc: "true: whatever the status; false: not this one; absent: only status 200.",
        },
      },
    },
    prepare: ({ attributes: { duration, "cache-response": cacheResponse } }) => {
      return (exchange) => keep(exchange, element, duration, cacheResponse);
    },
  });
}

function keep(
  exchange: Exchange,
  element: string,
  duration: Value<number>,
  cacheResponse: Value<boolean> | undefined,
): void {
  const slot = exchange.semanticSlot;
  if (slot === null) return;
  exchange.semanticSlot = null;
  const response = responseOf(exchange);
  const wanted = cacheResponse?.(exchange.context) ?? response.statusCode === 200;
  const ttlMs = lifeMs(duration(exchange.context));
  if (!wanted || ttlMs === 0) {
    exchange.semanticFlight?.land(null);
    return exchange.remark(element, "The answer is not stored.");
  }
  const { statusCode: status, statusReason: reason, body } = response;
  const headers: string[] = [];
  for (const name of ["Content-Type", "Content-Encoding"]) {
    const value = response.headers.get(name);
    if (value !== null) headers.push(name, value);
  }
  keepBody(
    exchange,
    body,
    (octets) => {
      if (!isWhole(exchange) || isCutJson(exchange, response, octets)) return;
      const storedMs = exchange.services.clock.now();
      const payload = encodeResponse({ status, reason, headers, body: octets, storedMs, lifeMs: ttlMs });
      exchange.semanticFlight?.land(payload);
      const { store, partition, prompt, vector } = slot;
      const adding = store.add(partition, { vector, prompt, payload }, ttlMs).then(() => {});
      exchange.services.outlives?.(adding);
      // A client that hung up at the last event has seen all of it.
    },
    () => exchange.modelCall?.found?.complete === true,
  );
}

/** A stream is kept only if it ended as its dialect ends one. */
function isWhole(exchange: Exchange): boolean {
  const { modelCall, brokenOff } = exchange;
  if (brokenOff !== null) return false;
  const found = modelCall?.found;
  if (found == null || modelCall!.request.stream !== true) return true;
  return found.error === null && (found.complete || found.finishReason !== null);
}

/** A stream that is one JSON document may end after the reason to finish and before its last bracket. */
function isCutJson(
  { modelCall }: Exchange,
  { headers }: ResponseMessage,
  octets: Uint8Array | null,
): boolean {
  if (modelCall?.request.stream !== true || octets === null || headers.has("content-encoding")) return false;
  if (!/^application\/json\b/i.test(headers.get("content-type") ?? "")) return false;
  try {
    JSON.parse(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString());
    return false;
  } catch {
    return true;
  }
}
