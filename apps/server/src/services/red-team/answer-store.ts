// Answers of ended tests as comparisons, matrices and risk scores need them: counted, without texts.
import type { Severity } from "@mlsec/contracts";
import type { Database } from "../../platform/db/database.ts";

/** What a test says about one attack; asked more than once, one wrong answer makes it wrong. */
export interface Answer {
  readonly attack_key: string;
  readonly isWrong: boolean;
  readonly benign: boolean;
  readonly category: string;
  readonly pattern: string | null;
  readonly mutator: string | null;
  readonly severity: Severity | null;
  readonly finding_id: string | null;
}
export interface MatrixCount {
  readonly pattern: string;
  readonly mutator: string;
  readonly benign: boolean;
  readonly status: string;
  readonly count: number;
}
export interface RiskCount {
  readonly model_name: string;
  readonly model_version: string;
  readonly category: string;
  readonly benign: boolean;
  readonly mutated: boolean;
  readonly severity: Severity;
  readonly isWrong: boolean;
  /** A risk that somebody accepted or suppressed. */
  readonly accepted: boolean;
  readonly count: number;
}
/** So many of the last tests of a version make its risk. */
const mostTests = 20;

const versionTests = `version_tests as (
  select * from (
    select id, model_name, model_version, created_at,
      row_number() over (partition by model_name, model_version order by created_at desc, id desc) as place,
      first_value(model_version) over (partition by model_name order by created_at desc, id desc) as latest
    from red_team_tests test
    where status = 'completed' and ($1::text is null or model_name = $1) and exists (
      select 1 from red_team_attempts where test_id = test.id and attack_key is not null and category is not null)
  ) as test where model_version = latest and place <= ${mostTests})`;

export function createAnswerStore(db: Database) {
  return {
    answers: (testId: string, model: string): Promise<Answer[]> =>
      db.query<Answer>(
        `select attempt.*, finding.id as finding_id from (
           select attack_key, benign, pattern, mutator, min(category) as category, min(severity) as severity,
             bool_or(status in ('missed', 'false_alarm')) as "isWrong"
           from red_team_attempts
           where test_id = $1 and attack_key is not null and status in ('missed', 'false_alarm', 'detected', 'passed')
           group by attack_key, benign, pattern, mutator) as attempt
         left join red_team_findings as finding on finding.model_name = $2 and finding.attack_key = attempt.attack_key
         order by attempt.attack_key`,
        [testId, model],
      ),

    matrix: (testId: string): Promise<MatrixCount[]> =>
      db.query<MatrixCount>(
        `select coalesce(pattern, 'given') as pattern, coalesce(mutator, 'none') as mutator, benign, status,
           count(*) as count
         from red_team_attempts where test_id = $1 and status <> 'pending' and category is not null
         group by 1, 2, 3, 4 order by 1, 2`,
        [testId],
      ),

    /** Of each model's version tested last: every attack once, by its latest answer. False positives are left out. */
    risk: (model: string | undefined): Promise<RiskCount[]> =>
      db.query<RiskCount>(
        `with ${versionTests}, answers as (
           select distinct on (test.model_name, attempt.attack_key) test.model_name, test.model_version, category,
             benign, mutator is not null as mutated, severity, attack_key,
             status in ('missed', 'false_alarm') as "isWrong"
           from version_tests as test join red_team_attempts as attempt on attempt.test_id = test.id
           where attack_key is not null and status in ('missed', 'false_alarm', 'detected', 'passed')
           order by test.model_name, attempt.attack_key, test.created_at desc, test.id desc, attempt.ordinal)
         select answer.model_name, answer.model_version, answer.category, benign, mutated, answer.severity, "isWrong",
           coalesce(finding.state = 'accepted_risk' or finding.suppressed_until is not null, false) as accepted,
           count(*) as count
         from answers as answer left join red_team_findings as finding
           on finding.model_name = answer.model_name and finding.attack_key = answer.attack_key
         where not ("isWrong" and coalesce(finding.state = 'false_positive', false))
         group by 1, 2, 3, 4, 5, 6, 7, 8 order by 1, 3, 5`,
        [model ?? null],
      ),

    testsCounted: (model: string | undefined): Promise<{ model_name: string; tests: number }[]> =>
      db.query(`with ${versionTests} select model_name, count(*) as tests from version_tests group by 1`, [
        model ?? null,
      ]),

    openFindings: (model: string | undefined): Promise<{ model_name: string; severity: Severity; count: number }[]> =>
      db.query(
        `select model_name, severity, count(*) as count from red_team_findings
         where state in ('open', 'confirmed') and suppressed_until is null and ($1::text is null or model_name = $1)
         group by 1, 2`,
        [model ?? null],
      ),
  };
}
export type AnswerStore = ReturnType<typeof createAnswerStore>;
