/** The client: finds the pool of a request. */
import type { LookupFunction } from "node:net";
import { type Client, type ClientRequest, type ClientResponse, TransportError } from "../transport.ts";
import { ClientCall } from "./client-call.ts";
import { guardKey, refuseLiteral } from "./client-guard.ts";
import { makeLookup } from "./client-lookup.ts";
import { proxyKey } from "./client-proxy.ts";
import { Pool } from "./client-pool.ts";
import { tlsKey } from "./client-tls.ts";

export interface ClientOptions {
  /** DNS servers, `address` or `address:port`, that are asked in place of the system. */
  readonly dnsServers?: readonly string[];
}

/** @throws what `dns.setServers` says of a server that is no address */
export function createClient({ dnsServers = [] }: ClientOptions = {}): Client {
  return new NodeClient(makeLookup(dnsServers));
}

class NodeClient implements Client {
  readonly #pools = new Map<string, Pool>();
  readonly #lookup: LookupFunction;
  #closed = false;

  constructor(lookup: LookupFunction) {
    this.#lookup = lookup;
  }

  send(request: ClientRequest): Promise<ClientResponse> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new TransportError("aborted", "the client is closed", { nothingSent: true });
      if (request.abort.aborted)
        throw new TransportError("aborted", "the request was aborted", { nothingSent: true });
      const call = new ClientCall(request, resolve, reject);
      try {
        const { refuse, proxy } = request;
        if (refuse !== undefined) refuseLiteral(request.host, refuse);
        if (refuse !== undefined && proxy !== undefined) refuseLiteral(proxy.host, refuse);
        this.#pool(request).take(call);
      } catch (error) {
        call.fail(error as TransportError);
      }
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const pool of this.#pools.values()) pool.close();
    return Promise.resolve();
  }

  #pool(request: ClientRequest): Pool {
    const { scheme, host, port, httpVersion = "1" } = request;
    let key = `${scheme}//${host}:${port} ${httpVersion} ${scheme === "https" ? tlsKey(request.tls) : ""}`;
    if (request.refuse !== undefined || request.proxy !== undefined)
      key += guardKey(request.refuse) + proxyKey(request.proxy);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(request, this.#lookup, () => this.#pools.delete(key));
      this.#pools.set(key, pool);
    }
    return pool;
  }
}
