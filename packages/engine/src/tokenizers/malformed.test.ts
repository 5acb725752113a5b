// Tokenizer files with any one part replaced by something else: a tokenizer or a TOKENIZER error, never another error.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EngineError } from "../error.ts";
import type { Json } from "./stages.ts";
import { createTokenizer } from "./tokenizer.ts";

const read = (path: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url)), "utf8"));

interface Stages {
  readonly normalizers: readonly { readonly config: Json }[];
  readonly preTokenizers: readonly { readonly config: Json }[];
}
const stages = read("tokenizers/stages.json") as Stages;

/** Small files that hold every stage, and the reference tokenizers with their vocabularies cut down. */
const files: readonly (readonly [string, Json])[] = [
  ...["bert", "roberta", "xlm-roberta", "t5"].map(
    (name) => [name, small(read(`parity/${name}/tokenizer.json`))] as const,
  ),
  [
    "all stages",
    {
      model: {
        type: "Unigram",
        vocab: [
          ["?", 0],
          ["a", -1],
        ],
        unk_id: 0,
        byte_fallback: true,
      },
      normalizer: { type: "Sequence", normalizers: stages.normalizers.map(({ config }) => config) },
      pre_tokenizer: { type: "Sequence", pretokenizers: stages.preTokenizers.map(({ config }) => config) },
    },
  ],
];

function small(file: unknown): Json {
  const json = file as { model: { vocab: object; merges?: unknown[] } };
  const { vocab } = json.model;
  const cut = Array.isArray(vocab) ? vocab.slice(0, 40) : Object.fromEntries(Object.entries(vocab).slice(0, 40));
  return { ...json, model: { ...json.model, vocab: cut, ...(json.model.merges ? { merges: [] } : {}) } };
}

/** Every place in a file, as a list of keys. */
function placesOf(value: unknown, place: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [place];
  return [place, ...Object.entries(value).flatMap(([key, child]) => placesOf(child, [...place, key]))];
}

function withChange(value: unknown, [key, ...rest]: readonly string[], change: unknown): unknown {
  if (key === undefined) return change;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  (copy as Record<string, unknown>)[key] = withChange((copy as Record<string, unknown>)[key], rest, change);
  return copy;
}

test.each(files)("%s", (_, file) => {
  const places = placesOf(file).filter(({ length }) => length > 0);
  const junk = fc.constantFrom<unknown>(
    null,
    undefined,
    0,
    -1,
    1.5,
    1e9,
    "",
    "x",
    "[",
    true,
    false,
    [],
    {},
    [null],
    [1, 2],
  );
  fc.assert(
    fc.property(fc.constantFrom(...places), junk, (place, change) => {
      try {
        createTokenizer(withChange(file, place, change) as Json).encode("A déjà-vu! <mask> ab12\u0301 好😀\ud800");
      } catch (error) {
        expect(error, `${place.join(".")} = ${JSON.stringify(change)}`).toBeInstanceOf(EngineError);
        expect((error as EngineError).code).toBe("TOKENIZER");
      }
    }),
    { numRuns: 400, seed: 11 },
  );
});
