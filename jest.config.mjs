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
  // Every wait ends, but not every test closes what it has opened when it fails half-way: a request that a gate holds, an app
  // whose last line is its close(). Where one file runs alone, in jest's own process, that would keep a finished run from ending.
  forceExit: true,
}
