import { util } from '@aws-appsync/utils';
import * as ddb from '@aws-appsync/utils/dynamodb';

export function request(ctx) {
  return ddb.get({ key: { name: ctx.args.name } });
}

export function response(ctx) {
  if (ctx.error) {
    util.error('The greeting could not be read.', 'InternalError');
  }
  return ctx.result;
}
