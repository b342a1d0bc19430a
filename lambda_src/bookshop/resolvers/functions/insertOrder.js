import { createPgStatement, sql, toJsonObject } from '@aws-appsync/utils/rds';
import { databaseFailed } from '../orders.js';

/** One statement, and so all of the order or none of it. */
export function request(ctx) {
  const { name, email, lines } = ctx.args.input;
  const priced = lines.map(({ bookId, quantity }) => ({ bookId, quantity, cents: ctx.stash.books[bookId].cents }));
  ctx.stash.lines = priced;
  return createPgStatement(sql`
    WITH buyer AS (
      INSERT INTO customer (email, name) VALUES (${email}, ${name})
      ON CONFLICT (email) DO UPDATE SET name = EXCLUDED.name
      RETURNING id
    ), placed AS (
      INSERT INTO purchase (customer_id) SELECT id FROM buyer RETURNING id, placed_at
    ), lines AS (
      INSERT INTO purchase_line (purchase_id, book_id, quantity, cents)
      SELECT placed.id, line."bookId", line.quantity, line.cents
      FROM placed, jsonb_to_recordset(CAST(${JSON.stringify(priced)} AS jsonb))
        AS line ("bookId" text, quantity integer, cents integer)
    )
    SELECT CAST(id AS text) AS id, to_char(placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "placedAt"
    FROM placed`);
}

export function response(ctx) {
  if (ctx.error) {
    databaseFailed(ctx.error);
  }
  const [[placed]] = toJsonObject(ctx.result);
  const { name, email } = ctx.args.input;
  ctx.stash.order = { ...placed, customer: { name, email }, lines: ctx.stash.lines };
  ctx.stash.detail = { id: placed.id, books: ctx.stash.ids };
  return null;
}
