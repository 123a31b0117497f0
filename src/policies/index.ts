/** Every policy, one line each. Adding one is a folder and a line here. */
export { checkHeader } from "./check-header/policy.ts";
export { choose } from "./choose/policy.ts";
export { cors } from "./cors/policy.ts";
export { forwardRequest } from "./forward-request/policy.ts";
export { includeFragment } from "./include-fragment/policy.ts";
export { ipFilter } from "./ip-filter/policy.ts";
export { mockResponse } from "./mock-response/policy.ts";
export { retry } from "./retry/policy.ts";
export { returnResponse } from "./return-response/policy.ts";
export { rewriteUri } from "./rewrite-uri/policy.ts";
export { setBackendService } from "./set-backend-service/policy.ts";
export { setHeader } from "./set-header/policy.ts";
export { setMethod } from "./set-method/policy.ts";
export { setQueryParameter } from "./set-query-parameter/policy.ts";
export { setStatus } from "./set-status/policy.ts";
export { setVariable } from "./set-variable/policy.ts";
export { trace } from "./trace/policy.ts";
