// AppSync's own rules for the JavaScript that it runs.
import appsync from '@aws-appsync/eslint-plugin';
import parser from '@typescript-eslint/parser';

export default [
  {
    ...appsync.configs.recommended,
    files: ['**/*.js'],
    languageOptions: { parser, parserOptions: { project: './tsconfig.json' } },
  },
];
