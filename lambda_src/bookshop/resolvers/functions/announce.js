import { util } from '@aws-appsync/utils';

export function request(ctx) {
  const { id, title, genre, version } = ctx.stash.book;
  return {
    operation: 'PutEvents',
    events: [{ source: 'bookshop', detailType: ctx.stash.event, detail: { id, title, genre, version } }],
  };
}

export function response(ctx) {
  // The book is written: to fail now would make the client write it again.
  if (ctx.error || ctx.result.FailedEntryCount > 0) {
    util.appendError('The change was made, and not announced to other systems.', 'NotAnnounced');
  }
  return ctx.stash.book;
}
