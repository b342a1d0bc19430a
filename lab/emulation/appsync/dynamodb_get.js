// MiniStack's `get` forgets that a read is to be consistent.
globalThis.__ddb.get = ({ key, consistentRead }) => ({
  operation: 'GetItem',
  key,
  ...(consistentRead ? { consistentRead } : {}),
});
