/**
 * Whether a connection may be opened to where a name leads. Judged on the address that is then connected to, so that
 * neither a name that resolves to a refused address nor one that resolves differently the second time gets around it.
 */
import type { LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { type ClientRequest, TransportError } from "../transport.ts";

type Refuse = NonNullable<ClientRequest["refuse"]>;

/** Hosts that are addresses are not looked up. @throws TransportError `address_refused` */
export function refuseLiteral(host: string, refuse: Refuse): void {
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0 && refuse(bare)) throw refused(host);
}

/** A look-up without the addresses that are refused; an error when none is left. */
export function guardedLookup(lookup: LookupFunction, refuse: Refuse): LookupFunction {
  return (host, options, callback) => {
    lookup(host, options, (error, found: string | LookupAddress[], family?: number) => {
      if (error !== null) callback(error, "", 0);
      else if (typeof found === "string") {
        if (refuse(found)) callback(refused(host), "", 0);
        else callback(null, found, family);
      } else {
        const allowed = found.filter(({ address }) => !refuse(address));
        if (allowed.length === 0) callback(refused(host), "", 0);
        else callback(null, allowed);
      }
    });
  };
}

/** Connections opened under one guard are not lent to requests under another, or under none. */
export function guardKey(refuse: Refuse | undefined): string {
  if (refuse === undefined) return "";
  let key = keys.get(refuse);
  if (key === undefined) keys.set(refuse, (key = ` guard ${++guards}`));
  return key;
}

const keys = new WeakMap<Refuse, string>();
let guards = 0;

function refused(host: string): TransportError {
  return new TransportError("address_refused", `connections to ${host} are not allowed`, {
    nothingSent: true,
  });
}
