/** The public taxonomies that tags point into. Only entries that patterns use, or could soon, are listed. */
import owasp from "./taxonomies/owasp-llm-2025.json" with { type: "json" };
import atlas from "./taxonomies/mitre-atlas.json" with { type: "json" };
import cwe from "./taxonomies/cwe.json" with { type: "json" };
import nist from "./taxonomies/nist-ai-rmf.json" with { type: "json" };

/** One taxonomy: its tags are `<prefix>:<entry>`. */
export interface Taxonomy {
  readonly name: string;
  readonly source: string;
  readonly prefix: string;
  /** Titles by entry id, in lower case. */
  readonly entries: Readonly<Record<string, string>>;
}

/** All taxonomies. */
export const taxonomies: readonly Taxonomy[] = [owasp, atlas, nist, cwe];

/**
 * The title behind a tag.
 * @param tag such as `owasp:llm01`
 * @returns the entry's title, or undefined for an unknown tag
 * @example
 * tagTitle("atlas:aml.t0054"); // "LLM Jailbreak"
 */
export function tagTitle(tag: string): string | undefined {
  const colon = tag.indexOf(":");
  const taxonomy = taxonomies.find(({ prefix }) => prefix === tag.slice(0, colon));
  const entry = tag.slice(colon + 1);
  return taxonomy && Object.hasOwn(taxonomy.entries, entry) ? taxonomy.entries[entry] : undefined;
}
