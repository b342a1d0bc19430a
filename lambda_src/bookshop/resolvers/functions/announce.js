import { util } from '@aws-appsync/utils';

export function request(ctx) {
  return {
    operation: 'PutEvents',
    events: [{ source: 'bookshop', detailType: ctx.stash.event, detail: ctx.stash.detail }],
  };
}

export function response(ctx) {
  // The change is made: to fail now would have the client make it again.
  if (ctx.error || ctx.result.FailedEntryCount > 0) {
    util.appendError('The change was made, and not announced to other systems.', 'NotAnnounced');
  }
  return ctx.prev.result;
}
