import { util } from '@aws-appsync/utils';
import { checkBook } from './books.js';

export function request(ctx) {
  const input = ctx.args.input;
  checkBook(input);
  ctx.stash.id = input.id ?? util.autoId();
  ctx.stash.event = 'BookCreated';
  return {};
}

export function response(ctx) {
  return ctx.prev.result;
}
