import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type AlignedText, sourceEnd, sourceStart } from "./aligned-text.ts";
import { readNormalizer } from "./normalizers.ts";
import { utf16ToCodePoint } from "./offsets.ts";
import { readPreTokenizer } from "./pre-tokenizers.ts";
import type { Json } from "./stages.ts";

/** [piece, start, end] in code points, as the Rust stages gave them: fixtures/tokenizers/make-stages.py. */
type Piece = readonly [string, number, number];
interface Stage {
  readonly config: Json;
  readonly pieces: readonly (readonly Piece[])[];
}
interface Stages {
  readonly texts: readonly string[];
  readonly normalizers: readonly Stage[];
  readonly preTokenizers: readonly Stage[];
}

const file = fileURLToPath(new URL("../../fixtures/tokenizers/stages.json", import.meta.url));
const { texts, normalizers, preTokenizers } = JSON.parse(await readFile(file, "utf8")) as Stages;

const named = (stages: readonly Stage[]) =>
  stages.map((stage) => [JSON.stringify(stage.config).slice(0, 140), stage] as const);

function piece(text: string, aligned: AlignedText, [from, to]: readonly [number, number]): Piece {
  const toCodePoint = utf16ToCodePoint(text);
  return [
    aligned.text.slice(from, to),
    toCodePoint(sourceStart(aligned, from)),
    toCodePoint(sourceEnd(aligned, to - 1)),
  ];
}

describe("normalisers give the characters and offsets of the Rust ones", () => {
  test.each(named(normalizers))("%s", (_, { config, pieces }) => {
    const normalizer = readNormalizer(config);
    for (const [i, text] of texts.entries()) {
      const aligned = normalizer.normalize({ text, base: 0 });
      const got: Piece[] = [];
      for (let at = 0; at < aligned.text.length; ) {
        const next = at + ((aligned.text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
        got.push(piece(text, aligned, [at, next]));
        at = next;
      }
      expect(got, JSON.stringify(text)).toEqual(pieces[i]);
    }
  });
});

describe("pre-tokenizers give the words and offsets of the Rust ones", () => {
  test.each(named(preTokenizers))("%s", (_, { config, pieces }) => {
    const preTokenizer = readPreTokenizer(config);
    for (const [i, text] of texts.entries()) {
      if (text === "") continue; // a tokenizer hands on no empty text
      const words = preTokenizer.split({ text: { text, base: 0 }, bounds: Int32Array.of(0, text.length) });
      const got: Piece[] = [];
      for (let j = 0; j < words.bounds.length; j += 2) {
        got.push(piece(text, words.text, [words.bounds[j] ?? 0, words.bounds[j + 1] ?? 0]));
      }
      expect(got, JSON.stringify(text)).toEqual(pieces[i]);
    }
  });
});

test("the fixture holds every stage", () => {
  expect(normalizers.length).toBeGreaterThan(15);
  expect(preTokenizers.length).toBeGreaterThan(30);
  expect(texts.length).toBeGreaterThan(20);
});
