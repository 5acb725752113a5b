// Tests and the ledger of attempts. Every write that ends something asks for the state it ends.
import type { AttemptResult, Severity, TestSummary } from "@mlsec/contracts";
import type { Database, Sql } from "../../platform/db/database.ts";
import { recordFindings } from "./finding-store.ts";
import { type Figures, figuresOf, type Outcome, type Tally } from "./figures.ts";

/** An attempt before it ran. */
export interface PlannedAttempt {
  readonly text: string;
  readonly category: string | null;
  readonly pattern: string | null;
  readonly mutator: string | null;
  readonly benign: boolean;
  /** What a wrong answer means; null for unlabelled texts. */
  readonly severity: Severity | null;
  /** Weight of what a wrong answer means before its disguise is counted. */
  readonly impact: number | null;
  /** The same in every test that sends this attack. */
  readonly attackKey: string;
}
export interface PendingAttempt extends Omit<PlannedAttempt, "impact" | "attackKey"> {
  readonly ordinal: number;
}
export interface AttemptOutcome {
  readonly ordinal: number;
  readonly status: Outcome;
  readonly prediction?: string;
  readonly confidence?: number;
  readonly error?: string;
}
export interface TestRow {
  readonly id: string;
  readonly status: TestSummary["status"];
  readonly trigger: TestSummary["trigger"];
  readonly model_name: string;
  readonly requested_model: string;
  readonly model_version: string;
  readonly threshold: number | null;
  readonly pass_threshold: number;
  readonly seed: number | null;
  readonly campaign: unknown;
  readonly is_planned: boolean;
  readonly job_id: string | null;
  readonly figures: Figures | null;
  readonly error: string | null;
  readonly error_code: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
}
export type NewTest = Pick<
  TestRow,
  | "id"
  | "trigger"
  | "model_name"
  | "requested_model"
  | "model_version"
  | "threshold"
  | "pass_threshold"
  | "seed"
  | "campaign"
  | "created_at"
>;
export interface ListFilter {
  readonly model?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly after?: readonly [createdAt: string, id: string] | undefined;
  readonly limit: number;
}

/** PostgreSQL takes 65,535 parameters; columns as arrays need ten whatever the number of rows. */
async function writeLedger(sql: Sql, testId: string, attempts: readonly PlannedAttempt[]): Promise<void> {
  await sql.query(
    `insert into red_team_attempts
       (test_id, ordinal, text_json, category, pattern, mutator, benign, severity, impact, attack_key)
     select $1, row.*
     from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::smallint[],
       $10::text[]) as row (ordinal, text_json, category, pattern, mutator, benign, severity, impact, attack_key)
     on conflict do nothing`,
    [
      testId,
      attempts.map((_, i) => i),
      attempts.map(({ text }) => JSON.stringify(text)),
      attempts.map(({ category }) => category),
      attempts.map(({ pattern }) => pattern),
      attempts.map(({ mutator }) => mutator),
      attempts.map(({ benign }) => benign),
      attempts.map(({ severity }) => severity),
      attempts.map(({ impact }) => impact),
      attempts.map((attempt) => attempt.attackKey),
    ],
  );
  await sql.query("update red_team_tests set is_planned = true where id = $1", [testId]);
}

async function tallies(sql: Sql, testId: string): Promise<Tally[]> {
  return sql.query<Tally>(
    `select category, mutator, benign, severity, status, count(*) as count from red_team_attempts
     where test_id = $1 group by 1, 2, 3, 4, 5`,
    [testId],
  );
}

export function createStore(db: Database) {
  const figures = async (test: TestRow): Promise<Figures> =>
    test.figures ?? figuresOf(await tallies(db, test.id), test.pass_threshold);
  return {
    figures,

    /** With its ledger when the attempts are known already, without when a job will generate them. */
    create: (test: NewTest, attempts?: readonly PlannedAttempt[]): Promise<void> =>
      db.tx(async (sql) => {
        await sql.query(
          `insert into red_team_tests (id, status, trigger, model_name, requested_model, model_version, threshold,
             pass_threshold, seed, campaign, is_planned, created_at)
           values ($1, 'running', $2, $3, $4, $5, $6, $7, $8, $9, false, $10)`,
          [
            ...[test.id, test.trigger, test.model_name, test.requested_model, test.model_version, test.threshold],
            ...[test.pass_threshold, test.seed, test.campaign, test.created_at],
          ],
        );
        if (attempts) await writeLedger(sql, test.id, attempts);
      }),

    /** Written once, whole or not at all. */
    plan: (testId: string, attempts: readonly PlannedAttempt[]): Promise<void> =>
      db.tx((sql) => writeLedger(sql, testId, attempts)),

    /** The version that answered first; later answers must come from it. */
    setModel: (testId: string, model: { version: string; threshold: number }) =>
      db.query("update red_team_tests set model_version = $2, threshold = $3 where id = $1 and threshold is null", [
        testId,
        model.version,
        model.threshold,
      ]),

    setJob: (testId: string, jobId: string) =>
      db.query("update red_team_tests set job_id = $2 where id = $1", [testId, jobId]),

    find: async (id: string): Promise<TestRow | undefined> =>
      /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)
        ? db.one<TestRow>("select * from red_team_tests where id = $1", [id])
        : undefined,

    pending: async (testId: string, limit: number): Promise<PendingAttempt[]> => {
      const rows = await db.query<Omit<PendingAttempt, "text"> & { text_json: string }>(
        `select ordinal, text_json, category, pattern, mutator, benign, severity from red_team_attempts
         where test_id = $1 and status = 'pending' order by ordinal limit $2`,
        [testId, limit],
      );
      return rows.map(({ text_json, ...row }) => ({ ...row, text: JSON.parse(text_json) as string }));
    },

    /** An outcome is written once: a second run of the same attempt changes nothing. */
    record: (testId: string, outcomes: readonly AttemptOutcome[]) =>
      db.query(
        `update red_team_attempts as attempt
         set status = row.status, prediction = row.prediction, confidence = row.confidence, error = row.error
         from unnest($2::int[], $3::text[], $4::text[], $5::double precision[], $6::text[])
           as row (ordinal, status, prediction, confidence, error)
         where attempt.test_id = $1 and attempt.ordinal = row.ordinal and attempt.status = 'pending'`,
        [
          testId,
          outcomes.map(({ ordinal }) => ordinal),
          outcomes.map(({ status }) => status),
          outcomes.map(({ prediction }) => prediction ?? null),
          outcomes.map(({ confidence }) => confidence ?? null),
          outcomes.map(({ error }) => error ?? null),
        ],
      ),

    /** Ends a running test with the figures of its ledger; undefined when it had ended already. */
    finish: (
      test: TestRow,
      end: { status: "completed" | "failed" | "cancelled"; at: Date; error?: { code: string; detail: string } },
    ): Promise<TestRow | undefined> =>
      db.tx(async (sql) => {
        const ended = figuresOf(await tallies(sql, test.id), test.pass_threshold);
        const shown = end.status === "completed" ? ended : { ...ended, overall_status: null };
        const row = await sql.one<TestRow>(
          `update red_team_tests set status = $2, figures = $3, finished_at = $4, error = $5, error_code = $6
           where id = $1 and status = 'running' returning *`,
          [test.id, end.status, shown, end.at, end.error?.detail ?? null, end.error?.code ?? null],
        );
        if (row) await recordFindings(sql, row, end.at);
        return row;
      }),

    attempts: async (testId: string): Promise<AttemptResult[]> => {
      const rows = await db.query<Omit<AttemptResult, "text" | "status" | "error" | "detected"> & LedgerRow>(
        `select text_json, category, pattern, mutator, benign, severity, status, prediction, confidence, error
         from red_team_attempts where test_id = $1 and status <> 'pending' order by ordinal`,
        [testId],
      );
      return rows.map(attemptResult);
    },

    list: ({ model, from, to, after, limit }: ListFilter): Promise<TestRow[]> =>
      db.query<TestRow>(
        `select * from red_team_tests
         where ($1::text is null or model_name = $1 or requested_model = $1)
           and ($2::timestamptz is null or created_at >= $2) and ($3::timestamptz is null or created_at < $3)
           and ($4::timestamptz is null or (created_at, id) < ($4, $5::uuid))
         order by created_at desc, id desc limit $6`,
        [model ?? null, from ?? null, to ?? null, after?.[0] ?? null, after?.[1] ?? null, limit + 1],
      ),

    running: (): Promise<TestRow[]> =>
      db.query<TestRow>("select * from red_team_tests where status = 'running' order by created_at limit 100"),

    unreported: (): Promise<TestRow[]> =>
      db.query<TestRow>(
        "select * from red_team_tests where status = 'completed' and not is_reported order by finished_at limit 20",
      ),
    setReported: (testId: string) => db.query("update red_team_tests set is_reported = true where id = $1", [testId]),

    hasSelfTest: async (model: string, version: string): Promise<boolean> =>
      (await db.one(
        `select 1 from red_team_tests where trigger = 'first_start' and status = 'completed'
           and model_name = $1 and model_version = $2`,
        [model, version],
      )) !== undefined,
  };
}
export type Store = ReturnType<typeof createStore>;

interface LedgerRow {
  readonly text_json: string;
  readonly status: Exclude<Outcome, "pending">;
  readonly error: string | null;
}

/** A severity is shown where something was found: a missed attack, or a false alarm. */
function attemptResult({
  text_json,
  error,
  ...row
}: Omit<AttemptResult, "text" | "status" | "error" | "detected"> & LedgerRow) {
  const found = row.status === "missed" || row.status === "false_alarm" ? row.severity : null;
  const isFlagged = ["detected", "false_alarm", "flagged"].includes(row.status);
  return {
    ...row,
    text: JSON.parse(text_json) as string,
    severity: found,
    detected: row.status === "errored" ? null : isFlagged,
    ...(error === null ? {} : { error }),
  };
}

/** A test as every list shows it. */
export function summaryOf(test: TestRow, figures: Figures): TestSummary {
  const { id, status, trigger, model_name, requested_model, model_version, threshold, pass_threshold, seed, error } =
    test;
  return {
    ...figures,
    test_id: id,
    ...{ status, trigger, model_name, requested_model, model_version, threshold, pass_threshold, seed, error },
    overall_status: status === "completed" ? figures.overall_status : null,
    created_at: test.created_at.toISOString(),
    finished_at: test.finished_at?.toISOString() ?? null,
  };
}
