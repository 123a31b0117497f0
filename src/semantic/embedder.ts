/** What makes vectors of texts in this process. */
export interface Embedder {
  /** @throws Error when there is no model to ask */
  embed(text: string): Promise<Float32Array>;
  close(): Promise<void>;
}
