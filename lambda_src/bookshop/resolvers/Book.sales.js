import { failed } from './errors.js';

export function request(ctx) {
  return { operation: 'BatchInvoke', payload: ctx.source.id };
}

export function response(ctx) {
  if (ctx.error) {
    failed(ctx.error);
  }
  return ctx.result;
}
