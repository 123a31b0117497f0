/** Time is an argument: everything that needs it gets a clock. */
export interface Clock {
  /** Ms since the epoch. */
  now(): number;
  /** Ms that never step back; only differences mean something. */
  monotonic(): number;
  /** Calls back once after `ms`; returns a function that cancels. */
  after(ms: number, callback: () => void): () => void;
}
