// Calls about findings and what is made of them: triage, replay, comparison, matrix, risk, reports.
import {
  AppError,
  type Code,
  codes,
  type FindingDetail,
  type Handlers,
  redTeam,
  type RequestContext,
} from "@mlsec/contracts";
import type * as z from "zod";
import type { ServiceContext } from "../../platform/service.ts";
import { createAnswerStore } from "./answer-store.ts";
import { planCampaign } from "./campaign.ts";
import { compareTests } from "./compare.ts";
import { FindingPosition, readCursor, writeCursor } from "./cursor.ts";
import { createFindingStore, findingOf, type FindingRow, type FindingStore } from "./finding-store.ts";
import { attackKey } from "./fingerprint.ts";
import { matrixOf } from "./matrix.ts";
import { reportOf } from "./report.ts";
import { risksOf } from "./risk.ts";
import { type Store, summaryOf, type TestRow } from "./store.ts";

type Names = "findings" | "finding" | "triage" | "replay" | "compare" | "matrix" | "risk" | "report";
type Triage = z.output<typeof redTeam.triage.body>;
const longestSuppressionMs = 366 * 86_400_000;
const needsNote = new Set(["false_positive", "accepted_risk"]);

export function findingHandlers(
  context: ServiceContext,
  store: Store,
  found: (id: string) => Promise<TestRow>,
): Pick<Handlers<typeof redTeam>, Names> {
  const findings = createFindingStore(context.db, context.clock);
  const answers = createAnswerStore(context.db);
  const foundFinding = async (id: string): Promise<FindingRow> => {
    const row = await findings.find(id);
    if (!row) throw new AppError("NOT_FOUND", `no finding "${id.slice(0, 100)}"; GET /findings lists them`);
    return row;
  };
  const sideOf = async (id: string) => {
    const test = await found(id);
    if (test.status === "running") throw new AppError("CONFLICT", `test ${test.id} has not ended`);
    const summary = summaryOf(test, await store.figures(test));
    return { test: summary, answers: await answers.answers(test.id, test.model_name) };
  };
  return {
    async findings({ query }) {
      const { limit, cursor, model_name: model, test_id, ...rest } = query;
      const test = test_id === undefined ? undefined : await found(test_id);
      if (test && (model ?? test.model_name) !== test.model_name) return { findings: [], total: 0, next_cursor: null };
      const after = cursor === undefined ? undefined : readCursor(cursor, FindingPosition);
      const { rows, total } = await findings.list({
        ...rest,
        model: test?.model_name ?? model,
        testId: test?.id,
        after,
        limit,
      });
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      const next = last ? writeCursor([last.weight, last.last_seen.toISOString(), last.id]) : null;
      return { findings: page.map(findingOf), total, next_cursor: next };
    },
    async finding({ params, query, context: caller }) {
      const row = await foundFinding(params.id);
      if (query.text !== "1") return detailOf(findings, row);
      allowText(caller, context);
      return { ...(await detailOf(findings, row)), text: await textOf(findings, row) };
    },
    async triage({ params, body, context: { principal } }) {
      const row = await foundFinding(params.id);
      checkTriage(row, body, context.clock());
      const { state, note, suppress } = body;
      if (state !== undefined || note !== undefined)
        await findings.decide(row.id, { by: principal.id, ...(state ? { state } : {}), ...(note ? { note } : {}) });
      if (suppress !== undefined) await findings.suppress(row.id, principal.id, suppress);
      context.live.publish("finding", { finding_id: row.id });
      return detailOf(findings, await foundFinding(row.id));
    },
    async replay({ params, context: { principal, signal } }) {
      const row = await foundFinding(params.id);
      const { threshold, replay } = await sendAgain(context, row, { text: await textOf(findings, row), signal });
      await findings.replayed(row.id, principal.id, replay);
      context.live.publish("finding", { finding_id: row.id });
      return { stands: replay.stands, threshold, replay, finding: findingOf(await foundFinding(row.id)) };
    },
    async compare({ params }) {
      return compareTests(await sideOf(params.id), await sideOf(params.other));
    },
    async matrix({ params }) {
      const test = await found(params.id);
      return { cells: matrixOf(await answers.matrix(test.id)), next_cursor: null };
    },
    risk: async ({ query }) => ({ models: await risksOf(answers, query.model_name), next_cursor: null }),
    async report({ params, query, context: caller }) {
      const [, id = "", format = "json"] = /^([\w-]+?)\.(.+)$/.exec(params.file) ?? [];
      if (query.text === "1") allowText(caller, context);
      const test = await found(id);
      const cells = matrixOf(await answers.matrix(test.id));
      return reportOf({ store, findings, test, cells, withText: query.text === "1" }, format);
    },
  };
}

async function detailOf(findings: FindingStore, row: FindingRow): Promise<FindingDetail> {
  const history = (await findings.history(row.id)).map((event) => ({ ...event, at: event.at.toISOString() }));
  const { last_test_id: test_id, last_ordinal: ordinal, seed, campaign } = row;
  return { ...findingOf(row), history, reproduce: { test_id, ordinal, seed, campaign } };
}

/** Texts are for who may attack, and only where the policy keeps texts at all. */
function allowText({ principal }: RequestContext, { config }: ServiceContext): void {
  if (!principal.scopes.includes("redteam"))
    throw new AppError("FORBIDDEN", "texts of attacks need the scope redteam; leave out text=1");
  if (config.storeText === "none")
    throw new AppError("FORBIDDEN", "MLSEC_STORE_TEXT is none: texts are not handed out; leave out text=1");
}

function checkTriage(row: FindingRow, { state, note, suppress }: Triage, now: Date): void {
  const refused = (field: string, message: string): AppError =>
    new AppError("INVALID_INPUT", `${field}: ${message}`, { errors: [{ field, message }] });
  if (state === undefined && note === undefined && suppress === undefined)
    throw refused("state", "expected a state, a note or a suppression");
  if (state !== undefined && needsNote.has(state) && state !== row.state && note === undefined)
    throw refused("note", `expected a note: ${state} has to be explained`);
  if (!suppress) return;
  const lasts = Date.parse(suppress.until) - now.getTime();
  if (lasts <= 0) throw refused("suppress.until", "expected a moment in the future");
  if (lasts > longestSuppressionMs) throw refused("suppress.until", "expected a moment within a year");
}

/** From the ledger, else drawn again from the campaign. CONFLICT when neither gives the text that the finding is about. */
async function textOf(findings: FindingStore, row: FindingRow): Promise<string> {
  const { campaign, last_ordinal: ordinal } = row;
  const kept = await findings.ledgerText(row);
  const text = kept ?? (campaign === null ? undefined : (await planCampaign({ campaign }))[ordinal]?.text);
  const key =
    text === undefined
      ? undefined
      : attackKey({ text, pattern: row.pattern, mutator: row.mutator, benign: row.kind === "false_alarm" });
  if (text !== undefined && key === row.attack_key) return text;
  throw new AppError(
    "CONFLICT",
    "its text is gone and cannot be drawn again: its pattern or mutator has changed since",
  );
}

async function sendAgain(
  { clients, clock }: ServiceContext,
  row: FindingRow,
  { text, signal }: { text: string; signal: AbortSignal },
) {
  const body = { texts: [text], model_name: row.model_name, purpose: "test" as const };
  const result = (await clients["model-api"].predictBatch({ body, signal })).results[0];
  if (!result) throw new AppError("UPSTREAM", "the model API answered nothing");
  // The caller hears what the model API says, such as that the model is not loaded.
  if ("error" in result)
    throw new AppError(
      Object.hasOwn(codes, result.error.code) ? (result.error.code as Code) : "UPSTREAM",
      result.error.detail,
    );
  const { prediction, confidence, model_version, is_attack, threshold } = result;
  const stands = row.kind === "missed" ? !is_attack : is_attack;
  return { threshold, replay: { at: clock().toISOString(), model_version, stands, prediction, confidence } };
}
