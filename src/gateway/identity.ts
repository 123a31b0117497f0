/**
 * Credentials of this workload that have to be fetched from somebody. `backends/identity` fetches and keeps them; here is
 * only what policies and backends see of it.
 */
import type { KeyObject } from "node:crypto";

/** All of them answer with a promise only when something has to be fetched, and throw or reject with CredentialError. */
export interface Identities {
  /**
   * A Microsoft Entra access token of the managed identity.
   *
   * @param resource  App ID URI of what is called; a final slash matters
   * @param clientId  a user-assigned identity; null = the system's, or the one that the environment names
   */
  azureToken(resource: string, clientId: string | null): string | Promise<string>;
  /** @param key null = the one that the environment names, or the metadata service */
  googleToken(key: GoogleKey | null, scope: string): string | Promise<string>;
  awsKeys(): AwsKeys | Promise<AwsKeys>;
}

/** A credential could not be had. The message is for the operator; it holds no secret. */
export class CredentialError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CredentialError";
  }
}

export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** null for keys that are not temporary. */
  readonly sessionToken: string | null;
}

/** A service account's key file, opened. */
export interface GoogleKey {
  readonly clientEmail: string;
  readonly keyId: string | null;
  readonly privateKey: KeyObject;
  readonly tokenUri: string;
  /** The same for the same key, across configurations. */
  readonly fingerprint: string;
}

/** A credential of a backend that is fetched or worked out for each request. */
export type IdentityCredential =
  | { readonly kind: "azure"; readonly resource: string; readonly clientId: string | null }
  /** `key` null: as `Identities.googleToken`. */
  | { readonly kind: "google"; readonly key: GoogleKey | null; readonly scope: string }
  /** `keys` null: as `Identities.awsKeys`. */
  | { readonly kind: "aws"; readonly keys: AwsKeys | null; readonly region: string; readonly service: string }
  /** Something that the backend should have is not here, so nothing is sent to it. */
  | { readonly kind: "unavailable"; readonly reason: string };
