/**
 * The policies of Azure API Management by element name. Those that this version has no definition for are refused with
 * "policy not built yet" instead of "not a policy".
 */
export const azurePolicies: ReadonlySet<string> = new Set([
  // Routing, flow and variables
  "choose", "forward-request", "include-fragment", "invoke-request", "limit-concurrency", "mock-response", "proxy",
  "retry", "return-response", "send-one-way-request", "send-request", "set-backend-service", "set-variable", "wait",
  // Messages
  "find-and-replace", "json-to-xml", "redirect-content-urls", "rewrite-uri", "set-body", "set-header", "set-method",
  "set-query-parameter", "set-status", "xml-to-json", "xsl-transform",
  // Access
  "authentication-basic", "authentication-certificate", "authentication-managed-identity", "check-header", "cors",
  "cross-domain", "get-authorization-context", "ip-filter", "jsonp", "validate-azure-ad-token",
  "validate-client-certificate", "validate-jwt",
  // Limits
  "quota", "quota-by-key", "rate-limit", "rate-limit-by-key",
  // Caching
  "cache-lookup", "cache-lookup-value", "cache-remove-value", "cache-store", "cache-store-value", "cache-value",
  // Validation
  "validate-content", "validate-graphql-request", "validate-headers", "validate-odata-request", "validate-parameters",
  "validate-status-code",
  // Observability
  "emit-metric", "log-to-eventhub", "trace",
  // Models
  "azure-openai-emit-token-metric", "azure-openai-semantic-cache-lookup", "azure-openai-semantic-cache-store",
  "azure-openai-token-limit", "llm-content-safety", "llm-emit-token-metric", "llm-semantic-cache-lookup",
  "llm-semantic-cache-store", "llm-token-limit",
  // GraphQL, Dapr, Service Bus
  "cosmosdb-data-source", "http-data-source", "invoke-dapr-binding", "publish-event", "publish-to-dapr",
  "send-service-bus-message", "sql-data-source",
]);
