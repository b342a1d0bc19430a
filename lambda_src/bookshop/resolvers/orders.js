import { failed, refused, waking } from './errors.js';

/** The order of the stash, or null, with the book of each line, or null where the shop has it no more. */
export function withBooks(ctx) {
  const { order, books } = ctx.stash;
  if (!order) {
    return null;
  }
  return { ...order, lines: order.lines.map((line) => ({ ...line, book: (books ?? {})[line.bookId] })) };
}

/** End with what the database refused: a row that no constraint allows, a value that is none. Its own words stay here. */
export function databaseFailed(error) {
  if (error.message.includes('SQLState: 23') || error.message.includes('SQLState: 22')) {
    refused('InvalidInput', 'This is no order, and no id of one.');
  }
  if (error.message.includes('resuming') || error.message.includes('Resuming')) {
    waking();
  }
  failed(error);
}
