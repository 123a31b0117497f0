/**
 * Whether certificates were revoked, as their authorities publish it: lists first, since one answers for all, then OCSP.
 * A status that cannot be had refuses the certificate; a failure is remembered for a minute, so that it costs few requests.
 */
import { callOut } from "../../backends/own-requests/call-out.ts";
import { parseUrl } from "../../backends/own-requests/own-request.ts";
import type { Services } from "../../gateway/services.ts";
import type { EgressOptions } from "../../gateway/snapshot.ts";
import type { ClientCertificate } from "./certificate.ts";
import { ocspRequest, readOcspAnswer, responderUrls } from "./ocsp.ts";
import { type RevocationList, listUrls, readList } from "./revocation-list.ts";

/** null: not revoked; otherwise what is to be said. */
export type Revocation = string | null;

const TIMEOUT_MS = 5000;
const MOST_BYTES = 5 * 1024 * 1024;
const FAILURE_MS = 60_000;
/** However long an authority says it need not be asked again. */
const LONGEST_MS = 24 * 60 * 60_000;
const OCSP_MS = 60 * 60_000;
const MOST_ENTRIES = 1000;

interface Known<T> {
  readonly value: Promise<T>;
  /** Set when it came; until then it is under way. */
  settled: { readonly value: T; readonly untilMs: number } | null;
}

type World = Pick<Services, "client" | "clock">;

export class RevocationChecker {
  readonly #world: World;
  readonly #lists = new Map<string, Known<RevocationList | string>>();
  readonly #answers = new Map<string, Known<Revocation>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A promise only when something must be fetched. */
  check(
    certificate: ClientCertificate,
    issuer: ClientCertificate,
    egress: EgressOptions,
  ): Revocation | Promise<Revocation> {
    const lists = listUrls(certificate);
    if (lists.length > 0) return this.#byLists(certificate, issuer, egress, lists);
    const responders = responderUrls(certificate);
    if (responders.length > 0) return this.#byResponder(certificate, issuer, egress, responders[0]!);
    return "it does not say where its revocation status can be found";
  }

  // ── Lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #byLists(
    certificate: ClientCertificate,
    issuer: ClientCertificate,
    egress: EgressOptions,
    urls: readonly string[],
  ): Revocation | Promise<Revocation> {
    const found = this.#get(this.#lists, `${urls[0]!} ${issuer.fingerprint}`, () =>
      this.#fetchList(urls, issuer, egress),
    );
    const judge = (list: RevocationList | string): Revocation => {
      if (typeof list === "string") return `its revocation status could not be found: ${list}`;
      if (!list.covers(certificate))
        return "its revocation status could not be found: the list is not about it";
      return list.has(certificate) ? "it was revoked" : null;
    };
    return found instanceof Promise ? found.then(judge) : judge(found);
  }

  /** Several URLs are several places for the same. */
  async #fetchList(
    urls: readonly string[],
    issuer: ClientCertificate,
    egress: EgressOptions,
  ): Promise<{ value: RevocationList | string; untilMs: number }> {
    const { clock } = this.#world;
    let failure = "";
    for (const url of urls.slice(0, 3)) {
      const bytes = await this.#fetch(url, egress, null);
      const list = typeof bytes === "string" ? bytes : readList(bytes, issuer);
      if (typeof list === "string") failure = `${url}: ${list}`;
      else if (!(list.thisUpdateMs <= clock.now() && clock.now() < list.nextUpdateMs))
        failure = `${url}: it is not of today`;
      else return { value: list, untilMs: Math.min(list.nextUpdateMs, clock.now() + LONGEST_MS) };
    }
    return { value: failure, untilMs: clock.now() + FAILURE_MS };
  }

  // ── OCSP ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #byResponder(
    certificate: ClientCertificate,
    issuer: ClientCertificate,
    egress: EgressOptions,
    url: string,
  ): Revocation | Promise<Revocation> {
    return this.#get(this.#answers, `${url} ${certificate.fingerprint}`, () =>
      this.#ask(certificate, issuer, egress, url),
    );
  }

  async #ask(
    certificate: ClientCertificate,
    issuer: ClientCertificate,
    egress: EgressOptions,
    url: string,
  ): Promise<{ value: Revocation; untilMs: number }> {
    const now = this.#world.clock.now();
    const unknown = (why: string) => ({
      value: `its revocation status could not be found: ${url}: ${why}`,
      untilMs: now + FAILURE_MS,
    });
    const bytes = await this.#fetch(url, egress, ocspRequest(issuer, certificate.serialOctets));
    if (typeof bytes === "string") return unknown(bytes);
    const answer = readOcspAnswer(bytes, issuer, certificate.serialOctets, now);
    if (typeof answer === "string") return unknown(answer);
    const { thisUpdateMs, nextUpdateMs, revoked } = answer;
    const lastMs = Number.isNaN(nextUpdateMs) ? thisUpdateMs + LONGEST_MS : nextUpdateMs;
    if (!(thisUpdateMs <= now && now < lastMs)) return unknown("the answer is not of today");
    const untilMs = Math.min(lastMs, now + OCSP_MS);
    return { value: revoked ? "it was revoked" : null, untilMs };
  }

  // ── Both ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What is known, is under way, or is fetched now. */
  #get<T>(
    entries: Map<string, Known<T>>,
    key: string,
    fetch: () => Promise<{ value: T; untilMs: number }>,
  ): T | Promise<T> {
    const found = entries.get(key);
    if (found?.settled === null) return found.value;
    if (found?.settled !== undefined && this.#world.clock.now() < found.settled.untilMs)
      return found.settled.value;
    if (entries.size >= MOST_ENTRIES) entries.delete(entries.keys().next().value!);
    const entry: { value: Promise<T>; settled: Known<T>["settled"] } = {
      value: fetch().then((settled) => {
        entry.settled = settled;
        return settled.value;
      }),
      settled: null,
    };
    entries.set(key, entry);
    return entry.value;
  }

  /** The octets, or what went wrong. */
  async #fetch(url: string, egress: EgressOptions, post: Uint8Array | null): Promise<Uint8Array | string> {
    const parsed = parseUrl(url);
    if (parsed === null) return "it is not a URL";
    const { target, path, query } = parsed;
    const type = post === null ? [] : ["Content-Type", "application/ocsp-request"];
    try {
      const answer = await callOut(this.#world, egress, {
        request: {
          method: post === null ? "GET" : "POST",
          scheme: target.scheme,
          host: target.host,
          port: target.port,
          target: query === "" ? path : `${path}?${query}`,
          rawHeaders: ["Host", target.authority, "Accept-Encoding", "identity", ...type],
          body: post,
        },
        timeoutMs: TIMEOUT_MS,
        limitBytes: MOST_BYTES,
        abort: null,
      });
      if (answer.statusCode !== 200 || answer.body === null) return `it answered ${answer.statusCode}`;
      return answer.body.bytes();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

const known = new WeakMap<Services, RevocationChecker>();

/** One for the process. */
export function revocationChecker(services: Services): RevocationChecker {
  let found = known.get(services);
  if (found === undefined) known.set(services, (found = new RevocationChecker(services)));
  return found;
}
