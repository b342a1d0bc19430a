import { createPgStatement, sql, toJsonObject } from '@aws-appsync/utils/rds';
import { databaseFailed } from '../orders.js';

export function request(ctx) {
  return createPgStatement(sql`
    SELECT CAST(purchase.id AS text) AS id, name, email,
      to_char(placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "placedAt",
      CAST((
        SELECT jsonb_agg(jsonb_build_object('bookId', book_id, 'quantity', quantity, 'cents', cents) ORDER BY book_id)
        FROM purchase_line WHERE purchase_id = purchase.id
      ) AS text) AS lines
    FROM purchase JOIN customer ON customer.id = purchase.customer_id
    WHERE purchase.id = CAST(${ctx.args.id} AS uuid)`);
}

export function response(ctx) {
  if (ctx.error) {
    databaseFailed(ctx.error);
  }
  const [[found]] = toJsonObject(ctx.result);
  if (found) {
    const { id, placedAt, name, email } = found;
    ctx.stash.order = { id, placedAt, customer: { name, email }, lines: JSON.parse(found.lines) };
    ctx.stash.ids = ctx.stash.order.lines.map((line) => line.bookId);
  }
  return null;
}
