import * as ddb from '@aws-appsync/utils/dynamodb';
import { failed } from './errors.js';

export function request(ctx) {
  return ddb.get({ key: { id: ctx.args.id } });
}

export function response(ctx) {
  if (ctx.error) {
    failed(ctx.error);
  }
  return ctx.result;
}
