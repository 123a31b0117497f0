/**
 * AWS keys of this workload: `AWS_ACCESS_KEY_ID` and its kin, or temporary ones that the security token service gives for
 * the token of `AWS_WEB_IDENTITY_TOKEN_FILE` (IAM roles for service accounts). In that order, as the SDKs do.
 */
import { readFile } from "node:fs/promises";
import { type AwsKeys, CredentialError } from "../../gateway/identity.ts";
import { type World, ask } from "../identity/ask.ts";
import type { AwsSettings } from "../identity/settings.ts";
import type { Fetched } from "../identity/token-cache.ts";

const WHO = "the AWS security token service";

/** Null when the environment holds none. */
export function staticAwsKeys({ accessKeyId, secretAccessKey, sessionToken }: AwsSettings): AwsKeys | null {
  return accessKeyId === null || secretAccessKey === null
    ? null
    : { accessKeyId, secretAccessKey, sessionToken };
}

/** `AssumeRoleWithWebIdentity`. @throws CredentialError */
export async function fetchAwsKeys(
  world: World,
  { tokenFile, roleArn, sessionName, sts }: AwsSettings,
): Promise<Fetched<AwsKeys>> {
  if (tokenFile === null || roleArn === null) {
    throw new CredentialError(
      "There are no AWS keys: the backend names none, and neither AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY nor " +
        "AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN is set.",
    );
  }
  const text = await ask(world, {
    method: "POST",
    url: sts,
    headers: [],
    form: {
      Action: "AssumeRoleWithWebIdentity",
      Version: "2011-06-15",
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      WebIdentityToken: await readToken(tokenFile),
    },
    who: WHO,
  });
  return readAnswer(text, world.clock.now());
}

async function readToken(file: string): Promise<string> {
  let token: string;
  try {
    token = (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new CredentialError(`The file of AWS_WEB_IDENTITY_TOKEN_FILE (${file}) cannot be read.`, error);
  }
  if (token === "") throw new CredentialError(`The file of AWS_WEB_IDENTITY_TOKEN_FILE (${file}) is empty.`);
  return token;
}

/** The answer is XML whose four elements hold base64 and a date: nothing in them is ever escaped. */
function readAnswer(xml: string, nowMs: number): Fetched<AwsKeys> {
  const textOf = (element: string): string =>
    new RegExp(`<${element}>\\s*([^<&\\s]+)\\s*</${element}>`).exec(xml)?.[1] ?? "";
  const [accessKeyId, secretAccessKey, sessionToken] = [
    textOf("AccessKeyId"),
    textOf("SecretAccessKey"),
    textOf("SessionToken"),
  ];
  const expires = Date.parse(textOf("Expiration"));
  if (accessKeyId === "" || secretAccessKey === "" || sessionToken === "" || Number.isNaN(expires)) {
    throw new CredentialError(`${WHO} answered without keys.`);
  }
  return { value: { accessKeyId, secretAccessKey, sessionToken }, lifetimeMs: expires - nowMs };
}
