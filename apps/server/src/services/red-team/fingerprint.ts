// The same attack has the same key in every test, whoever draws it; with a model's name it is a finding's fingerprint.
import { createHash } from "node:crypto";

interface Keyed {
  readonly text: string;
  readonly pattern: string | null;
  readonly mutator: string | null;
  readonly benign: boolean;
}
/** More than this share of signs that letters and figures leave out: the signs are the text (Morse, emoji, invisible ones). */
const mostSigns = 0.2;

export const attackKey = ({ text, pattern, mutator, benign }: Keyed): string =>
  hash([benign ? "twin" : "attack", pattern, mutator, normalised(text)]);

export const fingerprintOf = (model: string, key: string): string => hash([model, key]);

/** Case, spacing, punctuation and compatibility forms do not make another attack, unless they are what the text is made of. */
export function normalised(text: string): string {
  const folded = text.toWellFormed().normalize("NFKC").toLowerCase();
  const letters = folded.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  const kept = letters.reduce((sum, run) => sum + run.length, 0);
  const visible = folded.replaceAll(/\s+/gu, "").length;
  return kept > 0 && kept >= (1 - mostSigns) * visible ? letters.join(" ") : text;
}

const hash = (parts: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
