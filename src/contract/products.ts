import type { OpenProperties, Reference, Timestamp } from "./resource.ts";
import type { ValueSource } from "./policies.ts";

/** `products`. Source: spec "Resource model" 1.10. */
export interface ProductProperties extends OpenProperties {
  displayName?: string;
  description?: string;
  terms?: string;
  /** Default `notPublished`; matters for discovery only. */
  state?: "notPublished" | "published";
  /** Default true; false makes an open product. */
  subscriptionRequired?: boolean;
  approvalRequired?: boolean;
  subscriptionsLimit?: number;
  authenticationType?: string[];
  application?: { entra?: { applicationId?: string; audience?: string } };
}

/** `products/apiLinks`, and every other link that names an API. */
export interface ApiLinkProperties extends OpenProperties {
  apiId?: Reference;
}
export interface GroupLinkProperties extends OpenProperties {
  groupId?: Reference;
}
export interface ProductLinkProperties extends OpenProperties {
  productId?: Reference;
}
export interface OperationLinkProperties extends OpenProperties {
  operationId?: Reference;
}

/** `groups`. Source: spec "Resource model" 1.11. */
export interface GroupProperties extends OpenProperties {
  displayName?: string;
  description?: string;
  type?: "custom" | "system" | "external";
  externalId?: string;
  builtIn?: boolean;
}

/** `users`. */
export interface UserProperties extends OpenProperties {
  email?: string;
  firstName?: string;
  lastName?: string;
  /** Default `active`. */
  state?: "active" | "blocked" | "pending" | "deleted";
  identities?: { provider?: string; id?: string }[];
  note?: string;
  registrationDate?: Timestamp;
  groups?: unknown[];
  password?: string;
  confirmation?: string;
  appType?: string;
}

export type SubscriptionState = "active" | "suspended" | "submitted" | "rejected" | "cancelled" | "expired";

/** `subscriptions`. Source: spec "Resource model" 1.12. */
export interface SubscriptionProperties extends OpenProperties {
  displayName?: string;
  /** The service, `/apis`, one API or one product, in any reference form; may carry `;rev=n`. */
  scope?: Reference;
  ownerId?: Reference;
  /** Only `active` passes. Default on create `submitted`. */
  state?: SubscriptionState;
  /** In a store always text; in a folder it may also say where the key comes from. */
  primaryKey?: string | { valueFrom: ValueSource };
  secondaryKey?: string | { valueFrom: ValueSource };
  allowTracing?: boolean;
  stateComment?: string;
  createdDate?: Timestamp;
  startDate?: Timestamp;
  expirationDate?: Timestamp;
  endDate?: Timestamp;
  notificationDate?: Timestamp;
}
