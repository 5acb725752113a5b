// Data sets: upload, list, look, archive, and checks without keeping.
import { AppError, type DataSet, type Handlers, type training } from "@mlsec/contracts";
import { locateData } from "../locate.ts";
import { createInspector } from "./quality.ts";
import { checkRow, readRows } from "./rows.ts";
import { groupsOf } from "./groups.ts";
import { formatOf } from "./rows.ts";
import type { DataSetRow } from "./store.ts";
import { inspectObject, upload, type UploadParts } from "./upload.ts";

const toDataSet = ({ principal: _, ...row }: DataSetRow): DataSet => ({
  ...row,
  created_at: row.created_at.toISOString(),
});

export function dataHandlers(parts: UploadParts) {
  const { data, storage, bucket } = parts;
  const find = async (id: string): Promise<DataSetRow> => {
    const row = await data.dataSet(id);
    if (!row) throw new AppError("NOT_FOUND", "no data set has this id; GET /data lists them");
    return row;
  };
  return {
    uploadData: async ({ request, query, context }) =>
      toDataSet(await upload(parts, request, { name: query.name, principal: context.principal.id })),
    async listData({ query }) {
      const rows = await data.dataSets(query.cursor, query.limit + 1);
      const page = rows.slice(0, query.limit);
      return {
        data: page.map(toDataSet),
        next_cursor: rows.length > query.limit ? (page.at(-1)?.file_id ?? null) : null,
      };
    },
    getData: async ({ params }) => toDataSet(await find(params.id)),
    async previewData({ params, query }) {
      const row = await find(params.id);
      const { bucket: where, key } = { bucket, key: row.uri.slice(`s3://${bucket}/`.length) };
      const { stream } = await storage.get(where, key);
      const rows: { text: string; label: string; lang?: string }[] = [];
      for await (const read of readRows(stream, formatOf(key))) {
        if ("row" in read)
          rows.push({ text: read.row.text, label: read.row.label, ...(read.row.lang ? { lang: read.row.lang } : {}) });
        if (rows.length >= query.limit) break;
      }
      return { rows };
    },
    async deleteData({ params }) {
      await find(params.id);
      await data.setState(params.id, "archived");
      return toDataSet(await find(params.id));
    },
    async validateData({ body }) {
      if ((body.uri === undefined) === (body.rows === undefined))
        throw new AppError("INVALID_INPUT", "give either uri or rows");
      if (body.uri !== undefined) {
        const located = await locateData(body.uri, parts);
        return inspectObject(storage, located.bucket, located.key, located.format);
      }
      const inspector = createInspector();
      for (const [i, row] of (body.rows ?? []).entries()) inspector.add({ number: i + 1, ...checkRow(row) });
      return inspector.report(await groupsOf(inspector.texts));
    },
  } satisfies Partial<Handlers<typeof training>>;
}
