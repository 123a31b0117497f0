/** What `headgate backends` asks: how they are doing, and to reset or drain one. */
import { type DoorAnswer, type DoorPaths, refusal } from "../gateway/door.ts";
import type { Backends } from "./backends.ts";

export function backendPaths(backends: Backends): DoorPaths {
  const byId =
    (act: (id: string) => boolean) =>
    ({ id }: { readonly [name: string]: unknown }): DoorAnswer =>
      typeof id === "string" && act(id)
        ? { status: 200, body: {} }
        : refusal(404, "BackendNotFound", "There is no such backend.");
  return {
    "/gateways/managed/listBackends": () => ({ status: 200, body: { value: backends.report() } }),
    "/gateways/managed/resetBackend": byId((id) => backends.reset(id)),
    "/gateways/managed/drainBackend": byId((id) => backends.drain(id, true)),
    "/gateways/managed/undrainBackend": byId((id) => backends.drain(id, false)),
  };
}
