/** Why a token is refused, in the words of `policies-document.md` §6.5. Policies add their element and status. */
export type TokenReason =
  | "TokenNotPresent"
  | "JwtInvalid"
  | "TokenSignatureKeyNotFound"
  | "TokenSignatureInvalid"
  | "TokenExpired"
  | "TokenIssuerNotAllowed"
  | "TokenAudienceNotAllowed"
  | "TokenClaimNotFound"
  | "TokenClaimValueNotAllowed";

/** Thrown by everything in this folder; for `context.LastError` and the log, never for the caller's eyes. */
export class TokenFailure extends Error {
  readonly reason: TokenReason;
  constructor(reason: TokenReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "TokenFailure";
    this.reason = reason;
  }
}

export const invalid = (message: string, cause?: unknown): TokenFailure =>
  new TokenFailure("JwtInvalid", message, cause);
