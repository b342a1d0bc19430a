import { failed, waking } from './errors.js';

export function request(ctx) {
  return { operation: 'BatchInvoke', payload: ctx.source.id };
}

export function response(ctx) {
  if (ctx.error) {
    failed(ctx.error);
  }
  if (ctx.result.waking) {
    waking();
  }
  return ctx.result;
}
