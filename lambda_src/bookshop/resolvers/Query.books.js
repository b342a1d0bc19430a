import * as ddb from '@aws-appsync/utils/dynamodb';
import { failed, refused } from './errors.js';

export function request(ctx) {
  const limit = ctx.args.limit ?? 20;
  if (limit < 1 || limit > 100) {
    refused('InvalidInput', 'limit must be 1 to 100.');
  }
  return ddb.query({
    index: 'byGenre',
    query: { genre: { eq: ctx.args.genre } },
    limit,
    nextToken: ctx.args.nextToken,
  });
}

export function response(ctx) {
  if (ctx.error) {
    failed(ctx.error);
  }
  return { items: ctx.result.items, nextToken: ctx.result.nextToken };
}
