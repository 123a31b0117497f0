import type { OpenProperties } from "./resource.ts";

export type PolicyFormat = "xml" | "rawxml" | "xml-link" | "rawxml-link";

/** `policies` at every scope; the name is always `policy`. Source: spec "Resource model" 1.9. */
export interface PolicyProperties extends OpenProperties {
  /** The document as it was written. */
  value?: string;
  /** Default `xml`. */
  format?: PolicyFormat;
}

/** `policyFragments`; the document's root is `<fragment>`. */
export interface PolicyFragmentProperties extends OpenProperties {
  value?: string;
  format?: PolicyFormat;
  description?: string;
  provisioningState?: string;
}

/** `policyRestrictions`. */
export interface PolicyRestrictionProperties extends OpenProperties {
  scope?: string;
  requireBase?: "true" | "false";
}

/** `namedValues`. Source: spec "Resource model" 1.8. */
export interface NamedValueProperties extends OpenProperties {
  /** The name used in `{{…}}`; unique, may differ from the resource's name. */
  displayName?: string;
  value?: string;
  /** Default false; a secret is never returned by GET. */
  secret?: boolean;
  tags?: string[];
  keyVault?: KeyVaultReference;
  /** Ours: where the value comes from when it is not written here. */
  valueFrom?: ValueSource;
  provisioningState?: string;
}

export interface KeyVaultReference extends OpenProperties {
  secretIdentifier?: string;
  identityClientId?: string;
  lastStatus?: { code?: string; message?: string; timeStampUtc?: string };
}

/** Ours: a value kept outside the configuration. Exactly one of `env` and `file`. */
export interface ValueSource extends OpenProperties {
  /** Name of an environment variable. */
  env?: string;
  /** A file that holds the value; relative paths start at the artifact folder. */
  file?: string;
  /** Taken when the variable or file does not exist. */
  default?: string;
}
