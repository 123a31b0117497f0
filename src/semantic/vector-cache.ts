/** Embeddings of texts that were asked lately: the same prompt again costs no second embedding. Bounded. */
import { hash } from "node:crypto";

const MOST = 2000;

export class VectorCache {
  readonly #vectors = new Map<string, Float32Array>();

  get(backend: string, model: string | null, text: string): Float32Array | null {
    const key = keyOf(backend, model, text);
    const found = this.#vectors.get(key);
    if (found === undefined) return null;
    // The latest used is the last to go.
    this.#vectors.delete(key);
    this.#vectors.set(key, found);
    return found;
  }

  set(backend: string, model: string | null, text: string, vector: Float32Array): void {
    if (this.#vectors.size >= MOST) {
      const oldest = this.#vectors.keys().next();
      if (oldest.done !== true) this.#vectors.delete(oldest.value);
    }
    this.#vectors.set(keyOf(backend, model, text), vector);
  }

  /** A configuration may have given a backend's name to another one. */
  clear(): void {
    this.#vectors.clear();
  }
}

function keyOf(backend: string, model: string | null, text: string): string {
  return hash("sha256", JSON.stringify([backend, model, text]), "base64url");
}
