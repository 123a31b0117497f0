/** Resources that exist without anybody having made them. Source: spec "Resource model" 1.1. */
import type { OpenProperties, Resource } from "../contract/resource.ts";

export const MASTER_SUBSCRIPTION = "/subscriptions/master";

function builtIn(id: string, type: string, properties: OpenProperties): Resource {
  return { id, name: id.slice(id.lastIndexOf("/") + 1), type, properties };
}

function systemGroup(name: string, displayName: string, description: string): Resource {
  return builtIn(`/groups/${name}`, "groups", { displayName, description, builtIn: true, type: "system" });
}

/** Keys of the `master` subscription are added by the store. */
export const builtIns: readonly Resource[] = [
  systemGroup("administrators", "Administrators", "Manage the service, its APIs, operations and products."),
  systemGroup("developers", "Developers", "Signed-in users of the developer portal."),
  systemGroup("guests", "Guests", "Visitors of the developer portal who have not signed in."),
  builtIn("/users/1", "users", { firstName: "Administrator", lastName: "", email: "", state: "active" }),
  builtIn("/gateways/managed", "gateways", { description: "The gateway that serves every API." }),
  builtIn(MASTER_SUBSCRIPTION, "subscriptions", {
    displayName: "Built-in all-access subscription",
    scope: "/",
    state: "active",
    allowTracing: true,
  }),
];
