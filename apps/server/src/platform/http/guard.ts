// Who may call without a key: only this machine, only by its loopback names, never through a proxy or from a web page.
// So neither DNS rebinding, nor a form on another site, nor a reverse proxy in front reaches an open system.
import { AppError, type Principal } from "@mlsec/contracts";
import type { HeaderReader } from "./headers.ts";

export interface Caller {
  /** Address at the other end of the socket; undefined when there is no socket. */
  readonly remoteAddress: string | undefined;
  readonly headers: HeaderReader;
}

const ownHost = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;
const loopbackAddress = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

const loopback: Principal = { id: "loopback", scopes: ["read", "predict", "train", "redteam", "admin"] };

/** Who calls over a socket; FORBIDDEN when nobody may from there. */
export function principalOf(caller: Caller, keyless: boolean): Principal {
  if (!keyless) requireLocal(caller);
  return loopback;
}

/** FORBIDDEN, saying which rule was broken. */
function requireLocal({ remoteAddress, headers }: Caller): void {
  const host = headers.get("host") ?? "";
  if (remoteAddress === undefined || !loopbackAddress.test(remoteAddress))
    throw refused("the request does not come over loopback");
  if (!ownHost.test(host)) throw refused("its Host is not localhost, 127.0.0.1 or [::1]");
  for (const name of headers.keys()) {
    if (name === "forwarded" || name === "via" || name.startsWith("x-forwarded-") || name === "x-real-ip") {
      throw refused(`it came through a proxy (${name})`);
    }
  }
  const origin = headers.get("origin");
  if (origin !== null && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    throw refused("it comes from another web page (Origin)");
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none")
    throw refused("it comes from another web page (Sec-Fetch-Site)");
}

const refused = (why: string): AppError =>
  new AppError(
    "FORBIDDEN",
    `without a key only programs on this machine are answered, and ${why}. MLSEC_KEYLESS=1 lifts this`,
  );
