/**
 * A one-shot cancellation signal. `AbortSignal` costs an EventTarget per request; this is an array that most
 * requests never allocate.
 */
export class Abort {
  #listeners: ((reason: AbortReason) => void)[] | null = null;
  #reason: AbortReason | null = null;

  get aborted(): boolean {
    return this.#reason !== null;
  }

  /** Why it was aborted; null while it was not. */
  get reason(): AbortReason | null {
    return this.#reason;
  }

  abort(reason: AbortReason): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    const listeners = this.#listeners;
    this.#listeners = null;
    if (listeners !== null) for (const listener of listeners) listener(reason);
  }

  /** Calls `listener` on abort, at once when already aborted. Returns a function that removes it. */
  onAbort(listener: (reason: AbortReason) => void): () => void {
    if (this.#reason !== null) {
      listener(this.#reason);
      return doNothing;
    }
    (this.#listeners ??= []).push(listener);
    return () => {
      const list = this.#listeners;
      const at = list?.indexOf(listener) ?? -1;
      if (at >= 0) list!.splice(at, 1);
    };
  }
}

/** `client`: hung up or was too slow. `deadline`: the exchange's time is over. `shutdown`: the drain ended. `other`: a sibling won or failed. */
export type AbortReason = "client" | "deadline" | "shutdown" | "other";

function doNothing(): void {}
