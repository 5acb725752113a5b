/** Makes the shipped training rows from the grammar files in training/grammar: hand-written lines and slot grammars. */
import { readdir, readFile } from "node:fs/promises";
import type { Label } from "@mlsec/contracts";
import { type Bindings, fill } from "../grammar.ts";
import { createRng, type Rng } from "../rng.ts";
import { type GrammarFile, parseGrammarFile } from "./grammar-file.ts";
import { createNovelty } from "./novelty.ts";

/** One row of the training file. Rows of one group are near-duplicates and belong on one side of a split. */
export interface TrainingRow {
  readonly text: string;
  readonly label: Label;
  readonly category: string;
  readonly lang: string;
  readonly group: number;
  readonly source: "mlsec";
  readonly license: "MIT";
}

/** How many rows each label may have. */
export type LabelCaps = Readonly<Record<Label, number>>;

/** The shape of the shipped file: 52 % benign, every attack label above 10 %. */
export const defaultCaps: LabelCaps = {
  prompt_injection: 330,
  jailbreak: 290,
  system_extraction: 280,
  code_injection: 270,
  benign: 1280,
};

interface Job {
  readonly lang: string;
  readonly slots: GrammarFile["slots"];
  readonly label: Label;
  readonly category: string;
  readonly templates: readonly [string] | readonly [string, string];
  readonly name: string;
}

/**
 * Reads all grammar files of a folder.
 * @param folder where `<lang>.txt` and `<lang>-<topic>.txt` lie
 * @returns parsed files by file name without ending, sorted
 */
export async function readGrammars(
  folder: URL = new URL("./grammar/", import.meta.url),
): Promise<Map<string, GrammarFile>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".txt")).sort();
  const read = async (name: string): Promise<[string, GrammarFile]> => [
    name.slice(0, -4),
    parseGrammarFile(await readFile(new URL(name, folder), "utf8")),
  ];
  return new Map(await Promise.all(names.map(read)));
}

/**
 * Training rows: every hand-written line, and as many new texts of the grammars as the caps allow.
 * @param files grammar files by name
 * @param seed the same seed and files give the same rows
 * @param caps most rows per label
 * @returns rows in random order; near-duplicates of kept rows are left out, an attack and its twin share a group
 */
export function makeTrainingRows(
  files: ReadonlyMap<string, GrammarFile>,
  seed: number,
  caps: LabelCaps = defaultCaps,
): TrainingRow[] {
  const rng = createRng(seed);
  const novelty = createNovelty({ characters: 0.42, words: 0.45 });
  const counts: Record<Label, number> = {
    prompt_injection: 0,
    jailbreak: 0,
    system_extraction: 0,
    code_injection: 0,
    benign: 0,
  };
  const rows: TrainingRow[] = [];
  let group = 0;
  for (const job of jobsInRounds(files, rng)) {
    const texts = draw(job, rng.fork(job.name));
    const wanted = texts.map((_, i): Label => (i === 0 ? job.label : "benign"));
    if (wanted.some((label) => counts[label] >= caps[label])) continue;
    if (!texts.every((text) => novelty.isNew(text))) continue;
    for (const [i, text] of texts.entries()) {
      novelty.keep(text);
      const label = wanted[i] as Label;
      counts[label]++;
      const category = label === job.label ? job.category : `twin/${job.category}`;
      rows.push({ text, label, category, lang: job.lang, group, source: "mlsec", license: "MIT" });
    }
    group++;
  }
  return rng.shuffle(rows);
}

/**
 * First every template once, then every template again, so that caps cut repeats and never the hand-written lines.
 * Pairs come four to a round: the attack and its twin, alike but for the aim, teach more than either alone.
 */
function jobsInRounds(files: ReadonlyMap<string, GrammarFile>, rng: Rng): Job[] {
  const rounds: Job[][] = [];
  for (const [name, file] of files) {
    for (const section of file.sections) {
      for (const [index, templates] of section.templates.entries()) {
        for (let drawn = 0; drawn < section.draws; drawn++) {
          const round = section.paired ? Math.floor(drawn / 4) : drawn;
          rounds[round] ??= [];
          rounds[round]?.push({
            lang: name.split("-")[0] as string,
            slots: file.slots,
            label: section.label,
            category: section.category,
            templates,
            name: `${name}/${section.label}/${section.category}/${index}/${drawn}`,
          });
        }
      }
    }
  }
  return rounds.flatMap((round) => rng.shuffle(round));
}

function draw(job: Job, rng: Rng): string[] {
  const bindings: Bindings = new Map();
  return job.templates.map((template) => fill(template, job.slots, rng, bindings));
}
