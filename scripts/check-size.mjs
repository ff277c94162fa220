import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const require = createRequire(import.meta.url)
const budgetBytes = 10 * 1024

/** What a receiver needs; `explain` is for tools and mostly text. */
const engines =
  '{ verify, sign, describe, eventType, handshake, hashSource, asymmetricSource, tokenSource, jwtSource }'

/** What verifying alone costs somebody who bundles, minified and gzipped. */
export async function sizeChecks(root) {
  const sources = Object.keys(require('@trigger-hub/core/sources'))
  return [
    {
      name: '@trigger-hub/core/verify: every engine and one source',
      check: async () => within(await bundled(root, engines, 'stripe')),
    },
    {
      name: '@trigger-hub/core/verify: verify and any one source',
      check: async () => {
        const bundles = await Promise.all(sources.map((source) => bundled(root, '{ verify }', source)))
        bundles.forEach(within)
        const [largest] = bundles.sort((one, other) => other.bytes - one.bytes)
        return `${sources.length} sources, the largest is ${within(largest)}`
      },
    },
  ]
}

async function bundled(root, engines, source) {
  const contents = `
    export ${engines} from '@trigger-hub/core/verify'
    export { ${source} } from '@trigger-hub/core/sources'`
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    write: false,
    metafile: true,
  })
  const [{ inputs }] = Object.values(metafile.outputs)
  const parts = Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0)
  return { source, parts, bytes: gzipSync(outputFiles[0].contents).length }
}

function within({ source, parts, bytes }) {
  const foreign = parts.filter((file) => !/core\/dist\/(words|verify|sources)\/|^<stdin>$/.test(file))
  if (foreign.length > 0) throw new Error(`With "${source}" come ${foreign.join(', ')}.`)
  if (bytes > budgetBytes) throw new Error(`With "${source}" it is ${bytes} bytes, more than ${budgetBytes}.`)
  return `${source}, ${(bytes / 1024).toFixed(1)} kB`
}
