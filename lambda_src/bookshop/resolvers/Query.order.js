import { withBooks } from './orders.js';

export function request(ctx) {
  return {};
}

export function response(ctx) {
  return withBooks(ctx);
}
