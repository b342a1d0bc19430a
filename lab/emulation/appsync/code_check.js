// Reads JavaScript as APPSYNC_JS does, and says what of it AppSync does not run: a line of JSON for a line of JSON.
const acorn = require('internal/deps/acorn/acorn/dist/acorn');
const walk = require('internal/deps/acorn/acorn-walk/dist/walk');
const readline = require('readline');

const REFUSED = {
  AwaitExpression: 'await', CatchClause: 'catch', ClassDeclaration: 'class', ClassExpression: 'class',
  ContinueStatement: 'continue', DoWhileStatement: 'do', ForStatement: 'for', LabeledStatement: 'a label',
  NewExpression: 'new', ThisExpression: 'this', ThrowStatement: 'throw', TryStatement: 'try',
  WhileStatement: 'while', YieldExpression: 'yield',
};

function problemsOf(code) {
  const problems = [];
  const found = (node, what) =>
    problems.push({ errorType: 'PARSER_ERROR', value: `${what} is not supported`, location: node.loc.start });
  let program;
  try {
    program = acorn.parse(code, { ecmaVersion: 2022, sourceType: 'module', locations: true });
  } catch (error) {
    return [{ errorType: 'PARSER_ERROR', value: error.message, location: error.loc ?? { line: 1, column: 0 } }];
  }
  walk.full(program, (node) => {
    if (node.type in REFUSED) found(node, REFUSED[node.type]);
    else if (node.async) found(node, 'async');
    else if (node.generator) found(node, 'a generator');
    else if (node.regex) found(node, 'a regular expression');
    else if (node.type === 'BinaryExpression' && ['in', 'instanceof'].includes(node.operator)) found(node, node.operator);
    else if (node.type === 'UpdateExpression') found(node, node.operator);
  });
  return problems;
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(`${JSON.stringify(problemsOf(JSON.parse(line)))}\n`);
});
