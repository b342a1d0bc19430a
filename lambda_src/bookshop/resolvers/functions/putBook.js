import { util } from '@aws-appsync/utils';
import * as ddb from '@aws-appsync/utils/dynamodb';
import { changed } from '../books.js';
import { conditionFailed, failed, refused } from '../errors.js';

export function request(ctx) {
  const { title, author, genre, cents, cost } = ctx.args.input;
  const item = { title, author, genre, cents, version: 1, changedAt: util.time.nowISO8601() };
  if (cost != null) {
    item.cost = cost;
  }
  return ddb.put({ key: { id: ctx.stash.id }, item, condition: { id: { attributeExists: false } } });
}

export function response(ctx) {
  if (ctx.error && conditionFailed(ctx.error)) {
    refused('AlreadyExists', 'There is a book with this id already.');
  }
  if (ctx.error) {
    failed(ctx.error);
  }
  return changed(ctx);
}
