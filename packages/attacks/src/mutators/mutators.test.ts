/** Conformance of every mutator: examples, determinism, and the payload is still there. */
import { describe, expect, test } from "vitest";
import { keepsPayload, mutatorGroups } from "../mutator.ts";
import { loadMutators, loadPatterns } from "../registry.ts";
import { createRng } from "../rng.ts";

const mutators = await loadMutators();
const texts = [...(await loadPatterns()).values()].flatMap((pattern) => {
  const pairs = pattern.attacks(createRng(pattern.id), 10);
  return pairs.flatMap(({ text, twin }) => [text, twin]);
});
texts.push("naïve café 5 %", "短い文", "emoji 👩‍🚀 inside", "two  spaces\nand a line", "ünïcödé ＡＢＣ");

test("there are at least 12 mutators in all groups", () => {
  expect(mutators.size).toBeGreaterThanOrEqual(12);
  expect(new Set([...mutators.values()].map(({ group }) => group))).toEqual(new Set(mutatorGroups));
});

describe.each([...mutators])("%s", (id, mutator) => {
  test("metadata and examples hold", () => {
    expect(mutator.id).toBe(id);
    expect(mutator.summary.length).toBeGreaterThan(10);
    for (const { input, output } of mutator.examples) expect(mutator.apply(input, createRng(1))).toBe(output);
  });

  test("it changes texts, always in the same way, and keeps what they say", () => {
    const carried = texts.filter((text) => mutator.appliesTo?.(text) ?? true);
    expect(carried.length).toBeGreaterThan(100);
    for (const [i, text] of carried.entries()) {
      const mutated = mutator.apply(text, createRng(i));
      expect(mutator.apply(text, createRng(i))).toBe(mutated);
      expect(keepsPayload(mutator, text, mutated), `${text} -> ${mutated}`).toBe(true);
    }
    const changed = carried.filter((text, i) => mutator.apply(text, createRng(i)) !== text);
    expect(changed.length / carried.length).toBeGreaterThan(0.95);
  });
});
