/** Rebuilds data/training/security_data.jsonl from the grammars in packages/attacks/src/training/grammar. */
import { mkdir, writeFile } from "node:fs/promises";
import { makeTrainingRows, readGrammars } from "@mlsec/attacks/training";

/** Recorded in data/README.md; another seed gives another file of the same kind. */
const seed = 20261122;

const target = new URL("../data/training/security_data.jsonl", import.meta.url);
const rows = makeTrainingRows(await readGrammars(), seed);
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
