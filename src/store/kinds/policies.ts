import type { KnownResourceType } from "../../contract/types.ts";
import { defineKind, names, type ResourceKind } from "./kind.ts";
import * as is from "./shape.ts";

const document = {
  value: is.text(),
  format: is.oneOf("xml", "rawxml", "xml-link", "rawxml-link"),
};

const SCOPES = [
  "policies",
  "workspaces/policies",
  "products/policies",
  "apis/policies",
  "apis/operations/policies",
  "apis/resolvers/policies",
] as const satisfies KnownResourceType[];

/** One kind per scope that can carry a policy; in folders they are the `policy.xml` of their parent. */
export const policies: ResourceKind[] = SCOPES.map((type) =>
  defineKind(type, { noun: "policy", properties: document }),
);

export const policyFragment = defineKind("policyFragments", {
  noun: "policy fragment",
  properties: { ...document, description: is.text(1000), provisioningState: is.text() },
  names: names.wordLike,
  artifact: {
    folders: ["policyFragments"],
    files: ["policyFragmentInformation"],
    optional: true,
    policy: true,
  },
});

export const policyRestriction = defineKind("policyRestrictions", {
  noun: "policy restriction",
  properties: { scope: is.text(), requireBase: is.oneOf("true", "false") },
  artifact: { folders: ["policyRestrictions"], files: ["policyRestrictionInformation"] },
});

export const valueSource = is.object({ env: is.text(), file: is.text(), default: is.text() });

export const keyVault = is.object({
  secretIdentifier: is.text(),
  identityClientId: is.text(),
  lastStatus: is.object({}),
});

export const namedValue = defineKind("namedValues", {
  noun: "named value",
  properties: {
    displayName: is.text(256, {
      min: 1,
      rule: (value) =>
        /^[A-Za-z0-9._-]+$/.test(value)
          ? undefined
          : { rule: "may contain letters, digits, `-`, `.` and `_` only", hint: "it is the name in `{{…}}`" },
    }),
    value: is.text(4096, {
      rule: (value) =>
        /\{\{[^{}]*\}\}/.test(value) ? { rule: "cannot contain another named value, `{{…}}`" } : undefined,
    }),
    secret: is.boolean,
    tags: is.list(is.text(), 32),
    keyVault,
    valueFrom: valueSource,
    provisioningState: is.text(),
  },
  names: names.long,
  artifact: { folders: ["namedValues"], files: ["namedValueInformation"] },
});
