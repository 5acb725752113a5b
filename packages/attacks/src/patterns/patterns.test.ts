/** Conformance of every pattern: metadata, examples, determinism, distinctness, twins. */
import { describe, expect, test } from "vitest";
import { attackLabels } from "../labels.ts";
import { canProduce, compilePattern, techniques } from "../pattern.ts";
import { loadPatterns } from "../registry.ts";
import { createRng } from "../rng.ts";
import { severities } from "../severity.ts";
import { tagTitle } from "../taxonomy.ts";

const patterns = await loadPatterns();

test("the first slice holds at least 24 patterns, five or more of each category", () => {
  expect(patterns.size).toBeGreaterThanOrEqual(24);
  for (const label of attackLabels) {
    expect([...patterns.values()].filter((pattern) => pattern.label === label).length).toBeGreaterThanOrEqual(5);
  }
});

describe.each([...patterns])("%s", (id, pattern) => {
  test("metadata is complete and its tags are in the taxonomies", () => {
    expect(pattern.id).toBe(id);
    expect(techniques).toContain(pattern.technique);
    expect(attackLabels).toContain(pattern.label);
    expect(severities).toContain(pattern.severity);
    expect(pattern.goal).toMatch(/^[a-z].{10,}/);
    expect(pattern.source).toMatch(/^https:\/\//);
    expect(pattern.tags.length).toBeGreaterThan(0);
    for (const tag of pattern.tags) expect(tagTitle(tag), tag).toBeDefined();
    expect(() => compilePattern(pattern)).not.toThrow();
  });

  test("its examples come out of its grammar", () => {
    expect(pattern.examples.length).toBeGreaterThan(0);
    for (const example of pattern.examples) expect(canProduce(pattern, example), example).toBe(true);
  });

  test("1,000 draws give 200 or more attacks and twins that differ, the same for the same seed", () => {
    const drawn = pattern.attacks(createRng(11), 1000);
    expect(pattern.attacks(createRng(11), 1000)).toEqual(drawn);
    expect(new Set(drawn.map(({ text }) => text)).size).toBeGreaterThanOrEqual(200);
    expect(new Set(drawn.map(({ twin }) => twin)).size).toBeGreaterThanOrEqual(100);
    for (const { text, twin } of drawn) {
      expect(text).not.toBe(twin);
      expect(`${text}${twin}`).not.toMatch(/\[\[|\]\]|undefined/);
    }
  });

  test("twins have the size of their attacks", () => {
    const drawn = pattern.attacks(createRng(12), 300);
    const sum = (key: "text" | "twin"): number => drawn.reduce((total, pair) => total + pair[key].length, 0);
    expect(sum("twin") / sum("text")).toBeGreaterThan(0.6);
    expect(sum("twin") / sum("text")).toBeLessThan(1.6);
  });
});
