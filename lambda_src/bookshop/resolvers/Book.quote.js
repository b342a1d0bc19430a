import { failed, refused } from './errors.js';

export function request(ctx) {
  return { operation: 'BatchInvoke', payload: { cents: ctx.source.cents, country: ctx.args.country } };
}

export function response(ctx) {
  if (ctx.error) {
    failed(ctx.error);
  }
  if (ctx.result.unknown) {
    refused('UnknownCountry', `The shop does not deliver to ${ctx.result.unknown}.`);
  }
  return ctx.result;
}
