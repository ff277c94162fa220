import { defineConfig, type UserConfig } from 'tsdown'

/**
 * One output per source file: a bundler drops each sender that is not imported, and a stack trace reads like the source.
 * @param exported  what users import
 * @param started   what the package runs by itself, such as a worker thread; needs no types
 */
const pack = (folder: string, exported: string[], started: string[] = []): UserConfig => ({
  name: folder,
  cwd: `packages/${folder}`,
  entry: [...exported, ...started],
  dts: { cwd: `packages/${folder}`, entry: exported, sourcemap: true }, // an editor goes to the source
  unbundle: true,
  format: ['esm', 'cjs'],
  outExtensions: ({ format }) =>
    format === 'es' ? { js: '.mjs', dts: '.d.mts' } : { js: '.cjs', dts: '.d.cts' },
  target: 'node20.19',
  platform: 'node',
  shims: true, // import.meta.url in CommonJS
  sourcemap: true,
  logLevel: 'warn',
  checks: { legacyCjs: false, pluginTimings: false },
})

/** ESM and CommonJS of every package, with types for each. */
export default defineConfig([
  pack('core', [
    'src/index.ts',
    'src/sources/index.ts',
    'src/verify/index.ts',
    'src/memory/index.ts',
    'src/split/index.ts',
  ]),
  pack('adapters/express', ['src/index.ts']),
  pack('adapters/koa', ['src/index.ts']),
  pack('adapters/nestjs', ['src/index.ts']),
  pack('drivers/embedded', ['src/index.ts'], ['src/thread.ts']),
  pack('drivers/redis', ['src/index.ts']),
  pack('drivers/rabbitmq', ['src/index.ts']),
  pack('drivers/kafka', ['src/index.ts']),
  pack('conformance', ['src/index.ts']),
])
