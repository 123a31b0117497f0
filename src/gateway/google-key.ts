/** Key files of Google service accounts: the JSON that the console hands out. */
import { createHash, createPrivateKey } from "node:crypto";
import { isJsonObject } from "../base/json-object.ts";
import type { GoogleKey } from "./identity.ts";
import { parseTarget } from "./url.ts";

const TOKEN_URI = "https://oauth2.googleapis.com/token";

/** @returns what is wrong, as the end of a sentence, when it cannot be used */
export function readGoogleKey(text: string): GoogleKey | string {
  let file: unknown = null;
  try {
    file = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (!isJsonObject(file)) return "it is not a JSON object";
  const {
    type,
    client_email: clientEmail,
    private_key: privateKey,
    private_key_id: keyId,
    token_uri: tokenUri = TOKEN_URI,
  } = file;
  if (type !== undefined && type !== "service_account") return "its `type` is not `service_account`";
  if (typeof clientEmail !== "string" || clientEmail === "") return "it has no `client_email`";
  if (typeof privateKey !== "string" || privateKey === "") return "it has no `private_key`";
  if (typeof tokenUri !== "string" || parseTarget(tokenUri) === null)
    return "its `token_uri` is not an absolute http or https URL";
  try {
    const key = createPrivateKey(privateKey);
    if (key.asymmetricKeyType !== "rsa") return "its `private_key` is not an RSA key";
    const fingerprint = createHash("sha256")
      .update(`${clientEmail} ${tokenUri} ${privateKey}`)
      .digest("base64url");
    return {
      clientEmail,
      keyId: typeof keyId === "string" ? keyId : null,
      privateKey: key,
      tokenUri,
      fingerprint,
    };
  } catch {
    return "its `private_key` cannot be read";
  }
}
