// What the module '@aws-appsync/utils/rds' exports, as far as it is emulated.
const { createPgStatement, sql, toJsonObject } = (() => {
  const unwrap = (cell) => {
    if (cell.isNull) return null;
    const [kind, value] = Object.entries(cell)[0];
    return kind === 'arrayValue' ? Object.values(value)[0] : value;
  };
  return {
    sql: (texts, ...values) => ({ texts, values }),
    createPgStatement: (...statements) => {
      if (statements.length > 2) throw new Error('createPgStatement takes 1 or 2 statements');
      const variableMap = {};
      const write = ({ texts, values }) =>
        texts.reduce((written, text, index) => {
          const name = `:P${Object.keys(variableMap).length}`;
          variableMap[name] = values[index - 1];
          return `${written}${name}${text}`;
        });
      return { statements: statements.map(write), variableMap };
    },
    toJsonObject: (result) =>
      JSON.parse(result).sqlStatementResults.map(({ records, columnMetadata }) =>
        records.map((record) =>
          Object.fromEntries(record.map((cell, index) => [columnMetadata[index].label || columnMetadata[index].name, unwrap(cell)])))),
  };
})();
