/** What the embedded store's thread is asked and answers. Times are ms since the epoch. */
import type { Near, SemanticEntry } from "../semantic-store.ts";

export type Request =
  | {
      readonly kind: "find";
      readonly partition: string;
      readonly vector: Float32Array;
      readonly distance: number;
      readonly limit: number;
    }
  | {
      readonly kind: "add";
      readonly partition: string;
      readonly entry: SemanticEntry;
      readonly endMs: number;
    }
  | { readonly kind: "forget"; readonly partition: string; readonly prompts: readonly string[] }
  | { readonly kind: "clear"; readonly partition: string | null }
  | { readonly kind: "commit" }
  | { readonly kind: "close" };

export type Question = Request & { readonly id: number; readonly nowMs: number };

export type Answer =
  | { readonly id: number; readonly near: readonly Near[] }
  | { readonly id: number; readonly kept: boolean }
  /** Carried out. */
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly error: string }
  /** For the log. */
  | { readonly report: string }
  /** Something was written: ask to commit within a second. */
  | { readonly pending: true };
