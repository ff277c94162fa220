import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const require = createRequire(import.meta.url)

/** What two independent readers say about each tarball. */
export const tarballChecks = (packed) =>
  packed.flatMap(({ name, tarball }) => [
    { name: `${name}: publint`, check: () => checkWithPublint(tarball) },
    { name: `${name}: types for ESM and CommonJS (attw)`, check: () => checkTypes(tarball) },
  ])

async function checkWithPublint(tarball) {
  // suggestions are left out: the only one is a "type" field, which says nothing where every file is .mjs or .cjs
  const { messages, pkg } = await publint({
    pack: { tarball: readFileSync(tarball).buffer },
    level: 'warning',
    strict: true,
  })
  if (messages.length > 0) throw new Error(messages.map((message) => formatMessage(message, pkg)).join('\n'))
}

async function checkTypes(tarball) {
  const attw = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist', 'index.js')
  const args = [attw, tarball, '--format', 'ascii', '--no-emoji', '--no-color']
  await promisify(execFile)(process.execPath, args).catch(({ stdout, stderr }) => {
    throw new Error(stdout + stderr)
  })
}
