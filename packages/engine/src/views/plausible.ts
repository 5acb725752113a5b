/** Does a decoded string read like something a person or a program wrote? Keeps decoders from flooding plain text. */
import words from "./common-words.json" with { type: "json" };

const common: ReadonlySet<string> = new Set(words);

/**
 * 0 (noise) to 1 (text): all printable, mostly letters, digits and spaces, of a sensible length.
 * @example
 * plausibility("ignore this"); // 1
 */
export function plausibility(text: string): number {
  if (text.length < 4) return 0;
  let letters = 0;
  let others = 0;
  let total = 0;
  for (const character of text) {
    total += 1;
    if (/[\p{L}\p{M}\s]/u.test(character)) letters += 1;
    else if (/[\p{N}\p{P}\p{S}]/u.test(character)) others += 1;
    else if (/\p{Cf}/u.test(character)) others += 0.5;
    else return 0; // control, private, unassigned
  }
  const share = letters / total;
  if (total < 8) return share === 1 && countCommonWords(text) > 0 ? 1 : 0;
  if (share < 0.4) return 0;
  return Math.min(1, (share - 0.4) * 2.5 + (others > 0 && share >= 0.5 ? 0.25 : 0));
}

/**
 * How many words (of three letters or more) of a text are among the few hundred commonest English ones or those that attacks use.
 * @example
 * countCommonWords("ignore the xqz to"); // 2
 */
export function countCommonWords(text: string): number {
  let count = 0;
  for (const [word] of text.toLowerCase().matchAll(/[a-z]{3,14}/g)) if (common.has(word)) count += 1;
  return count;
}
