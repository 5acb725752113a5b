/** What data/README.md promises about the shipped training rows, the rows written by hand and the frozen suite. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { labels } from "@mlsec/contracts";
import { nearDuplicateGroups } from "@mlsec/engine";
import { expect, test } from "vitest";
import { trainingRows } from "../scripts/make-training-data.ts";

interface Row {
  readonly id?: string;
  readonly text: string;
  readonly label: string;
  readonly lang: string;
  readonly category: string;
  readonly group?: number;
  readonly source: string;
  readonly license: string;
}

const suiteFolder = new URL("../data/suite/", import.meta.url);
const suiteFiles = readdirSync(suiteFolder).filter((name) => name.endsWith(".jsonl"));
const training = readRows(new URL("../data/training/security_data.jsonl", import.meta.url));
const suite = suiteFiles.flatMap((name) => readRows(new URL(name, suiteFolder)));
const writtenFolder = new URL("../data/written/", import.meta.url);
const writtenFiles = readdirSync(writtenFolder);
const written = writtenFiles.flatMap((name) => readRows(new URL(name, writtenFolder)));

test("the training file is what its grammars and seed give", async () => {
  expect(training).toEqual(await trainingRows());
});

test("training rows: size, groups, balance, languages, licence", () => {
  expect(training.length).toBeLessThanOrEqual(2500);
  expect(new Set(training.map(({ group }) => group)).size).toBeGreaterThanOrEqual(1500);
  expect(new Set(training.map(({ text }) => text)).size).toBe(training.length);
  for (const label of labels) {
    const share = training.filter((row) => row.label === label).length / training.length;
    expect(share, label).toBeGreaterThanOrEqual(label === "benign" ? 0.48 : 0.1);
    expect(share, label).toBeLessThanOrEqual(label === "benign" ? 0.56 : 0.2);
  }
  const attackLanguages = new Set(training.filter(({ label }) => label !== "benign").map(({ lang }) => lang));
  expect(attackLanguages.size).toBeGreaterThanOrEqual(12);
  for (const row of training) expect(row).toMatchObject({ source: "mlsec", license: "MIT" });
  expect(training.filter(({ text }) => text.length > 320)).toEqual([]);
});

test("near-duplicates of the training file share a group", () => {
  const found = nearDuplicateGroups(training.map(({ text }) => text));
  const declared = new Map<number, number | undefined>();
  for (const [i, group] of found.entries()) {
    if (!declared.has(group)) declared.set(group, training[i]?.group);
    expect(training[i]?.group, training[i]?.text).toBe(declared.get(group));
  }
});

test("suite rows: schema, labels, languages, lengths, benign share", () => {
  expect(suite.length).toBeGreaterThanOrEqual(360);
  expect(new Set(suite.map(({ id }) => id)).size).toBe(suite.length);
  expect(new Set(suite.map(({ text }) => text)).size).toBe(suite.length);
  expect(new Set(suite.map(({ label }) => label))).toEqual(new Set(labels));
  expect(new Set(suite.map(({ lang }) => lang)).size).toBeGreaterThanOrEqual(12);
  for (const row of suite) {
    expect(row.text.trim().length).toBeGreaterThan(0);
    expect(row).toMatchObject({ source: "mlsec", license: "MIT" });
  }
  const benign = suite.filter(({ label }) => label === "benign").length / suite.length;
  expect(benign).toBeGreaterThan(0.5);
  expect(benign).toBeLessThan(0.6);
});

test("no suite row is a near-duplicate of a training row", () => {
  const groups = nearDuplicateGroups([...suite, ...training].map(({ text }) => text));
  const ofSuite = new Set(groups.subarray(0, suite.length));
  const leaked = training.filter((_, i) => ofSuite.has(groups[suite.length + i] ?? -1));
  expect(leaked.map(({ text }) => text)).toEqual([]);
});

test("the suite is frozen: its files have the recorded checksums", () => {
  const recorded = readFileSync(new URL("SHA256SUMS", suiteFolder), "utf8").trim().split("\n").sort();
  const actual = suiteFiles.map((name) => {
    const hash = createHash("sha256").update(readFileSync(new URL(name, suiteFolder)));
    return `${hash.digest("hex")}  ${name}`;
  });
  expect(actual.sort()).toEqual(recorded);
});

test("rows written by hand: schema, unique ids and texts, labels, languages", () => {
  expect(written.length).toBeGreaterThanOrEqual(4000);
  expect(new Set(written.map(({ id }) => id)).size).toBe(written.length);
  expect(new Set(written.map(({ text }) => text)).size).toBe(written.length);
  const fields = ["category", "group", "id", "label", "lang", "license", "source", "text"];
  for (const row of written) {
    expect(Object.keys(row).sort(), row.id).toEqual(fields);
    expect(labels, row.id).toContain(row.label);
    expect(row, row.id).toMatchObject({ source: "mlsec", license: "MIT" });
    expect(row.id).toMatch(/^w-[a-z]+-\d{4}$/);
    expect(row.lang, row.id).toMatch(/^[a-z]{2}(-Latn)?$/);
    expect(Number.isInteger(row.group), row.id).toBe(true);
    expect(row.text.trim(), row.id).toBe(row.text);
    expect(row.text.length, row.id).toBeGreaterThan(0);
    expect(row.text, row.id).not.toMatch(/\[\[.*\|\||\ufffd/su);
  }
  const attacks = written.filter(({ label }) => label !== "benign");
  for (const label of labels) {
    expect(written.filter((row) => row.label === label).length, label).toBeGreaterThanOrEqual(250);
  }
  expect(new Set(attacks.map(({ lang }) => lang)).size).toBeGreaterThanOrEqual(18);
});

test("rows written by hand: a group is one attack and its harmless twin, within one file and one language", () => {
  const groups = new Map<number | undefined, string[]>();
  for (const name of writtenFiles) {
    for (const row of readRows(new URL(name, writtenFolder))) {
      const kind = row.label === "benign" ? "twin" : "attack";
      groups.set(row.group, [...(groups.get(row.group) ?? []), `${kind} ${name} ${row.lang}`]);
    }
  }
  for (const [group, members] of groups) {
    const place = members[0]?.replace(/^\w+ /, "");
    expect([...members].sort(), `group ${group}`).toEqual([`attack ${place}`, `twin ${place}`]);
  }
  const ofTraining = new Set(training.map(({ group }) => group));
  expect([...groups.keys()].filter((group) => ofTraining.has(group))).toEqual([]);
});

test("a row written by hand is a near-duplicate of its twin at most, of no suite or training row", () => {
  const known = suite.length + training.length;
  const rows = [...suite, ...training, ...written];
  const found = nearDuplicateGroups(rows.map(({ text }) => text));
  const declared = new Map<number, number | string | undefined>();
  for (const [i, group] of found.entries()) {
    const own = i < known ? "known" : rows[i]?.group;
    if (!declared.has(group)) declared.set(group, own);
    else if (i >= known) expect(own, `${rows[i]?.id}: ${rows[i]?.text}`).toBe(declared.get(group));
  }
});

test("the README counts the rows written by hand as they are", () => {
  const readme = readFileSync(new URL("../data/README.md", import.meta.url), "utf8");
  const table = readme.slice(readme.indexOf("## The written rows"), readme.indexOf("## The suite"));
  const stated: Record<string, number[]> = {};
  for (const [, name = "", counts = ""] of table.matchAll(/^\| `([a-z-]+)` \|((?:[^|]*\|){6})/gm)) {
    stated[`${name}.jsonl`] = counts.split("|", 6).map((cell) => Number(cell.replace(",", "")));
  }
  const order = ["prompt_injection", "jailbreak", "system_extraction", "code_injection", "benign"];
  const actual: Record<string, number[]> = {};
  for (const name of writtenFiles) {
    const rows = readRows(new URL(name, writtenFolder));
    actual[name] = [rows.length, ...order.map((label) => rows.filter((row) => row.label === label).length)];
  }
  expect(stated).toEqual(actual);
});

test("hosts and addresses in rows written by hand are reserved for examples", () => {
  const reserved =
    /(^|\.)(example|test|invalid|localhost)$|(^|\.)example\.(com|org|net)$|^(10|127|169\.254|192\.0\.2|198\.51\.100|203\.0\.113)\./;
  const hosts = /(?:https?|gopher|ldap|dns):\/\/([\w-]+(?:\.[\w-]+)+)|[\w.+-]+@([\w-]+(?:\.[\w-]+)+)/g;
  const foreign = written.flatMap(({ id, text }) =>
    [...text.matchAll(hosts)]
      .map((match) => match[1] ?? match[2] ?? "")
      .filter((host) => !reserved.test(`${host}`) && !reserved.test(`${host}.`))
      .map((host) => `${id} ${host}`),
  );
  expect(foreign).toEqual([]);
});

function readRows(file: URL): Row[] {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Row);
}
