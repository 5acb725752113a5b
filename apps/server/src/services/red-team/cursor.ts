// Where a list goes on: what the last row shown was sorted by, opaque to the caller.
import { AppError } from "@mlsec/contracts";
import * as z from "zod";

/** Of a list of tests: moment and id. */
export const TestPosition = z.tuple([z.iso.datetime(), z.uuid()]);
/** Of a list of findings: weight, moment and id. */
export const FindingPosition = z.tuple([z.number(), z.iso.datetime(), z.uuid()]);

export const writeCursor = (position: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(position)).toString("base64url");

/** INVALID_INPUT when it is none of ours. */
export function readCursor<P>(cursor: string, schema: z.ZodType<P>): P {
  const message = "expected the `next_cursor` of an earlier page";
  const refused = new AppError("INVALID_INPUT", `cursor: ${message}`, { errors: [{ field: "cursor", message }] });
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    throw refused;
  }
  const position = schema.safeParse(value);
  if (!position.success) throw refused;
  return position.data;
}
