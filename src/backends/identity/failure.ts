import { GatewayError } from "../../gateway/errors.ts";
import { CredentialError } from "../../gateway/identity.ts";

/** The code of what cannot be sent for want of a credential. */
export const CREDENTIAL_UNAVAILABLE = "credential_unavailable";

/** What a policy fails with when a credential cannot be had; our own mistakes stay what they are. */
export function credentialUnavailable(source: string, error: unknown): unknown {
  if (!(error instanceof CredentialError)) return error;
  const { message, cause } = error;
  return new GatewayError({
    source,
    reason: "CredentialUnavailable",
    message,
    status: 500,
    code: CREDENTIAL_UNAVAILABLE,
    cause,
  });
}
