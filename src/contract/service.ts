import type { OpenProperties } from "./resource.ts";

/** `service`: the instance itself. Source: spec "Resource model" 1.4. */
export interface ServiceProperties extends OpenProperties {
  publisherEmail?: string;
  publisherName?: string;
  /** The real base URL of the gateway: clients build every call from it. Read-only. */
  gatewayUrl?: string;
  gatewayRegionalUrl?: string;
  developerPortalUrl?: string;
  portalUrl?: string;
  managementApiUrl?: string;
  scmUrl?: string;
  provisioningState?: string;
  targetProvisioningState?: string;
  hostnameConfigurations?: HostnameConfiguration[];
  certificates?: ServiceCertificate[];
  customProperties?: { [name: string]: string };
  virtualNetworkType?: string;
  virtualNetworkConfiguration?: unknown;
  publicNetworkAccess?: string;
  natGatewayState?: string;
  additionalLocations?: unknown[];
  disableGateway?: boolean;
  zoneRedundant?: boolean;
  apiVersionConstraint?: { minApiVersion?: string };
  configurationApi?: { legacyApi?: string };
  developerPortalStatus?: string;
  legacyPortalStatus?: string;
  restore?: boolean;
  releaseChannel?: string;
}

export interface HostnameConfiguration extends OpenProperties {
  type?: string;
  hostName?: string;
  keyVaultId?: string;
  encodedCertificate?: string;
  certificatePassword?: string;
  identityClientId?: string;
  defaultSslBinding?: boolean;
  negotiateClientCertificate?: boolean;
  certificateSource?: string;
  certificate?: unknown;
}

export interface ServiceCertificate extends OpenProperties {
  encodedCertificate?: string;
  certificatePassword?: string;
  storeName?: "Root" | "CertificateAuthority";
}
