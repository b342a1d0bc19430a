import * as ddb from '@aws-appsync/utils/dynamodb';
import { failed } from './errors.js';

export function request(ctx) {
  // Who changed a book reads what it is now, and not what it was a moment ago.
  return ddb.get({ key: { id: ctx.args.id }, consistentRead: true });
}

export function response(ctx) {
  if (ctx.error) {
    failed(ctx.error);
  }
  return ctx.result;
}
