/**
 * What every adapter must do, written once. An adapter's own test file calls `transportSuite` with its factories.
 */
import { describe } from "vitest";
import type { Adapter } from "./suite/adapter.ts";
import { abortSuite } from "./suite/abort.ts";
import { clientSuite } from "./suite/client.ts";
import { exchangeSuite } from "./suite/exchange.ts";
import { framingSuite } from "./suite/framing.ts";
import { http2Suite } from "./suite/http2.ts";
import { http2ServerSuite } from "./suite/http2-server.ts";
import { http2FramesSuite } from "./suite/http2-server-frames.ts";
import { limitsSuite } from "./suite/limits.ts";
import { proxySuite } from "./suite/proxy.ts";
import { tlsSuite } from "./suite/tls.ts";
import { tunnelSuite } from "./suite/tunnel.ts";

export type { Adapter } from "./suite/adapter.ts";

export function transportSuite(adapter: Adapter): void {
  describe(adapter.name, () => {
    framingSuite(adapter);
    exchangeSuite(adapter);
    abortSuite(adapter);
    tunnelSuite(adapter);
    limitsSuite(adapter);
    clientSuite(adapter);
    proxySuite(adapter);
    tlsSuite(adapter);
    http2Suite(adapter);
    http2ServerSuite(adapter);
    http2FramesSuite(adapter);
  });
}
