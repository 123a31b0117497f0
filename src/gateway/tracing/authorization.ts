/**
 * The secret parts of an Authorization value: what follows the scheme, and for Basic (RFC 7617) the password.
 *
 * @returns nothing for a value without a scheme
 */
export function parseAuthorization(value: string): string[] {
  const match = /^([\w!#$%&'*+.^`|~-]+) +(\S.*)$/.exec(value);
  if (match === null) return [];
  const credentials = match[2]!.trim();
  if (match[1]!.toLowerCase() !== "basic") return [credentials];
  const text = Buffer.from(credentials, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? [credentials] : [credentials, text.slice(colon + 1)];
}
