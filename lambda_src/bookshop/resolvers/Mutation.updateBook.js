import { checkBook } from './books.js';

export function request(ctx) {
  checkBook(ctx.args.input);
  ctx.stash.event = 'BookChanged';
  return {};
}

export function response(ctx) {
  return ctx.prev.result;
}
