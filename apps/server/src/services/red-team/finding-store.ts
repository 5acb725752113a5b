// Findings in the database: written in the transaction that ends a test, decided by people, read in pages.
import { randomUUID } from "node:crypto";
import type { Finding, FindingDetail, FindingKind, FindingState, Severity } from "@mlsec/contracts";
import type { Database, Sql } from "../../platform/db/database.ts";
import { afterAnswer } from "./findings.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { severityParts } from "./severity.ts";

export interface FindingRow {
  readonly id: string;
  readonly fingerprint: string;
  readonly model_name: string;
  readonly attack_key: string;
  readonly kind: FindingKind;
  readonly category: string;
  readonly pattern: string | null;
  readonly mutator: string | null;
  readonly severity: Severity;
  readonly impact: number;
  readonly exposure: number;
  readonly weight: number;
  readonly state: FindingState;
  readonly note: string | null;
  readonly triaged_by: string | null;
  readonly triaged_at: Date | null;
  readonly suppressed_until: Date | null;
  readonly suppressed_reason: string | null;
  readonly suppressed_by: string | null;
  readonly occurrences: number;
  readonly versions: string[];
  readonly first_seen: Date;
  readonly last_seen: Date;
  readonly fixed_version: string | null;
  readonly last_replay: Finding["last_replay"];
  readonly last_test_id: string;
  readonly last_ordinal: number;
  readonly seed: number | null;
  readonly campaign: unknown;
}
interface EndedTest {
  readonly id: string;
  readonly model_name: string;
  readonly model_version: string;
  readonly seed: number | null;
  readonly campaign: unknown;
}
interface Event {
  readonly findingId: string;
  readonly at: Date;
  readonly by: string;
  readonly event: FindingDetail["history"][number]["event"];
  readonly state: FindingState;
  readonly note?: string | null | undefined;
}
export interface FindingFilter {
  readonly model?: string | undefined;
  readonly state?: FindingState | undefined;
  readonly severity?: Severity | undefined;
  readonly kind?: FindingKind | undefined;
  readonly category?: string | undefined;
  readonly pattern?: string | undefined;
  readonly mutator?: string | undefined;
  readonly testId?: string | undefined;
  readonly suppressed: "no" | "yes" | "all";
  readonly after?: readonly [weight: number, lastSeen: string, id: string] | undefined;
  readonly limit: number;
}

interface Answered {
  readonly attack_key: string;
  readonly wrong: number;
  readonly ordinal: number | null;
  readonly category: string;
  readonly pattern: string | null;
  readonly mutator: string | null;
  readonly benign: boolean;
  readonly severity: Severity;
  readonly impact: number;
  readonly id: string | null;
  readonly state: FindingState;
  readonly versions: string[];
  readonly fixed_version: string | null;
}

/** What the answers of a test that ends say about findings, new ones and known ones. Once per test: its end is. */
export async function recordFindings(sql: Sql, test: EndedTest, at: Date): Promise<void> {
  // Two tests that end together may hold the same new finding.
  await sql.query("select pg_advisory_xact_lock(hashtext('red_team_findings ' || $1))", [test.model_name]);
  const answered = await sql.query<Answered>(
    `select attempt.*, finding.id, finding.state, finding.versions, finding.fixed_version from (
       select attack_key, benign, pattern, mutator, min(category) as category, min(severity) as severity,
         max(impact) as impact, count(*) filter (where status in ('missed', 'false_alarm')) as wrong,
         min(ordinal) filter (where status in ('missed', 'false_alarm')) as ordinal
       from red_team_attempts
       where test_id = $1 and attack_key is not null and status in ('missed', 'false_alarm', 'detected', 'passed')
       group by attack_key, benign, pattern, mutator) as attempt
     left join red_team_findings as finding on finding.model_name = $2 and finding.attack_key = attempt.attack_key
     where attempt.wrong > 0 or finding.id is not null`,
    [test.id, test.model_name],
  );
  await openFindings(sql, test, { at, rows: answered.filter(({ id }) => id === null) });
  await updateFindings(sql, test, { at, rows: answered.filter(({ id }) => id !== null) });
}

interface AnsweredAt {
  readonly at: Date;
  readonly rows: readonly Answered[];
}

async function openFindings(sql: Sql, test: EndedTest, { at, rows }: AnsweredAt): Promise<void> {
  if (rows.length === 0) return;
  const made = rows.map((row) => ({ ...row, ...severityParts(row.impact, row.mutator), id: randomUUID() }));
  await sql.query(
    `insert into red_team_findings (id, fingerprint, attack_key, kind, category, pattern, mutator, severity, impact,
       exposure, weight, occurrences, last_ordinal, model_name, versions, state, first_seen, last_seen, last_test_id,
       seed, campaign)
     select row.*, $14::text, array[$15::text], 'open', $16::timestamptz, $16::timestamptz, $17::uuid, $18::int, $19::jsonb
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
       $9::float8[], $10::float8[], $11::float8[], $12::int[], $13::int[]) as row`,
    [
      made.map(({ id }) => id),
      made.map(({ attack_key }) => fingerprintOf(test.model_name, attack_key)),
      made.map(({ attack_key }) => attack_key),
      made.map(({ benign }) => (benign ? "false_alarm" : "missed")),
      made.map(({ category }) => category),
      made.map(({ pattern }) => pattern),
      made.map(({ mutator }) => mutator),
      made.map(({ severity }) => severity),
      made.map(({ impact }) => impact),
      made.map(({ exposure }) => exposure),
      made.map(({ weight }) => weight),
      made.map(({ wrong }) => wrong),
      made.map(({ ordinal }) => ordinal),
      ...[test.model_name, test.model_version, at, test.id, test.seed, test.campaign],
    ],
  );
  const by = `test ${test.id}`;
  await writeEvents(
    sql,
    made.map(({ id }) => ({ findingId: id, at, by, event: "opened", state: "open" })),
  );
}

async function updateFindings(sql: Sql, test: EndedTest, { at, rows }: AnsweredAt): Promise<void> {
  if (rows.length === 0) return;
  const changed = rows.map((row) => ({
    ...row,
    id: row.id as string,
    change: afterAnswer(
      { state: row.state, versions: row.versions, fixedVersion: row.fixed_version },
      { version: test.model_version, isWrong: row.wrong > 0 },
    ),
  }));
  await sql.query(
    `update red_team_findings as finding set state = row.state, fixed_version = row.fixed_version,
       occurrences = occurrences + row.wrong,
       versions = case when row.wrong = 0 or $6 = any(versions) then versions else versions || $6 end,
       last_seen = case when row.wrong = 0 then last_seen else $7 end,
       last_test_id = case when row.wrong = 0 then last_test_id else $8 end,
       last_ordinal = coalesce(row.ordinal, last_ordinal),
       seed = case when row.wrong = 0 then seed else $9 end,
       campaign = case when row.wrong = 0 then campaign else $10::jsonb end
     from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[])
       as row (id, state, fixed_version, wrong, ordinal)
     where finding.id = row.id`,
    [
      changed.map(({ id }) => id),
      changed.map(({ change }) => change.state),
      changed.map(({ change }) => change.fixedVersion),
      changed.map(({ wrong }) => wrong),
      changed.map(({ ordinal }) => ordinal),
      ...[test.model_version, at, test.id, test.seed, test.campaign],
    ],
  );
  const by = `test ${test.id}`;
  await writeEvents(
    sql,
    changed.flatMap(({ id, change: { event, state } }) =>
      event ? [{ findingId: id, at, by, event, state, note: `version ${test.model_version}` }] : [],
    ),
  );
}

async function writeEvents(sql: Sql, events: readonly Event[]): Promise<void> {
  await sql.query(
    `insert into red_team_finding_events (finding_id, at, by, event, state, note)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[])`,
    [
      events.map(({ findingId }) => findingId),
      events.map(({ at }) => at),
      events.map(({ by }) => by),
      events.map(({ event }) => event),
      events.map(({ state }) => state),
      events.map(({ note }) => note ?? null),
    ],
  );
}

const filterSql = `($1::text is null or model_name = $1) and ($2::text is null or state = $2)
  and ($3::text is null or severity = $3) and ($4::text is null or kind = $4)
  and ($5::text is null or category = $5) and ($6::text is null or pattern = $6)
  and ($7::text is null or coalesce(mutator, 'none') = $7)
  and ($8 = 'all' or (suppressed_until is not null) = ($8 = 'yes'))
  and ($9::uuid is null or attack_key in (select attack_key from red_team_attempts
    where test_id = $9 and status in ('missed', 'false_alarm')))`;
const filterValues = ({
  model,
  state,
  severity,
  kind,
  category,
  pattern,
  mutator,
  suppressed,
  testId,
}: FindingFilter) =>
  [model, state, severity, kind, category, pattern, mutator, suppressed, testId].map((value) => value ?? null);

export function createFindingStore(db: Database, clock: () => Date) {
  /** A suppression that has run out ends; a risk that was accepted with it is open again. */
  const reopenExpired = (): Promise<void> =>
    db.tx(async (sql) => {
      const now = clock();
      const rows = await sql.query<{ id: string; state: FindingState }>(
        `update red_team_findings set suppressed_until = null, suppressed_reason = null, suppressed_by = null,
           state = case when state = 'accepted_risk' then 'open' else state end
         where suppressed_until <= $1 returning id, state`,
        [now],
      );
      if (rows.length > 0)
        await writeEvents(
          sql,
          rows.map(({ id, state }) => ({ findingId: id, at: now, by: "system", event: "expired", state })),
        );
    });
  const find = async (id: string): Promise<FindingRow | undefined> => {
    if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)) return undefined;
    await reopenExpired();
    return db.one<FindingRow>("select * from red_team_findings where id = $1", [id]);
  };
  return {
    find,

    async list(filter: FindingFilter): Promise<{ rows: FindingRow[]; total: number }> {
      await reopenExpired();
      const values = filterValues(filter);
      const { after, limit } = filter;
      const rows = await db.query<FindingRow>(
        `select * from red_team_findings where ${filterSql}
           and ($10::float8 is null or (weight, last_seen, id) < ($10, $11::timestamptz, $12::uuid))
         order by weight desc, last_seen desc, id desc limit $13`,
        [...values, after?.[0] ?? null, after?.[1] ?? null, after?.[2] ?? null, limit + 1],
      );
      const count = await db.one<{ total: number }>(
        `select count(*) as total from red_team_findings where ${filterSql}`,
        values,
      );
      return { rows, total: count?.total ?? 0 };
    },

    history: (id: string): Promise<(Omit<FindingDetail["history"][number], "at"> & { at: Date })[]> =>
      db.query("select at, by, event, state, note from red_team_finding_events where finding_id = $1 order by id", [
        id,
      ]),

    /** The ledger's text of its last sighting; undefined when that test is gone. */
    ledgerText: async ({ last_test_id, last_ordinal }: FindingRow): Promise<string | undefined> => {
      const row = await db.one<{ text_json: string }>(
        "select text_json from red_team_attempts where test_id = $1 and ordinal = $2",
        [last_test_id, last_ordinal],
      );
      return row && (JSON.parse(row.text_json) as string);
    },

    decide: (id: string, decision: { by: string; state?: FindingState; note?: string }) =>
      db.tx(async (sql) => {
        const at = clock();
        const row = await sql.one<FindingRow>(
          `update red_team_findings set state = coalesce($2, state), note = coalesce($3, note), triaged_by = $4,
             triaged_at = $5, fixed_version = case when coalesce($2, state) = 'fixed' then fixed_version end
           where id = $1 returning *`,
          [id, decision.state ?? null, decision.note ?? null, decision.by, at],
        );
        if (!row) return;
        const { state } = row;
        await writeEvents(sql, [{ findingId: id, at, by: decision.by, event: "triaged", state, note: decision.note }]);
      }),

    suppress: (id: string, by: string, suppression: { reason: string; until: string } | null) =>
      db.tx(async (sql) => {
        const at = clock();
        const row = await sql.one<FindingRow>(
          `update red_team_findings set suppressed_until = $2, suppressed_reason = $3, suppressed_by = $4
           where id = $1 returning *`,
          [id, suppression?.until ?? null, suppression?.reason ?? null, suppression ? by : null],
        );
        if (!row) return;
        const event = suppression ? ("suppressed" as const) : ("unsuppressed" as const);
        await writeEvents(sql, [{ findingId: id, at, by, event, state: row.state, note: suppression?.reason }]);
      }),

    /** Keeps what a replay showed; a later version's answer fixes or reopens as a test's does. */
    replayed: (id: string, by: string, replay: NonNullable<Finding["last_replay"]>): Promise<void> =>
      db.tx(async (sql) => {
        const row = await sql.one<FindingRow>("select * from red_team_findings where id = $1 for update", [id]);
        if (!row) return;
        const { state, fixedVersion, event } = afterAnswer(
          { state: row.state, versions: row.versions, fixedVersion: row.fixed_version },
          { version: replay.model_version, isWrong: replay.stands },
        );
        await sql.query("update red_team_findings set last_replay = $2, state = $3, fixed_version = $4 where id = $1", [
          id,
          replay,
          state,
          fixedVersion,
        ]);
        const at = new Date(replay.at);
        const note = `version ${replay.model_version}: ${replay.stands ? "it stands" : "answered rightly"}`;
        const events: Event[] = [{ findingId: id, at, by, event: "replayed", state, note }];
        if (event) events.push({ findingId: id, at, by, event, state });
        await writeEvents(sql, events);
      }),
  };
}
export type FindingStore = ReturnType<typeof createFindingStore>;

export function findingOf(row: FindingRow): Finding {
  const { suppressed_until: until, suppressed_reason: reason, suppressed_by: by } = row;
  const { fingerprint, kind, model_name, category, pattern, mutator, severity, state, note, triaged_by } = row;
  const { occurrences, versions, fixed_version, last_replay, last_test_id } = row;
  return {
    finding_id: row.id,
    ...{ fingerprint, kind, model_name, category, pattern, mutator, severity, state, note, triaged_by },
    severity_parts: { impact: row.impact, exposure: row.exposure, weight: row.weight },
    triaged_at: row.triaged_at?.toISOString() ?? null,
    suppression: until ? { reason: reason ?? "", until: until.toISOString(), by: by ?? "" } : null,
    ...{ occurrences, versions, fixed_version, last_replay, last_test_id },
    first_seen: row.first_seen.toISOString(),
    last_seen: row.last_seen.toISOString(),
  };
}
