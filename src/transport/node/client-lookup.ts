/**
 * Names → addresses. By default the system is asked (`getaddrinfo`: hosts file, search domains and all), or else the DNS
 * servers that are given, which then are all that counts besides `localhost`. Nothing is remembered: each new connection
 * follows what a name says now, so that records with short lives are honoured, and a name that did not exist a moment
 * ago may exist.
 *
 * A name is looked up once at a time, however many connections want it. The system's look-ups run on four threads that files
 * need as well; a resolver that hangs on one name must not take them all.
 */
import dns, { type LookupAddress, Resolver } from "node:dns";
import type { LookupFunction } from "node:net";

/** Node's own signature has overloads that cannot be called through. */
type Answer = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** After the first family has answered, how long the other one is waited for (RFC 8305 §3). */
const RESOLUTION_DELAY_MS = 50;
const SERVER_TIMEOUT_MS = 2000;
const TRIES = 2;

/** @param servers `address` or `address:port`; none: the system's way */
export function makeLookup(servers: readonly string[]): LookupFunction {
  return oneAtATime(servers.length === 0 ? dns.lookup : lookupAt(servers));
}

/** Who asks for a name that is being looked up waits for the same answer. */
function oneAtATime(lookup: LookupFunction): LookupFunction {
  const waiting = new Map<string, Answer[]>();
  return (host, options, callback) => {
    const { all = false, family = 0, hints = 0 } = options;
    const key = `${host} ${all} ${family} ${hints}`;
    const others = waiting.get(key);
    if (others !== undefined) {
      others.push(callback);
      return;
    }
    const callbacks: Answer[] = [callback];
    waiting.set(key, callbacks);
    lookup(host, options, (...answer) => {
      waiting.delete(key);
      for (const each of callbacks) each(...answer);
    });
  };
}

function lookupAt(servers: readonly string[]): LookupFunction {
  const resolver = new Resolver({ timeout: SERVER_TIMEOUT_MS, tries: TRIES });
  resolver.setServers(servers);
  return (host, { all = false, family }, callback) => {
    const give = (found: readonly LookupAddress[]): void => {
      if (all) (callback as Answer)(null, [...found]);
      else callback(null, found[0]!.address, found[0]!.family);
    };
    const wanted = family === 4 || family === "IPv4" ? [4] : family === 6 || family === "IPv6" ? [6] : [6, 4];
    if (/^(?:.+\.)?localhost\.?$/i.test(host)) {
      give(LOOPBACK.filter((address) => wanted.includes(address.family)));
      return;
    }
    bothFamilies(resolver, host, wanted, (failure, found) => {
      if (found.length > 0) give(found);
      else callback(failure ?? new Error(`no address for ${host}`), "", 0);
    });
  };
}

const LOOPBACK: readonly LookupAddress[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

/** IPv6 first, as it is preferred; but a server that never answers for it is not waited for. */
function bothFamilies(
  resolver: Resolver,
  host: string,
  families: readonly number[],
  done: (failure: Error | null, found: readonly LookupAddress[]) => void,
): void {
  const found = new Map<number, readonly string[]>();
  let open = families.length;
  let failure: Error | null = null;
  let timer: NodeJS.Timeout | null = null;
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    if (timer !== null) clearTimeout(timer);
    done(
      failure,
      families.flatMap((family) => (found.get(family) ?? []).map((address) => ({ address, family }))),
    );
  };
  for (const family of families) {
    const answered = (error: Error | null, addresses: readonly string[]): void => {
      open--;
      // What the other family says of the name is worth as much; "does not exist" is worth more than "no such record".
      if (error !== null) failure = failure === null || codeOf(error) === "ENOTFOUND" ? error : failure;
      else found.set(family, addresses);
      if (open === 0) finish();
      else if (error === null && addresses.length > 0) timer = setTimeout(finish, RESOLUTION_DELAY_MS);
    };
    if (family === 6) resolver.resolve6(host, answered);
    else resolver.resolve4(host, answered);
  }
}

function codeOf(error: Error): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
