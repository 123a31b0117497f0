/**
 * Session affinity of pools (`ai-backends-auth.md` §10.2): who comes back goes where it was before, as long as that
 * member is well.
 *
 * **Cookie.** The value is a keyed hash of pool and member, so it says nothing of the backends and cannot be made up; as
 * a pool has few members, theirs are worked out once and looked up. Nothing is remembered, so every gateway with
 * the same secret understands it. The cookie is the gateway's own: backends do not see it.
 *
 * **Header** (ours, for `Mcp-Session-Id` and its like). Sessions that backends name are learned from their answers; a name
 * that we have not seen leads to the same member each time by rendezvous hashing, so clients may name sessions themselves.
 */
import { createHmac, hash } from "node:crypto";
import { type HeaderList, sameName } from "../../base/headers.ts";
import type { AffinityRule } from "../../gateway/snapshot.ts";
import type { Pool } from "./pool.ts";

/** Sessions that are remembered; the longest unused goes first. */
const MOST_SESSIONS = 100_000;
/** Longer ones are not looked at. */
const LONGEST_NAME = 512;

/** No session, or one of which nothing is known. */
export const NO_MEMBER = -1;

export class Affinity {
  readonly rule: AffinityRule;
  readonly #tokens: readonly string[];
  readonly #members: readonly string[];
  /** Session → index of its member. */
  readonly #known = new Map<string, number>();

  /** @param memberIds in the pool's order */
  constructor(rule: AffinityRule, secret: string, poolId: string, memberIds: readonly string[]) {
    this.rule = rule;
    this.#members = memberIds;
    this.#tokens = memberIds.map((id) => token(secret, poolId, id));
    if (rule.source === "cookie") this.#tokens.forEach((value, index) => this.#known.set(value, index));
  }

  /**
   * The member that a request asks for, or `NO_MEMBER`.
   *
   * @param pool  says who is well now
   * @param tried bits of the members that this exchange has asked already
   */
  memberOf(headers: HeaderList, pool: Pool, now: number, tried: number): number {
    if (this.rule.source === "cookie") {
      const value = cookieOf(headers, this.rule.name);
      const index = value === null ? undefined : this.#known.get(value);
      return index !== undefined && (tried & (1 << index)) === 0 && pool.healthy(index, now)
        ? index
        : NO_MEMBER;
    }
    const session = headers.get(this.rule.name);
    if (session === null || session === "" || session.length > LONGEST_NAME) return NO_MEMBER;
    const index = this.#known.get(session);
    if (index !== undefined && (tried & (1 << index)) === 0 && pool.healthy(index, now))
      return this.#remember(session, index);
    return this.#byHash(session, pool.candidates(now, tried));
  }

  /** After an answer by a member: makes the client, or us, remember it. */
  keep(index: number, request: HeaderList, answer: HeaderList, encrypted: boolean): void {
    const { source, name } = this.rule;
    if (source === "header") {
      const session = answer.get(name);
      if (session !== null && session !== "" && session.length <= LONGEST_NAME)
        this.#remember(session, index);
      return;
    }
    const value = this.#tokens[index]!;
    if (cookieOf(request, name) === value) return;
    answer.append(
      "Set-Cookie",
      `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${encrypted ? "; Secure" : ""}`,
    );
  }

  #remember(session: string, index: number): number {
    this.#known.delete(session);
    this.#known.set(session, index);
    if (this.#known.size > MOST_SESSIONS) this.#known.delete(this.#known.keys().next().value!);
    return index;
  }

  /** The candidate with the highest hash of session and member: few sessions move when members come and go. */
  #byHash(session: string, candidates: number): number {
    let best = NO_MEMBER;
    let highest = "";
    for (let i = 0; i < this.#members.length; i++) {
      if ((candidates & (1 << i)) === 0) continue;
      const score = hash("sha1", `${this.#members[i]!}\n${session}`);
      if (best === NO_MEMBER || score > highest) {
        best = i;
        highest = score;
      }
    }
    return best;
  }
}

function token(secret: string, poolId: string, memberId: string): string {
  const name = JSON.stringify([poolId.toLowerCase(), memberId.toLowerCase()]);
  return createHmac("sha256", secret).update(name).digest("base64url").slice(0, 22);
}

/** The value of a cookie; null when there is none. Names are case-sensitive (RFC 6265 §5.4). */
export function cookieOf(headers: HeaderList, name: string): string | null {
  const lines = headers.getAll("cookie");
  if (lines === null) return null;
  for (const line of lines) {
    for (const pair of line.split(";")) {
      const at = pair.indexOf("=");
      if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
    }
  }
  return null;
}

/** Takes the cookie out of the `Cookie` lines of a flat list; a line with nothing left goes. */
export function withoutCookie(raw: string[], name: string): void {
  for (let i = raw.length - 2; i >= 0; i -= 2) {
    if (!sameName(raw[i]!, "cookie")) continue;
    const line = raw[i + 1]!;
    if (!line.includes(name)) continue;
    const pairs = line.split(";");
    const kept = pairs.filter((pair) => pair.slice(0, Math.max(0, pair.indexOf("="))).trim() !== name);
    if (kept.length === pairs.length) continue;
    const rest = kept.join(";").trim();
    if (rest === "") raw.splice(i, 2);
    else raw[i + 1] = rest;
  }
}
