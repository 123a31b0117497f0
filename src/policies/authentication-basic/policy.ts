import { RequestMessage } from "../../gateway/message.ts";
import { definePolicy } from "../../gateway/policy.ts";

/** Basic credentials (RFC 7617) for the backend, or for the enclosing send-request; they replace any that are there. */
export const authenticationBasic = definePolicy({
  element: "authentication-basic",
  summary: "Sets the Authorization header to a user name and password.",
  sections: ["inbound"],
  shape: {
    attributes: {
      username: { type: "string", expression: true, required: true, doc: "User name." },
      password: { type: "string", expression: true, required: true, doc: "Password." },
    },
  },
  run: (exchange, { attributes }, message) => {
    const { username, password } = attributes;
    const credentials = `${username(exchange.context)}:${password(exchange.context)}`;
    const request = message instanceof RequestMessage ? message : exchange.request;
    request.headers.set("Authorization", `Basic ${Buffer.from(credentials, "utf8").toString("base64")}`);
    request.authorizationSet = true;
  },
});
