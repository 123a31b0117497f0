/** The embedded model's thread: 20 ms of work per prompt that nobody who carries requests may wait for. */
import { parentPort } from "node:worker_threads";
import { type Model, loadModel } from "./model.ts";

export interface Question {
  readonly id: number;
  readonly text: string;
}
export type Answer =
  | { readonly id: number; readonly vector: Float32Array }
  | { readonly id: number; readonly error: string };

const port = parentPort!;
// The libraries below know how to fetch weights; here they shall not.
globalThis.fetch = () => Promise.reject(new Error("the embedded model asks nobody"));

let model: Promise<Model> | null = null;

port.on("message", ({ id, text }: Question) => {
  model ??= loadModel();
  model
    .then((embed) => embed(text))
    .then(
      (vector) => port.postMessage({ id, vector } satisfies Answer, [vector.buffer as ArrayBuffer]),
      (error: unknown) =>
        port.postMessage({
          id,
          error: error instanceof Error ? error.message : String(error),
        } satisfies Answer),
    );
});
