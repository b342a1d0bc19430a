import { conditionFailed, failed, refused } from './errors.js';

/** End a write that was for one version of a book: it is gone, it has changed, or something else failed. */
export function failedVersioned(ctx) {
  if (!conditionFailed(ctx.error)) {
    failed(ctx.error);
  }
  // With a failed condition AppSync gives the item that is there.
  if (!ctx.result) {
    refused('NotFound', 'There is no book with this id.');
  }
  refused('Conflict', `The book is at version ${ctx.result.version}: read it again, then change that.`);
}
