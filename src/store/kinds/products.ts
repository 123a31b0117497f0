import { defineKind, names, type ReferenceField } from "./kind.ts";
import { valueSource } from "./policies.ts";
import * as is from "./shape.ts";

/** Links that carry their target in their own name. */
const named = (to: string, noun: string): ReferenceField => ({ at: "", to, noun });
const linked = (at: string, to: string, noun: string): ReferenceField => ({ at, to, noun });

export const product = defineKind("products", {
  noun: "product",
  properties: {
    displayName: is.text(300, { min: 1 }),
    description: is.text(1000),
    terms: is.text(),
    state: is.oneOf("notPublished", "published"),
    subscriptionRequired: is.boolean,
    approvalRequired: is.boolean,
    subscriptionsLimit: is.integer(0),
    authenticationType: is.list(is.text()),
    application: is.object({ entra: is.object({ applicationId: is.text(), audience: is.text() }) }),
  },
  names: names.long,
  artifact: { folders: ["products"], files: ["productInformation"] },
});

export const productApi = defineKind("products/apis", {
  noun: "product API link",
  properties: {},
  references: [named("apis", "API")],
  artifact: { folders: ["apis"], files: ["productApiInformation"], listFile: "apis" },
});

export const productApiLink = defineKind("products/apiLinks", {
  noun: "product API link",
  properties: { apiId: is.text() },
  required: ["apiId"],
  references: [linked("apiId", "apis", "API")],
  artifact: { folders: ["apiLinks"], files: ["apiLinkInformation", "productApiLinkInformation"] },
});

export const productGroup = defineKind("products/groups", {
  noun: "product group link",
  properties: {},
  references: [named("groups", "group")],
  artifact: { folders: ["groups"], files: ["productGroupInformation"], listFile: "groups" },
});

export const productGroupLink = defineKind("products/groupLinks", {
  noun: "product group link",
  properties: { groupId: is.text() },
  required: ["groupId"],
  references: [linked("groupId", "groups", "group")],
  artifact: { folders: ["groupLinks"], files: ["groupLinkInformation", "productGroupLinkInformation"] },
});

export const group = defineKind("groups", {
  noun: "group",
  properties: {
    displayName: is.text(300, { min: 1 }),
    description: is.text(1000),
    type: is.oneOf("custom", "system", "external"),
    externalId: is.text(),
    builtIn: is.boolean,
  },
  names: names.long,
  artifact: { folders: ["groups"], files: ["groupInformation"] },
});

export const groupUser = defineKind("groups/users", {
  noun: "group member",
  properties: {},
  references: [{ ...named("users", "user"), unknown: "warn" }],
  artifact: { folders: ["users"], files: ["groupUserInformation"], listFile: "users" },
});

export const user = defineKind("users", {
  noun: "user",
  properties: {
    email: is.text(254),
    firstName: is.text(100),
    lastName: is.text(100),
    state: is.oneOf("active", "blocked", "pending", "deleted"),
    identities: is.list(is.object({ provider: is.text(), id: is.text() })),
    note: is.text(),
    registrationDate: is.text(),
    groups: is.list(is.any),
    password: is.text(),
    confirmation: is.text(),
    appType: is.text(),
  },
  artifact: { folders: ["users"], files: ["userInformation"] },
});

const key = is.either(is.text(256, { min: 1 }), is.object({ valueFrom: valueSource }, ["valueFrom"]));

export const subscription = defineKind("subscriptions", {
  noun: "subscription",
  properties: {
    displayName: is.text(100),
    scope: is.text(),
    ownerId: is.text(),
    state: is.oneOf("active", "suspended", "submitted", "rejected", "cancelled", "expired"),
    primaryKey: key,
    secondaryKey: key,
    allowTracing: is.boolean,
    stateComment: is.text(),
    createdDate: is.text(),
    startDate: is.text(),
    expirationDate: is.text(),
    endDate: is.text(),
    notificationDate: is.text(),
  },
  required: ["scope"],
  names: names.long,
  // `scope` has rules of its own: see checks/references.ts.
  references: [{ at: "ownerId", to: "users", noun: "user", unknown: "warn" }],
  artifact: { folders: ["subscriptions"], files: ["subscriptionInformation"] },
});

export const tag = defineKind("tags", {
  noun: "tag",
  properties: { displayName: is.text(160) },
  artifact: { folders: ["tags"], files: ["tagInformation"] },
});

export const apiTag = defineKind("apis/tags", {
  noun: "API tag",
  properties: {},
  references: [{ ...named("tags", "tag"), unknown: "warn" }],
  artifact: {
    folders: ["tags"],
    files: ["tagInformation", "apiTagInformation"],
    listFile: "tags",
    mirrored: { under: "tags", folders: ["apis"], files: ["tagApiInformation", "apiTagInformation"] },
  },
});

export const operationTag = defineKind("apis/operations/tags", {
  noun: "operation tag",
  properties: {},
  references: [{ ...named("tags", "tag"), unknown: "warn" }],
  artifact: { folders: ["tags"], files: ["tagInformation", "operationTagInformation"], listFile: "tags" },
});

export const productTag = defineKind("products/tags", {
  noun: "product tag",
  properties: {},
  references: [{ ...named("tags", "tag"), unknown: "warn" }],
  artifact: {
    folders: ["tags"],
    files: ["tagInformation", "productTagInformation"],
    listFile: "tags",
    mirrored: {
      under: "tags",
      folders: ["products"],
      files: ["tagProductInformation", "productTagInformation"],
    },
  },
});

export const tagApiLink = defineKind("tags/apiLinks", {
  noun: "tag link",
  properties: { apiId: is.text() },
  references: [{ ...linked("apiId", "apis", "API"), unknown: "warn" }],
  artifact: { folders: ["apiLinks"], files: ["apiLinkInformation", "tagApiLinkInformation"] },
});

export const tagOperationLink = defineKind("tags/operationLinks", {
  noun: "tag link",
  properties: { operationId: is.text() },
  references: [{ ...linked("operationId", "operations", "operation"), unknown: "warn" }],
  artifact: {
    folders: ["operationLinks"],
    files: ["operationLinkInformation", "tagOperationLinkInformation"],
  },
});

export const tagProductLink = defineKind("tags/productLinks", {
  noun: "tag link",
  properties: { productId: is.text() },
  references: [{ ...linked("productId", "products", "product"), unknown: "warn" }],
  artifact: { folders: ["productLinks"], files: ["productLinkInformation", "tagProductLinkInformation"] },
});
