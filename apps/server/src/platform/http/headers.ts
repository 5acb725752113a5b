// Headers in and out: read without caring where they came from, and those that every answer carries.

/** What is read of headers; `Headers` is one. */
export interface HeaderReader {
  get(name: string): string | null;
  keys(): Iterable<string>;
}

/** Headers as they came, repeated ones joined as `Headers` joins them. */
export function headersOf(raw: readonly string[]): HeaderReader & { has(name: string): boolean } {
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    const value = (raw[i + 1] ?? "").trim();
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { get: (name) => values.get(name) ?? null, has: (name) => values.has(name), keys: () => values.keys() };
}

/** The caller's own request id where it is one, else a new one. */
export function requestIdOf(headers: HeaderReader): string {
  const given = headers.get("x-request-id");
  return given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}

export const securityHeaders: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
};
