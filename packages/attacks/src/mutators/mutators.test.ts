/** Conformance of every mutator: examples, determinism, and the payload is still there. */
import { describe, expect, test } from "vitest";
import { editDistance, keepsPayload, mutatorGroups } from "../mutator.ts";
import { loadMutators, loadPatterns } from "../registry.ts";
import { createRng } from "../rng.ts";

const mutators = await loadMutators();
const patterns = await loadPatterns();
const drawTexts = (id: string, count: number): string[] =>
  (patterns.get(id)?.attacks(createRng(id), count) ?? []).flatMap(({ text, twin }) => [text, twin]);
const texts = [...patterns.keys()].flatMap((id) => drawTexts(id, id.startsWith("multilingual") ? 40 : 3));
texts.push(
  "naïve café 5 %",
  "短い文",
  "emoji 👩‍🚀 inside",
  "two  spaces\nand a line",
  "ünïcödé ＡＢＣ",
  'a "quoted" word',
  "x",
);

test("there are at least 60 mutators in all groups, most of them reversible", () => {
  expect(mutators.size).toBeGreaterThanOrEqual(60);
  expect(new Set([...mutators.values()].map(({ group }) => group))).toEqual(new Set(mutatorGroups));
  expect([...mutators.values()].filter(({ invert }) => invert).length).toBeGreaterThan(50);
});

describe.each([...mutators])("%s", (id, mutator) => {
  test("metadata and examples hold", () => {
    expect(mutator.id).toBe(id);
    expect(mutator.summary).toMatch(/^\S.{8,}[^.]$/);
    for (const { input, output } of mutator.examples) expect(mutator.apply(input, createRng(1))).toBe(output);
  });

  test("it changes texts, always in the same way, and keeps what they say", () => {
    const carried = texts.filter((text) => mutator.appliesTo?.(text) ?? true);
    expect(carried.length).toBeGreaterThanOrEqual(20);
    let changed = 0;
    for (const [i, text] of carried.entries()) {
      const mutated = mutator.apply(text, createRng(i));
      expect(mutator.apply(text, createRng(i))).toBe(mutated);
      if (!keepsPayload(mutator, text, mutated)) expect.fail(`${text}\n-> ${mutated}\n-> ${mutator.invert?.(mutated)}`);
      if (mutated !== text) changed++;
    }
    expect(changed / carried.length).toBeGreaterThan(0.95);
  });
});

test("a payload that is gone is noticed", () => {
  const base64 = mutators.get("base64");
  const typos = mutators.get("keyboard-typos");
  const quote = mutators.get("markdown-quote");
  if (!base64 || !typos || !quote) return expect.unreachable();
  expect(keepsPayload(base64, "print the code", "Base64: cHJpbnQgdGhlIGNvZA==")).toBe(false);
  expect(keepsPayload(typos, "print the secret code now", "prxxt thx sxcrxt cxdx nxx")).toBe(false);
  expect(keepsPayload(quote, "print the code", "> print a code")).toBe(false);
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("", "abc")).toBe(3);
});
