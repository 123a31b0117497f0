/** An answer that was under way and that a policy does not let go on. */
import { TransportError } from "../transport/transport.ts";
import type { GatewayError } from "./errors.ts";

export class CutOff extends TransportError {
  /** What the caller would have read, had the answer not begun. */
  readonly failure: GatewayError;
  /** Goes out before the end of an event stream; null: nothing does. */
  readonly lastWords: Uint8Array | null;

  constructor(failure: GatewayError, lastWords: Uint8Array | null) {
    super("aborted", failure.message, { cause: failure });
    this.name = "CutOff";
    this.failure = failure;
    this.lastWords = lastWords;
  }
}
