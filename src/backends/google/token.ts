/**
 * Google access tokens: for a service account's key (RFC 7523: a JWT signed with it is exchanged for a token), for the key
 * file that `GOOGLE_APPLICATION_CREDENTIALS` names, or else from the metadata service of the machine or cluster.
 */
import { readFile } from "node:fs/promises";
import { CredentialError, type GoogleKey } from "../../gateway/identity.ts";
import { readGoogleKey } from "../../gateway/google-key.ts";
import { type Question, type World, askJson } from "../identity/ask.ts";
import { signAssertion } from "../identity/assertion.ts";
import type { GoogleSettings } from "../identity/settings.ts";
import { readTokenAnswer } from "../identity/token-answer.ts";
import type { Fetched } from "../identity/token-cache.ts";

const ASSERTION_SECONDS = 3600;
const METADATA_TIMEOUT_MS = 3000;

/** @throws CredentialError */
export async function fetchGoogleToken(
  world: World,
  settings: GoogleSettings,
  given: GoogleKey | null,
  scope: string,
): Promise<Fetched<string>> {
  const key = given ?? (settings.keyFile === null ? null : await readFileKey(settings.keyFile));
  const question = key === null ? ofMetadata(settings.metadata, scope) : ofKey(key, scope, world.clock.now());
  return readTokenAnswer(await askJson(world, question), question.who, world.clock.now());
}

function ofKey(key: GoogleKey, scope: string, nowMs: number): Question {
  const iat = Math.floor(nowMs / 1000);
  const claims = { iss: key.clientEmail, scope, aud: key.tokenUri, iat, exp: iat + ASSERTION_SECONDS };
  const header = key.keyId === null ? {} : { kid: key.keyId };
  return {
    method: "POST",
    url: key.tokenUri,
    headers: [],
    form: {
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: signAssertion(key.privateKey, "RS256", header, claims),
    },
    who: "Google's token endpoint",
  };
}

function ofMetadata(origin: string, scope: string): Question {
  return {
    method: "GET",
    url: `${origin}/computeMetadata/v1/instance/service-accounts/default/token?scopes=${encodeURIComponent(scope.replaceAll(" ", ","))}`,
    headers: ["Metadata-Flavor", "Google"],
    who: "Google's metadata service (neither the backend nor GOOGLE_APPLICATION_CREDENTIALS names a key)",
    timeoutMs: METADATA_TIMEOUT_MS,
  };
}

async function readFileKey(file: string): Promise<GoogleKey> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new CredentialError(`The file of GOOGLE_APPLICATION_CREDENTIALS (${file}) cannot be read.`, error);
  }
  const key = readGoogleKey(text);
  if (typeof key === "string")
    throw new CredentialError(
      `The file of GOOGLE_APPLICATION_CREDENTIALS (${file}) is no key of a service account: ${key}.`,
    );
  return key;
}
