/** @type {import('jest').Config} */
module.exports = {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  moduleFileExtensions: ['ts', 'js', 'json'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  testEnvironment: 'node',
  // A limit against hanging, not a measurement: machines may be slow and busy.
  testTimeout: 120_000,
  modulePathIgnorePatterns: ['<rootDir>/dist', 'cdk\\.out', '<rootDir>/\\.local/'],
  setupFiles: ['<rootDir>/test/setup.ts'],
};
