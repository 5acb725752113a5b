/** The parallel table: the same phrases in every language, each with its back-translation beside it. */
import { readdirSync, readFileSync } from "node:fs";
import { AppError } from "@mlsec/contracts";
import type { Slots } from "./grammar.ts";

/** One language of the table. */
export interface Language {
  /** BCP 47 code, which is the file's name. */
  readonly code: string;
  /** English name. */
  readonly name: string;
  /** True while nobody who speaks the language has checked the phrases. */
  readonly unverified: boolean;
  /** By meaning: phrases, each with what it says in English. The meanings are the same in every language. */
  readonly phrases: Readonly<Record<string, readonly (readonly [text: string, back: string])[]>>;
}

const folder = new URL("./languages/", import.meta.url);
let table: ReadonlyMap<string, Language> | undefined;

/**
 * All languages: one JSON file each in languages/, read when first asked for.
 * @returns languages by code, sorted
 * @example
 * languages().get("de")?.name; // "German"
 */
export function languages(): ReadonlyMap<string, Language> {
  table ??= readTable();
  return table;
}

/**
 * A language's phrases as fillers.
 * @param code BCP 47 code
 * @returns phrases by meaning, without the back-translations
 * @throws AppError INVALID_INPUT for a language that is not in the table
 * @example
 * languageSlots("de")["gap"]; // [" "]
 */
export function languageSlots(code: string): Slots {
  const language = languages().get(code);
  if (!language) {
    const known = [...languages().keys()].join(", ");
    throw new AppError("INVALID_INPUT", `no language is called "${code}"; known: ${known}`, { code });
  }
  return Object.fromEntries(
    Object.entries(language.phrases).map(([meaning, list]) => [meaning, list.map(([text]) => text)]),
  );
}

function readTable(): Map<string, Language> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  const files = names.sort().map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Language);
  return new Map(files.map((language) => [language.code, language]));
}
