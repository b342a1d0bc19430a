export function request(ctx) {
  ctx.stash.event = 'BookDeleted';
  return {};
}

export function response(ctx) {
  return ctx.prev.result;
}
