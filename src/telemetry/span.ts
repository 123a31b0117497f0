/** A span as the gateway records it; exporters bring it into their own form. */
export interface Span {
  /** 32 and 16 lower-case hex digits. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: "server" | "client" | "internal";
  /** Ms since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** Why it failed; null when it did not. */
  readonly error: string | null;
}

export type Attributes = Readonly<Record<string, string | number | boolean | readonly string[]>>;
