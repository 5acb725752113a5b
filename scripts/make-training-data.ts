/** Rebuilds data/training/security_data.jsonl from the grammars in packages/attacks/src/training/grammar. */
import { mkdir, writeFile } from "node:fs/promises";
import { makeTrainingRows, readGrammars, type TrainingRow } from "@mlsec/attacks/training";
import { nearDuplicateGroups } from "@mlsec/engine";

/** Recorded in data/README.md; another seed gives another file of the same kind. */
const seed = 20261122;

/**
 * The rows of the shipped file.
 * @returns rows whose `group` joins an attack with its twin and whatever the engine finds to be near-duplicates
 */
export async function trainingRows(): Promise<TrainingRow[]> {
  const rows = makeTrainingRows(await readGrammars(), seed);
  const alike = nearDuplicateGroups(rows.map(({ text }) => text));
  const parents = new Map<string, string>();
  const root = (node: string): string => {
    let top = node;
    for (let parent = parents.get(top); parent !== undefined; parent = parents.get(top)) top = parent;
    return top;
  };
  for (const [i, { group }] of rows.entries()) {
    const [pair, near] = [root(`pair ${group}`), root(`near ${alike[i]}`)];
    if (pair !== near) parents.set(pair, near);
  }
  const numbers = new Map<string, number>();
  return rows.map((row) => {
    const top = root(`pair ${row.group}`);
    if (!numbers.has(top)) numbers.set(top, numbers.size);
    return { ...row, group: numbers.get(top) ?? 0 };
  });
}

async function main(): Promise<void> {
  const target = new URL("../data/training/security_data.jsonl", import.meta.url);
  const rows = await trainingRows();
  await mkdir(new URL(".", target), { recursive: true });
  await writeFile(target, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const count = (key: "label" | "lang"): string => {
    const counts = new Map<string, number>();
    for (const row of rows) counts.set(row[key], (counts.get(row[key]) ?? 0) + 1);
    return [...counts].map(([name, n]) => `${name} ${n}`).join(", ");
  };
  console.log(`${rows.length} rows, ${new Set(rows.map((row) => row.group)).size} groups, seed ${seed}`);
  console.log(count("label"));
  console.log(count("lang"));
}

if (import.meta.main) await main();
