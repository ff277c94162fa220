/** Source runs as it is: swc strips the types, and the `@trigger-hub/source` condition points packages at `src`. */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@trigger-hub/source', 'require', 'node', 'default'] },
  roots: ['<rootDir>/packages', '<rootDir>/test', '<rootDir>/examples'],
  testMatch: ['**/*.test.ts'],
  modulePathIgnorePatterns: ['/dist/', '/test/consumers/'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  testTimeout: 30_000, // longer than `eventually` waits
  // Waits end and hooks close what tests open, also when these fail. It stays for what a driver's test may leave behind when its
  // server fails half-way: where one file runs alone, in jest's own process, that would keep a finished run from ending.
  forceExit: true,
}
