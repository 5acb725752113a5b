// Quality gates: what a data set must have before anything is trained on it, and what is worth a warning.
import { createHash } from "node:crypto";
import { labels, type QualityReport } from "@mlsec/contracts";
import type { DataRow, ReadRow } from "./rows.ts";

/** Fewest near-duplicate groups of attacks, and of benign texts, that a threshold can be chosen on. */
export const minGroups = 8;
const maxListed = 50;
/** Grouping looks at this many rows; beyond, it would take minutes. */
export const maxGrouped = 40_000;

type Finding = QualityReport["errors"][number];

export interface Inspector {
  add(read: ReadRow): void;
  /** Texts to group, in order, with whether each is benign. */
  readonly texts: string[];
  readonly benign: boolean[];
  report(groups: Int32Array): QualityReport;
}

/** Collects what the report needs while rows stream past; texts are kept up to `maxGrouped` rows. */
export function createInspector(): Inspector {
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  const byLabel = Object.fromEntries(labels.map((label) => [label, 0])) as Record<string, number>;
  const seen = new Map<string, string>();
  const texts: string[] = [];
  const benign: boolean[] = [];
  const totals = { rows: 0, bad: 0, repeated: 0, contradictory: 0 };
  const checkRepeat = (number: number, { text, label }: DataRow): void => {
    const key = createHash("sha1").update(text).digest("base64");
    const before = seen.get(key);
    if (before === undefined) seen.set(key, label);
    else if (before === label) totals.repeated++;
    else if (totals.contradictory++ < maxListed)
      warnings.push({ row: number, message: `the same text is ${before} in an earlier row and ${label} here` });
  };
  return {
    texts,
    benign,
    add(read) {
      if ("problem" in read) {
        if (totals.bad++ < maxListed) errors.push({ row: read.number, message: read.problem });
        return;
      }
      totals.rows++;
      byLabel[read.row.label] = (byLabel[read.row.label] ?? 0) + 1;
      checkRepeat(read.number, read.row);
      if (texts.length >= maxGrouped) return;
      texts.push(read.row.text);
      benign.push(read.row.label === "benign");
    },
    report(groups) {
      const all = [...errors, ...more(totals.bad), ...missing(totals.rows, benign, groups)];
      const found = new Set(groups).size;
      return {
        passed: all.length === 0,
        rows: totals.rows,
        groups: found,
        by_label: byLabel,
        errors: all,
        warnings: [...warnings, ...doubts(totals, byLabel, found, texts.length)],
      };
    },
  };
}

const more = (bad: number): Finding[] =>
  bad > maxListed ? [{ message: `${bad - maxListed} more rows are wrong` }] : [];

function missing(rows: number, benign: readonly boolean[], groups: Int32Array): Finding[] {
  if (rows === 0) return [{ message: "there are no rows" }];
  const count = (wanted: boolean): number => new Set([...groups].filter((_, i) => benign[i] === wanted)).size;
  return [...tooFew("attack", count(false)), ...tooFew("benign", count(true))];
}
const tooFew = (what: string, found: number): Finding[] =>
  found >= minGroups
    ? []
    : [{ message: `${found} different ${what} texts (near-duplicates count once); at least ${minGroups} are needed` }];

function doubts(
  totals: { rows: number; repeated: number; contradictory: number },
  byLabel: Readonly<Record<string, number>>,
  groups: number,
  grouped: number,
): Finding[] {
  const { rows, repeated, contradictory } = totals;
  const benignShare = (byLabel["benign"] ?? 0) / Math.max(1, rows);
  const rare = Object.entries(byLabel).filter(([, count]) => count < 10);
  const said: [boolean, string][] = [
    [repeated > 0, `${repeated} rows repeat an earlier one exactly`],
    [contradictory > maxListed, `${contradictory - maxListed} more texts appear under two labels`],
    [rows > grouped, `near-duplicates were looked for in the first ${grouped} rows only`],
    [grouped > 0 && groups < grouped / 2, `${grouped} rows are only ${groups} different texts`],
    [
      rows > 0 && (benignShare < 0.2 || benignShare > 0.9),
      `${Math.round(benignShare * 100)} % of the rows are benign; 20 to 90 % give a usable threshold`,
    ],
    [rows > 0 && rare.length > 0, `fewer than 10 rows of ${rare.map(([label]) => label).join(", ")}`],
  ];
  return said.filter(([holds]) => holds).map(([, message]) => ({ message }));
}
