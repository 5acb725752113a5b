/** What many mutators share: tables of signs, a neutral line before an encoded text, and envelopes around a text. */
import type { Rng } from "./rng.ts";

/** One sign for another, there and back. */
export interface Alphabet {
  encode(text: string): string;
  decode(text: string): string;
}

/**
 * An alphabet from two parallel lists; signs of neither list stay as they are.
 * @param from signs (code points) before
 * @param to signs after, as many
 * @returns the table both ways
 * @example
 * createAlphabet("ab", "αβ").encode("abc"); // "αβc"
 */
export function createAlphabet(from: string, to: string): Alphabet {
  const sources = [...from];
  const targets = [...to];
  const there = new Map(sources.map((sign, i) => [sign, targets[i] ?? sign]));
  const back = new Map(targets.map((sign, i) => [sign, sources[i] ?? sign]));
  return { encode: (text) => swap(text, there), decode: (text) => swap(text, back) };
}

function swap(text: string, table: ReadonlyMap<string, string>): string {
  let out = "";
  for (const sign of text) out += table.get(sign) ?? sign;
  return out;
}

/** A line that says in neutral words what follows. It asks for nothing, so a twin can wear it too. */
export interface Lead {
  /** One of the leads, a line break, the body. */
  put(body: string, rng: Rng): string;
  /** The body again. */
  take(text: string): string;
}

/**
 * Leads for an encoding.
 * @param lines without line breaks
 * @returns puts one of them before a body and takes it off again
 * @example
 * createLead(["Morse:"]).put(".-", rng); // "Morse:\n.-"
 */
export function createLead(lines: readonly string[]): Lead {
  return {
    put: (body, rng) => `${rng.pick(lines)}\n${body}`,
    take: (text) => text.slice(text.indexOf("\n") + 1),
  };
}

/**
 * Puts a text into one of several envelopes.
 * @param envelopes each with `¤` where the text goes
 * @returns picks an envelope and fills it
 * @example
 * createEnvelope(["<p>¤</p>"])("hi", rng); // "<p>hi</p>"
 */
export function createEnvelope(envelopes: readonly string[]): (text: string, rng: Rng) => string {
  const cut = envelopes.map((envelope) => envelope.split("¤"));
  return (text, rng) => {
    const [before = "", after = ""] = rng.pick(cut);
    return before + text + after;
  };
}

/** `A` to `Z`, then `a` to `z`. */
export const latinLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
