/** Credentials of a backend entity on one outgoing request (`resources.md` §1.7). */
import { sameName } from "../base/headers.ts";
import type { BackendCredentials } from "../gateway/snapshot.ts";

/**
 * Puts header credentials into `headers` (replacing what the request has) and returns the query with query
 * credentials added.
 *
 * @param queryString with leading `?`, or empty
 */
export function attachCredentials(headers: string[], queryString: string, credentials: BackendCredentials): string {
  for (let i = 0; i < credentials.headers.length; i += 2) replace(headers, credentials.headers, credentials.headers[i]!);
  if (credentials.authorization !== null) {
    const { scheme, parameter } = credentials.authorization;
    remove(headers, "authorization");
    headers.push("Authorization", parameter === "" ? scheme : `${scheme} ${parameter}`);
  }
  if (credentials.query === "") return queryString;
  return queryString === "" ? `?${credentials.query}` : `${queryString}&${credentials.query}`;
}

/** Every line of `name` in `headers` gives way to those in `from`, once per name. */
function replace(headers: string[], from: readonly string[], name: string): void {
  remove(headers, name);
  for (let i = 0; i < from.length; i += 2) if (sameName(from[i]!, name)) headers.push(name, from[i + 1]!);
}

function remove(headers: string[], name: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) if (sameName(headers[i]!, name)) headers.splice(i, 2);
}
