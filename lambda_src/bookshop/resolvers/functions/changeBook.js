import { util } from '@aws-appsync/utils';
import * as ddb from '@aws-appsync/utils/dynamodb';
import { changed } from '../books.js';
import { failedVersioned } from '../versions.js';

export function request(ctx) {
  const input = ctx.args.input;
  const update = {
    version: ddb.operations.replace(input.expectedVersion + 1),
    changedAt: ddb.operations.replace(util.time.nowISO8601()),
  };
  for (const name of ['title', 'author', 'genre', 'cents', 'cost']) {
    if (input[name] != null) {
      update[name] = ddb.operations.replace(input[name]);
    }
  }
  return ddb.update({ key: { id: input.id }, update, condition: { version: { eq: input.expectedVersion } } });
}

export function response(ctx) {
  if (ctx.error) {
    failedVersioned(ctx);
  }
  return changed(ctx);
}
