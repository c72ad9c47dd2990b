import awscdk from 'eslint-plugin-awscdk';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      '**/node_modules',
      '**/dist',
      '**/*.bundle',
      '**/cdk.out',
      '**/.local',
      '**/.venv',
      'lib/**/*.js',
      '**/*.d.ts',
      'bin/**/*.js',
    ],
  },
  ...tseslint.configs.recommended,
  {
    files: ['lib/**/*.ts'],
    ignores: ['lib/**/handler/**'],
    extends: [awscdk.configs.recommended],
  },
  {
    files: ['lib/**/handler/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: ':not(CallExpression[callee.name="untilAllowed"]) > NewExpression[callee.name=/.Client$/]',
          message: 'Make clients of AWS with untilAllowed(): IAM is eventually consistent.',
        },
      ],
    },
  },
  { files: ['jest.config.js'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
