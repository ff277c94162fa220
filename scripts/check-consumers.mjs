import { execFile } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'

const wanted = '200 issues.opened'
const env = { ...process.env, NODE_OPTIONS: '' } // no condition, no loader: what a user has
const strict = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false']

const olderModules = ['--module', 'commonjs', '--moduleResolution', 'node10', '--esModuleInterop']

const jest = createRequire(import.meta.url).resolve('jest/bin/jest')

const withoutDriver = `
  const { TriggerHub } = require('@trigger-hub/core')
  new TriggerHub().start().catch(({ code, message }) => console.log(code, message))`

/**
 * Four projects below one installation of the tarballs: each receives a signed webhook over HTTP, stores it with the
 * default driver and runs a bot on it. One is tested with jest too.
 */
export function consumerChecks(root, packed, folder) {
  const inside = async (project, args) => {
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      cwd: join(folder, project),
      env,
      timeout: 300_000,
    }).catch(({ message, stdout, stderr }) => {
      throw new Error([message, stdout, stderr].join('\n'))
    })
    return stdout.trim()
  }
  const program = (project, file) => async () => {
    const said = await inside(project, [file])
    if (!said.startsWith(wanted)) throw new Error(`It said "${said}" and not "${wanted}".`)
  }
  const compiled =
    (project, compiler, module = ['--module', 'nodenext']) =>
    async () => {
      const tsc = join(folder, 'node_modules', compiler, 'bin', 'tsc')
      const options = ['--target', 'es2022', '--types', 'node', '--outDir', 'out']
      await inside(project, [tsc, 'main.ts', ...module, ...options, ...strict])
    }
  const typescript = (project) => [
    { name: `test/consumers/${project}: TypeScript 5.9`, check: compiled(project, 'typescript-5.9') },
    { name: `test/consumers/${project}: TypeScript 6.0`, check: compiled(project, 'typescript') },
    { name: `test/consumers/${project}: runs`, check: program(project, 'out/main.js') },
  ]
  return [
    { name: 'test/consumers: npm install', check: () => install(root, packed, folder) },
    { name: 'test/consumers/js-esm: runs', check: program('js-esm', 'main.js') },
    { name: 'test/consumers/js-cjs: runs', check: program('js-cjs', 'main.js') },
    ...typescript('ts-esm'),
    ...typescript('ts-cjs'),
    {
      name: 'test/consumers/ts-cjs: TypeScript 5.9, resolving as it did before "exports"',
      check: compiled('ts-cjs', 'typescript-5.9', olderModules),
    },
    {
      name: 'test/consumers/js-cjs: in jest',
      check: () => inside('js-cjs', [jest, '--config', '{"transform":{}}']),
    },
    {
      name: 'test/consumers: without its default driver the hub says what to install',
      async check() {
        rmSync(join(folder, 'node_modules', '@trigger-hub', 'embedded'), { recursive: true })
        const said = await inside('js-cjs', ['--eval', withoutDriver])
        if (!/^ERR_DRIVER_MISSING .* npm install @trigger-hub\/embedded/.test(said))
          throw new Error(`It said "${said}".`)
      },
    },
  ]
}

/** The tarballs, and from the registry what they and the projects declare; nothing of the workspace is in reach. */
async function install(root, packed, folder) {
  cpSync(join(root, 'test', 'consumers'), folder, { recursive: true })
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  for (const { name, tarball } of packed) {
    if (/core|express|embedded/.test(name)) manifest.dependencies[name] = `file:${tarball}`
  }
  writeFileSync(file, JSON.stringify(manifest))
  await promisify(execFile)('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: folder,
    env,
  })
}
