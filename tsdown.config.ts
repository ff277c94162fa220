import { defineConfig, type UserConfig } from 'tsdown'

const pack = (folder: string, entry: string[]): UserConfig => ({
  name: folder,
  cwd: `packages/${folder}`,
  entry,
  format: ['esm', 'cjs'],
  target: 'node20.19',
  platform: 'node',
  dts: true,
  sourcemap: true,
  shims: true, // import.meta.url in CommonJS
  outExtensions: ({ format }) =>
    format === 'es' ? { js: '.mjs', dts: '.d.mts' } : { js: '.cjs', dts: '.d.cts' },
})

/** ESM and CommonJS of every package, with types for each. */
export default defineConfig([
  pack('core', ['src/index.ts', 'src/sources/index.ts', 'src/verify/index.ts', 'src/memory/index.ts']),
  pack('adapters/express', ['src/index.ts']),
  pack('adapters/koa', ['src/index.ts']),
  pack('drivers/embedded', ['src/index.ts', 'src/thread.ts']),
  pack('conformance', ['src/index.ts']),
])
