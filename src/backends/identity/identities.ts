/** Everything that this workload can prove about itself, kept as long as it lasts: one of these for each process. */
import type { AwsKeys, GoogleKey, Identities } from "../../gateway/identity.ts";
import { fetchAwsKeys, staticAwsKeys } from "../aws/keys.ts";
import { fetchGoogleToken } from "../google/token.ts";
import type { World } from "./ask.ts";
import { fetchAzureToken } from "./azure.ts";
import type { IdentitySettings } from "./settings.ts";
import { TokenCache } from "./token-cache.ts";

export function makeIdentities(world: World, settings: IdentitySettings): Identities {
  const azure = new TokenCache<string>("Microsoft Entra token", world);
  const google = new TokenCache<string>("Google access token", world);
  const aws = new TokenCache<AwsKeys>("AWS keys", world);
  const awsStatic = staticAwsKeys(settings.aws);
  return {
    azureToken: (resource, clientId) =>
      azure.get(`${clientId ?? ""} ${resource}`, () =>
        fetchAzureToken(world, settings.azure, resource, clientId),
      ),
    googleToken: (key: GoogleKey | null, scope) =>
      google.get(`${key?.fingerprint ?? ""} ${scope}`, () =>
        fetchGoogleToken(world, settings.google, key, scope),
      ),
    awsKeys: () => awsStatic ?? aws.get("", () => fetchAwsKeys(world, settings.aws)),
  };
}
