import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase } from "../../testing/system.ts";
import { type Database, toJson } from "./database.ts";

let db: Database;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

test("text that PostgreSQL cannot hold is escaped, in text and in JSON", async () => {
  const hostile = "a\0b\ud800c\udfff😀";
  const row = await db.one("select $1::text as text, $2::jsonb as json, $3::jsonb as list", [
    hostile,
    { [hostile]: hostile },
    toJson([hostile]),
  ]);
  expect(row).toEqual({
    text: "a\\u0000b\\ud800c\\udfff😀",
    json: { "a\\u0000b\\ud800c\\udfff😀": "a\\u0000b\\ud800c\\udfff😀" },
    list: ["a\\u0000b\\ud800c\\udfff😀"],
  });
});

test("counts and decimals are numbers", async () => {
  expect(await db.one("select count(*) as n, 1.5::numeric as d from (values (1), (2)) v")).toEqual({ n: 2, d: 1.5 });
});

test("a transaction that rejects leaves nothing", async () => {
  await db.query("create table kept (id int)");
  await expect(
    db.tx(async (sql) => {
      await sql.query("insert into kept values (1)");
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  expect(await db.query("select * from kept")).toEqual([]);
});
