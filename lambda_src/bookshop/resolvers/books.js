import { refused } from './errors.js';

const LONGEST = 200;
const DEAREST = 100000000;

/** Refuse what no book can be; a field that is not given is not checked. */
export function checkBook(input) {
  for (const name of ['title', 'author', 'genre']) {
    const text = input[name];
    if (text != null && (text.trim() === '' || text.length > LONGEST)) {
      refused('InvalidInput', `${name} must have 1 to ${LONGEST} characters.`);
    }
  }
  for (const name of ['cents', 'cost']) {
    const amount = input[name];
    if (amount != null && (amount < 0 || amount > DEAREST)) {
      refused('InvalidInput', `${name} must be 0 to ${DEAREST}.`);
    }
  }
}

/** Note what a change made of a book: for whoever asked, and for the event. */
export function changed(ctx) {
  const { id, title, genre, version } = ctx.result;
  ctx.stash.detail = { id, title, genre, version };
  return ctx.result;
}
