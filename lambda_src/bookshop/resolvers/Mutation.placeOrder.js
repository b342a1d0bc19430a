import { refused } from './errors.js';
import { withBooks } from './orders.js';

export function request(ctx) {
  const lines = ctx.args.input.lines;
  if (lines.length < 1 || lines.length > 50) {
    refused('InvalidInput', 'An order has 1 to 50 lines.');
  }
  for (const line of lines) {
    if (line.quantity < 1 || line.quantity > 100) {
      refused('InvalidInput', 'A line has 1 to 100 copies.');
    }
  }
  const ids = lines.map((line) => line.bookId);
  if (ids.some((id, index) => ids.indexOf(id) !== index)) {
    refused('InvalidInput', 'An order has each book once.');
  }
  ctx.stash.ids = ids;
  ctx.stash.event = 'OrderPlaced';
  return {};
}

export function response(ctx) {
  return withBooks(ctx);
}
