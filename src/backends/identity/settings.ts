/**
 * What the platforms tell a workload of its identity, in the variables that they and their SDKs use. The environment comes
 * from `main.ts`; nothing here is read twice.
 */

type Environment = Readonly<Record<string, string | undefined>>;

export interface IdentitySettings {
  readonly azure: AzureSettings;
  readonly aws: AwsSettings;
  readonly google: GoogleSettings;
}

export interface AzureSettings {
  /** App Service, Functions, Container Apps: `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`. */
  readonly platform: { readonly endpoint: string; readonly secret: string } | null;
  /** Servers that Azure Arc connects: `IDENTITY_ENDPOINT` and `IMDS_ENDPOINT`, without `IDENTITY_HEADER`. */
  readonly arc: { readonly endpoint: string; readonly keyFolder: string } | null;
  /** Origin of the instance metadata service (`AZURE_POD_IDENTITY_AUTHORITY_HOST` puts it elsewhere). */
  readonly metadata: string;
  /** Microsoft Entra ID, without final slash: `AZURE_AUTHORITY_HOST`. */
  readonly authority: string;
  readonly tenantId: string | null;
  readonly clientId: string | null;
  /** Workload identity federation: `AZURE_FEDERATED_TOKEN_FILE`, which the platform writes anew again and again. */
  readonly tokenFile: string | null;
  readonly clientSecret: string | null;
  /** PEM or PKCS#12: `AZURE_CLIENT_CERTIFICATE_PATH`. */
  readonly certificateFile: string | null;
  readonly certificatePassword: string;
}

export interface AwsSettings {
  readonly accessKeyId: string | null;
  readonly secretAccessKey: string | null;
  readonly sessionToken: string | null;
  /** Web identity (IRSA): `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`. */
  readonly tokenFile: string | null;
  readonly roleArn: string | null;
  readonly sessionName: string;
  /** URL of the security token service. */
  readonly sts: string;
  /** ECS, EKS pod identities: `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `…_FULL_URI`. */
  readonly container: AwsContainerSettings | null;
  /** Origin of the instance metadata service of EC2; null: `AWS_EC2_METADATA_DISABLED`. */
  readonly metadata: string | null;
}

export interface AwsContainerSettings {
  readonly url: string;
  /** Value of Authorization: `AWS_CONTAINER_AUTHORIZATION_TOKEN`. */
  readonly token: string | null;
  /** The same in a file, which the platform writes anew: `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`. */
  readonly tokenFile: string | null;
}

export interface GoogleSettings {
  /** `GOOGLE_APPLICATION_CREDENTIALS` */
  readonly keyFile: string | null;
  /** Origin of the metadata service (`GCE_METADATA_HOST`). */
  readonly metadata: string;
}

export function readIdentitySettings(environment: Environment): IdentitySettings {
  const take = (name: string): string | null => environment[name]?.trim() || null;
  const endpoint = take("IDENTITY_ENDPOINT");
  const secret = take("IDENTITY_HEADER");
  const imds = take("IMDS_ENDPOINT");
  const region = take("AWS_REGION") ?? take("AWS_DEFAULT_REGION");
  return {
    azure: {
      platform: endpoint === null || secret === null ? null : { endpoint, secret },
      arc: endpoint === null || imds === null || secret !== null ? null : { endpoint, keyFolder: ARC_KEYS },
      metadata: withoutSlash(take("AZURE_POD_IDENTITY_AUTHORITY_HOST") ?? "http://169.254.169.254"),
      authority: withoutSlash(take("AZURE_AUTHORITY_HOST") ?? "https://login.microsoftonline.com"),
      tenantId: take("AZURE_TENANT_ID"),
      clientId: take("AZURE_CLIENT_ID"),
      tokenFile: take("AZURE_FEDERATED_TOKEN_FILE"),
      clientSecret: take("AZURE_CLIENT_SECRET"),
      certificateFile: take("AZURE_CLIENT_CERTIFICATE_PATH"),
      certificatePassword: environment["AZURE_CLIENT_CERTIFICATE_PASSWORD"] ?? "",
    },
    aws: {
      accessKeyId: take("AWS_ACCESS_KEY_ID"),
      secretAccessKey: take("AWS_SECRET_ACCESS_KEY"),
      sessionToken: take("AWS_SESSION_TOKEN"),
      tokenFile: take("AWS_WEB_IDENTITY_TOKEN_FILE"),
      roleArn: take("AWS_ROLE_ARN"),
      sessionName: take("AWS_ROLE_SESSION_NAME") ?? "headgate",
      sts:
        take("AWS_ENDPOINT_URL_STS") ??
        (region === null ? "https://sts.amazonaws.com" : `https://sts.${region}.${domainOf(region)}`),
      container: containerOf(take),
      metadata:
        take("AWS_EC2_METADATA_DISABLED")?.toLowerCase() === "true"
          ? null
          : withoutSlash(
              take("AWS_EC2_METADATA_SERVICE_ENDPOINT") ??
                (take("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.toLowerCase() === "ipv6"
                  ? "http://[fd00:ec2::254]"
                  : "http://169.254.169.254"),
            ),
    },
    google: {
      keyFile: take("GOOGLE_APPLICATION_CREDENTIALS"),
      metadata: `http://${take("GCE_METADATA_HOST") ?? "metadata.google.internal"}`,
    },
  };
}

/** Where the agent of Azure Arc puts what only this machine can read. */
const ARC_KEYS = "/var/opt/azcmagent/tokens";
const ECS_AGENT = "http://169.254.170.2";

function containerOf(take: (name: string) => string | null): AwsContainerSettings | null {
  const relative = take("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const url = relative === null ? take("AWS_CONTAINER_CREDENTIALS_FULL_URI") : `${ECS_AGENT}${relative}`;
  if (url === null) return null;
  return {
    url,
    token: take("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    tokenFile: take("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

/** China is a partition with a domain of its own. */
function domainOf(region: string): string {
  return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}
