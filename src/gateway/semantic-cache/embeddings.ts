/** Vectors for texts: from a backend that speaks the embeddings API of OpenAI and Azure, or from the embedded model. */
import { isJsonObject } from "../../base/json-object.ts";
import type { Exchange } from "../exchange.ts";
import type { Target } from "../snapshot.ts";

/** The embedded model, in the place of a backend. */
export const BUILT_IN = "built-in";

const TIMEOUT_MS = 10_000;
/** 3,072 dimensions as decimal text are about 65 KB. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;
const COGNITIVE_SERVICES = "https://cognitiveservices.azure.com";
/** What Azure's own deployments want in the query; others ignore it. */
const AZURE_VERSION = "api-version=2024-02-01";

/** @returns null when there is none; why is in the trace and in the log */
export async function embed(
  exchange: Exchange,
  source: string,
  backendId: string,
  model: string | null,
  text: string,
): Promise<Float32Array | null> {
  const { semantic, log } = exchange.services;
  const known = semantic.vectors.get(backendId, model, text);
  if (known !== null) return known;
  try {
    const vector =
      backendId === BUILT_IN
        ? await semantic.embedder.embed(text)
        : await ask(exchange, source, backendId, model, text);
    semantic.vectors.set(backendId, model, text, vector);
    return vector;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    exchange.remark(source, `There is no embedding, so this is a miss: ${reason}`);
    log({
      level: "warning",
      msg: "embedding failed",
      requestId: exchange.requestId,
      backend: backendId,
      reason,
    });
    return null;
  }
}

async function ask(
  exchange: Exchange,
  source: string,
  backendId: string,
  model: string | null,
  text: string,
): Promise<Float32Array> {
  const { status, body } = await exchange.services.ask(exchange, {
    backendId,
    source,
    path: "",
    query: wantsVersion(exchange, backendId) ? AZURE_VERSION : "",
    json: model === null ? { input: text } : { input: text, model },
    timeoutMs: TIMEOUT_MS,
    limitBytes: MOST_ANSWER_BYTES,
    identityResource: isAzureHost(exchange, backendId) ? COGNITIVE_SERVICES : null,
    authorization: null,
  });
  if (status !== 200) throw new Error(`the backend '${backendId}' answered ${status}`);
  return vectorOf(JSON.parse(new TextDecoder().decode(body)) as unknown, backendId);
}

function targetOf(exchange: Exchange, backendId: string): Target | null {
  const id = backendId.slice(backendId.lastIndexOf("/") + 1).toLowerCase();
  return exchange.snapshot.backends.get(id)?.target ?? null;
}

function isAzureHost(exchange: Exchange, backendId: string): boolean {
  const host = targetOf(exchange, backendId)?.host ?? "";
  return /\.(?:openai|cognitiveservices|services\.ai)\.azure\.com$/i.test(host);
}

/** A deployment's own path says it, wherever it stands. */
function wantsVersion(exchange: Exchange, backendId: string): boolean {
  const target = targetOf(exchange, backendId);
  if (target === null || /(?:^|&)api-version=/i.test(target.baseQuery)) return false;
  return /\/openai\/deployments\//i.test(target.basePath);
}

/** `data[0].embedding`, as numbers or as base64 of little-endian floats. */
function vectorOf(answer: unknown, backendId: string): Float32Array {
  const first = isJsonObject(answer) && Array.isArray(answer["data"]) ? (answer["data"][0] as unknown) : null;
  const embedding = isJsonObject(first) ? first["embedding"] : null;
  if (Array.isArray(embedding) && embedding.length > 0) {
    const vector = Float32Array.from(embedding as number[]);
    if (vector.every(Number.isFinite) && vector.some((value) => value !== 0)) return vector;
  }
  if (typeof embedding === "string") {
    const octets = Buffer.from(embedding, "base64");
    if (octets.length >= 4 && octets.length % 4 === 0) {
      const vector = new Float32Array(octets.length / 4);
      for (let i = 0; i < vector.length; i++) vector[i] = octets.readFloatLE(i * 4);
      if (vector.every(Number.isFinite) && vector.some((value) => value !== 0)) return vector;
    }
  }
  throw new Error(`the answer of '${backendId}' holds no embedding`);
}
