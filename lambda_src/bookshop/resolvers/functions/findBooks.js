import { runtime, util } from '@aws-appsync/utils';
import { busy, failed, refused } from '../errors.js';

// What an order has besides books. A path has a field's alias where it has one: any other may be that of a book.
const WITHOUT_BOOKS = [
  'id',
  'placedAt',
  'customer',
  'customer/name',
  'customer/email',
  'lines',
  'lines/quantity',
  'lines/cents',
];

/** Say whether a path of the selection is certainly not of a book; names with two underscores are GraphQL's own. */
function isWithoutBooks(path) {
  return WITHOUT_BOOKS.includes(path) || path.endsWith('__typename');
}

/** Read the books of all lines at once; they are not read where it is certain that nobody asked for them. */
export function request(ctx) {
  const ids = ctx.stash.ids;
  const placing = ctx.info.parentTypeName === 'Mutation';
  if (!placing && (!ids || ctx.info.selectionSetList.every(isWithoutBooks))) {
    runtime.earlyReturn(null);
  }
  const keys = ids.map((id) => ({ id: util.dynamodb.toDynamoDB(id) }));
  // An order is at the prices of now.
  return { operation: 'BatchGetItem', tables: { [ctx.env.TABLE_NAME]: { keys, consistentRead: true } } };
}

export function response(ctx) {
  if (ctx.error) {
    failed(ctx.error);
  }
  // A key that DynamoDB was too busy to read is no missing book.
  const unread = ctx.result.unprocessedKeys ? ctx.result.unprocessedKeys[ctx.env.TABLE_NAME] : null;
  if (unread && unread.length > 0) {
    busy();
  }
  ctx.stash.books = {};
  for (const book of ctx.result.data[ctx.env.TABLE_NAME]) {
    if (book) {
      ctx.stash.books[book.id] = book;
    }
  }
  if (ctx.info.parentTypeName === 'Mutation') {
    const missing = ctx.stash.ids.filter((id) => !ctx.stash.books[id]);
    if (missing.length > 0) {
      refused('NotFound', `The shop does not have: ${missing.join(', ')}.`);
    }
  }
  return null;
}
