// Where a list of tests goes on: the moment and the id of the last one shown, opaque to the caller.
import { AppError } from "@mlsec/contracts";
import * as z from "zod";

const Position = z.tuple([z.iso.datetime(), z.uuid()]);

/** Null when there is no last row. */
export const pageCursor = (last: { created_at: Date; id: string } | undefined): string | null =>
  last ? Buffer.from(JSON.stringify([last.created_at.toISOString(), last.id])).toString("base64url") : null;

/** INVALID_INPUT when it is none of ours. */
export function readCursor(cursor: string): { createdAt: string; id: string } {
  const message = "expected the `next_cursor` of an earlier page";
  const refused = new AppError("INVALID_INPUT", `cursor: ${message}`, { errors: [{ field: "cursor", message }] });
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    throw refused;
  }
  const position = Position.safeParse(value);
  if (!position.success) throw refused;
  return { createdAt: position.data[0], id: position.data[1] };
}
