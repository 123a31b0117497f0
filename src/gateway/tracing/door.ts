/** What `headgate trace` asks: for a token, and for a trace (`routing.md` §7.5). */
import { type DoorPaths, refusal } from "../door.ts";
import { LONGEST_TOKEN_MS, type Tracing } from "./index.ts";

export function tracingPaths(tracing: Tracing): DoorPaths {
  return {
    "/gateways/managed/listDebugCredentials": ({ apiId }) => ({
      status: 200,
      body: { token: tracing.issue(apiName(apiId), LONGEST_TOKEN_MS) },
    }),
    "/gateways/managed/listTrace": ({ traceId }) => {
      const trace = tracing.read(String(traceId));
      return trace === null
        ? refusal(404, "TraceNotFound", "There is no such trace, or no longer: only the last ones are kept.")
        : { status: 200, body: trace };
    },
  };
}

/** The API's own name out of any form of its id: `echo`, `/apis/echo;rev=2`, a full resource id. */
function apiName(id: unknown): string | null {
  return typeof id !== "string" || id === "" ? null : id.slice(id.lastIndexOf("/") + 1).split(";")[0]!;
}
