/** Conformance of every pattern: metadata, examples, determinism, distinctness, twins. */
import { nearDuplicateGroups } from "@mlsec/engine";
import { describe, expect, test } from "vitest";
import { attackLabels } from "../labels.ts";
import { languages } from "../languages.ts";
import { canProduce, commonSlots, techniques, transcript } from "../pattern.ts";
import { parsePattern } from "../parse.ts";
import { loadPatterns } from "../registry.ts";
import { createRng } from "../rng.ts";
import { severities } from "../severity.ts";
import { tagTitle } from "../taxonomy.ts";

const patterns = await loadPatterns();
const drawsEach = 1000;
const drawn = new Map([...patterns].map(([id, pattern]) => [id, pattern.attacks(createRng(id), drawsEach)]));
const countGroups = (texts: readonly string[]): number => new Set(nearDuplicateGroups(texts)).size;

test("there are at least 120 patterns, 15 or more of each category, and every technique is used", () => {
  expect(patterns.size).toBeGreaterThanOrEqual(120);
  const all = [...patterns.values()];
  for (const label of attackLabels) expect(all.filter((p) => p.label === label).length).toBeGreaterThanOrEqual(15);
  expect(all.filter((p) => p.label === "llm_only").length).toBeGreaterThan(0);
  expect(all.filter((p) => p.templates.some(([attack]) => Array.isArray(attack))).length).toBeGreaterThanOrEqual(8);
  expect(new Set(all.map((p) => p.technique))).toEqual(new Set(techniques));
});

describe.each([...patterns])("%s", (id, pattern) => {
  const pairs = drawn.get(id) ?? [];

  test("metadata is complete and its tags are in the taxonomies", () => {
    expect(pattern.id).toBe(id);
    expect([...attackLabels, "llm_only"]).toContain(pattern.label);
    expect(severities).toContain(pattern.severity);
    expect(pattern.about).toMatch(/^[A-Z].{15,}[.?]$/);
    expect(pattern.goal).toMatch(/^[a-z].{10,}[^.]$/);
    expect(pattern.tags.some((tag) => tag.startsWith("owasp:"))).toBe(true);
    for (const tag of pattern.tags) expect(tagTitle(tag), tag).toBeDefined();
    expect(() => parsePattern(JSON.parse(JSON.stringify(pattern)))).not.toThrow();
    for (const name of Object.keys(pattern.slots))
      expect(commonSlots, `slot ${name} hides one`).not.toHaveProperty(name);
  });

  test("its examples come out of its grammar, and so do draws", () => {
    expect(pattern.examples.length).toBeGreaterThan(0);
    for (const example of pattern.examples) expect(canProduce(pattern, example), example).toBe(true);
    for (const { text } of pairs.slice(0, 3)) expect(canProduce(pattern, text), text).toBe(true);
    expect(canProduce(pattern, `${pairs[0]?.text}¶`)).toBe(false);
  });

  test("1,000 draws give 200 near-duplicate groups or more, the same texts for the same seed", () => {
    expect(pattern.attacks(createRng(id), 50)).toEqual(pairs.slice(0, 50));
    expect(countGroups(pairs.map(({ text }) => text))).toBeGreaterThanOrEqual(200);
    expect(countGroups(pairs.map(({ twin }) => twin))).toBeGreaterThanOrEqual(100);
    for (const { text, twin } of pairs) {
      expect(text).not.toBe(twin);
      expect(`${text}${twin}`).not.toMatch(/\[\[[^\]]+\]\]|undefined/);
    }
  });

  test("twins have the size of their attacks", () => {
    const sum = (key: "text" | "twin"): number => pairs.reduce((total, pair) => total + pair[key].length, 0);
    expect(sum("twin") / sum("text")).toBeGreaterThan(0.6);
    expect(sum("twin") / sum("text")).toBeLessThan(1.6);
  });

  test("a conversation's text is the transcript of its turns", () => {
    for (const { text, twin, turns, twinTurns } of pairs.slice(0, 20)) {
      if (turns) expect(text).toBe(transcript(turns));
      if (twinTurns) expect(twin).toBe(transcript(twinTurns));
    }
  });
});

test("no two patterns share a near-duplicate group, among all draws of all of them", () => {
  const ids = [...patterns.keys()];
  const texts = ids.flatMap((id) => (drawn.get(id) ?? []).map(({ text }) => text));
  const owners = new Map<number, number>();
  const shared: string[] = [];
  for (const [i, group] of nearDuplicateGroups(texts).entries()) {
    const owner = Math.floor(i / drawsEach);
    const first = owners.get(group) ?? owner;
    owners.set(group, first);
    if (first !== owner) shared.push(`${ids[first]} and ${ids[owner]}: ${texts[i]}`);
  }
  expect(shared).toEqual([]);
}, 240_000);

test("the parallel table has at least 12 languages with the same phrases and a back-translation for each", () => {
  expect(languages().size).toBeGreaterThanOrEqual(12);
  const slotsOf = (text: string): string[] => [...text.matchAll(/\[\[[^\]]+\]\]/g)].map(([slot]) => slot).sort();
  const shape = (code: string): [string, number][] =>
    Object.entries(languages().get(code)?.phrases ?? {}).map(([meaning, list]) => [meaning, list.length]);
  for (const { code, unverified, phrases } of languages().values()) {
    expect(shape(code)).toEqual(shape("de"));
    expect(typeof unverified).toBe("boolean");
    for (const [text, back] of Object.values(phrases).flat()) {
      expect(back.length, text).toBeGreaterThan(5);
      expect(slotsOf(text), text).toEqual(slotsOf(back));
      expect(text.normalize("NFC")).toBe(text);
    }
  }
});
