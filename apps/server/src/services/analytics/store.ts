// Tests and evaluations as rows. Averages are weighted by what was asked: detected ÷ attacks over all tests together.
import type { StoredTest } from "@mlsec/contracts";
import { type Database, toJson } from "../../platform/db/database.ts";

export interface SummaryRow {
  readonly test_id: string;
  readonly model_name: string;
  readonly model_version: string | null;
  readonly trigger: string;
  readonly labelled: boolean;
  readonly detection_rate: number;
  readonly false_positive_rate: number | null;
  readonly total_attacks: number;
  readonly vulnerabilities_found: number;
  readonly errored: number;
  readonly by_category: Record<string, { attacks: number; detected: number }>;
  readonly created_at: Date;
}
export interface ModelRow {
  readonly model_name: string;
  readonly model_version: string | null;
  readonly detection_rate: number;
  readonly false_positive_rate: number | null;
  readonly tests: number;
  readonly attacks: number;
  readonly last_test: Date;
}
export interface TrendRow {
  readonly date: string;
  readonly model_name: string;
  readonly detection_rate: number;
  readonly false_positive_rate: number | null;
  readonly tests: number;
  readonly attacks: number;
}
export interface VersionRow {
  readonly model_version: string;
  readonly by_category: Record<string, { attacks: number; detected: number }>;
}
export interface PerformanceRow {
  readonly id: number;
  readonly model_name: string;
  readonly model_version: string;
  readonly figures: Record<string, number | string>;
  readonly stored_at: Date;
}

/** In every average: labelled, with at least one attack. */
const counts = "labelled and total_attacks > 0";
const rate = "sum(detection_rate * total_attacks) / sum(total_attacks)";
const falseRate = `sum(false_positive_rate * greatest(total_benign, 1)) filter (where false_positive_rate is not null and labelled)
  / nullif(sum(greatest(total_benign, 1)) filter (where false_positive_rate is not null and labelled), 0)`;
/** `$1`: the oldest moment, or null for all time. */
const since = "($1::timestamptz is null or created_at >= $1)";

export type TestToStore = StoredTest & { readonly requested_model: string; readonly created_at: string };

export function createStore(db: Database) {
  return {
    /** Stored once: the same id again changes nothing and answers when it was stored first. */
    async storeTest(test: TestToStore, now: Date): Promise<{ stored_at: Date; isNew: boolean }> {
      const stored = await db.one<{ stored_at: Date }>(
        `insert into red_team_results (test_id, model_name, model_version, requested_model, model_type, trigger, labelled,
           total_attacks, vulnerabilities_found, detection_rate, false_positive_rate, total_benign, errored,
           attack_categories, by_category, attack_results, created_at, stored_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         on conflict (test_id) do nothing returning stored_at`,
        [
          ...[test.test_id, test.model_name, test.model_version ?? null, test.requested_model, test.model_type ?? null],
          ...[test.trigger, test.labelled, test.total_attacks, test.vulnerabilities_found, test.detection_rate],
          ...[test.false_positive_rate, test.total_benign, test.errored, toJson(test.attack_categories)],
          ...[toJson(test.by_category), toJson(test.attack_results), test.created_at, now],
        ],
      );
      if (stored) return { stored_at: stored.stored_at, isNew: true };
      const sql = "select stored_at from red_team_results where test_id = $1";
      const before = await db.one<{ stored_at: Date }>(sql, [test.test_id]);
      return { stored_at: before?.stored_at ?? now, isNew: false };
    },

    totals: (from: Date | null) =>
      db.one<{ total_tests: number; detection_rate: number | null; false_positive_rate: number | null }>(
        `select count(*) as total_tests, sum(detection_rate * total_attacks) filter (where ${counts})
           / nullif(sum(total_attacks) filter (where ${counts}), 0) as detection_rate,
           ${falseRate} as false_positive_rate
         from red_team_results where ${since}`,
        [from],
      ),

    models: (from: Date | null): Promise<ModelRow[]> =>
      db.query(
        `select model_name, ${rate} as detection_rate, ${falseRate} as false_positive_rate, count(*) as tests,
           sum(total_attacks) as attacks, max(created_at) as last_test,
           (array_agg(model_version order by created_at desc, test_id desc))[1] as model_version
         from red_team_results where ${counts} and ${since}
         group by model_name order by last_test desc, model_name`,
        [from],
      ),

    newest: (from: Date | null, limit: number): Promise<SummaryRow[]> =>
      db.query(
        `select test_id, model_name, model_version, trigger, labelled, detection_rate, false_positive_rate,
           total_attacks, vulnerabilities_found, errored, by_category, created_at
         from red_team_results where ${since} order by created_at desc, test_id desc limit $2`,
        [from, limit],
      ),

    trends: (from: Date | null): Promise<TrendRow[]> =>
      db.query(
        `select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD') as date, model_name, ${rate} as detection_rate,
           ${falseRate} as false_positive_rate, count(*) as tests, sum(total_attacks) as attacks
         from red_team_results where ${counts} and ${since}
         group by 1, 2 order by 1, 2`,
        [from],
      ),

    /** Versions of a model with labelled attacks, the one tested last first, their categories summed over its tests. */
    versions: (model: string): Promise<VersionRow[]> =>
      db.query(
        `with parts as (
           select model_version, created_at, key, (value ->> 'attacks')::int as attacks, (value ->> 'detected')::int as detected
           from red_team_results, jsonb_each(by_category)
           where ${counts} and model_name = $1 and model_version is not null and labelled),
         sums as (
           select model_version, key, sum(attacks) as attacks, sum(detected) as detected, max(created_at) as newest
           from parts group by 1, 2)
         select model_version, jsonb_object_agg(key, jsonb_build_object('attacks', attacks, 'detected', detected)) as by_category
         from sums group by 1 order by max(newest) desc limit 20`,
        [model],
      ),

    storePerformance: (model: string, version: string, figures: object, now: Date) =>
      db.query(
        "insert into model_performance (model_name, model_version, figures, stored_at) values ($1, $2, $3, $4)",
        [model, version, figures, now],
      ),

    /** One more than asked for tells that there is a next page. */
    performance: (model: string, before: number | null, limit: number): Promise<PerformanceRow[]> =>
      db.query(
        `select id, model_name, model_version, figures, stored_at from model_performance
         where model_name = $1 and ($2::bigint is null or id < $2) order by id desc limit $3`,
        [model, before, limit + 1],
      ),
  };
}
export type Store = ReturnType<typeof createStore>;
