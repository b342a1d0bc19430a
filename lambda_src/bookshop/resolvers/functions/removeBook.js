import * as ddb from '@aws-appsync/utils/dynamodb';
import { changed } from '../books.js';
import { failedVersioned } from '../versions.js';

export function request(ctx) {
  return ddb.remove({ key: { id: ctx.args.id }, condition: { version: { eq: ctx.args.expectedVersion } } });
}

export function response(ctx) {
  if (ctx.error) {
    failedVersioned(ctx);
  }
  return changed(ctx);
}
