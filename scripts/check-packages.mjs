/**
 * `npm run check:packages`, after `npm run build`: what a user gets is checked, not what the workspace sees. The
 * packages are packed, looked at from outside, and installed in four small projects that run them.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { consumerChecks } from './check-consumers.mjs'
import { loadingChecks } from './check-loading.mjs'
import { sizeChecks } from './check-size.mjs'
import { tarballChecks } from './check-tarballs.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const json = (file) => JSON.parse(readFileSync(file, 'utf8'))

const packages = json(join(root, 'package.json'))
  .workspaces.map((folder) => join(root, folder))
  .map((folder) => ({ folder, manifest: json(join(folder, 'package.json')) }))
  .filter(({ manifest }) => !manifest.private)

for (const { folder, manifest } of packages) {
  if (built(folder)) continue
  console.error(`The build of ${manifest.name} is missing or older than its source. Run: npm run build`)
  process.exit(2)
}

const scratch = mkdtempSync(join(tmpdir(), 'trigger-hub-packages-'))
try {
  const packed = pack()
  const lanes = [
    [...loadingChecks(root, packages), ...(await sizeChecks(root)), ...tarballChecks(packed)],
    consumerChecks(root, packed, join(scratch, 'consumers')),
  ]
  const results = (await Promise.all(lanes.map(run))).flat()
  const passed = results.filter(Boolean).length
  console.log(`${passed} passed, ${results.length - passed} failed`)
  process.exitCode = passed === results.length ? 0 : 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** True when no source file is newer than the last build. */
function built(folder) {
  const newest = (below) =>
    readdirSync(join(folder, below), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((ms, { parentPath, name }) => Math.max(ms, statSync(join(parentPath, name)).mtimeMs), 0)
  try {
    return newest('dist') >= newest('src')
  } catch {
    return false
  }
}

function pack() {
  const names = packages.flatMap(({ manifest }) => ['--workspace', manifest.name])
  const report = execFileSync('npm', ['pack', '--json', '--pack-destination', scratch, ...names], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return Object.values(JSON.parse(report)).map(({ name, filename }) => ({
    name,
    tarball: join(scratch, filename),
  }))
}

/** Runs one check after the other and prints a line for each. Gives which have passed. */
async function run(checks) {
  const passed = []
  for (const { name, check } of checks) {
    try {
      const note = await check()
      console.log(`ok    ${name}${note ? `: ${note}` : ''}`)
      passed.push(true)
    } catch (error) {
      console.log(`FAIL  ${name}\n${error.message.trim().replace(/^/gm, '      ')}`)
      passed.push(false)
    }
  }
  return passed
}
