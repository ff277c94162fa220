import { execFile } from 'node:child_process'
import { readdirSync, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** Every entry loads both ways with the same exports, and every source map and type is there. */
export const loadingChecks = (root, packages) =>
  packages.flatMap(({ folder, manifest: { name, exports, dependencies, peerDependencies } }) => [
    ...Object.keys(exports)
      .filter((path) => path !== './package.json')
      .map((path) => join(name, path))
      .map((entry) => ({ name: `${entry}: import and require`, check: () => loads(root, entry) })),
    { name: `${name}: source maps`, check: () => mapsResolve(join(folder, 'dist')) },
    {
      name: `${name}: types of what it declares alone`,
      check: () => typesDeclared(join(folder, 'dist'), { ...dependencies, ...peerDependencies }),
    },
  ])

const program = (entry) => `
  const names = (exports) => Object.keys(exports).filter((name) => !['default', 'module.exports', '__esModule'].includes(name)).sort().join()
  import('${entry}').then((imported) => {
    if (names(imported) === '') throw new Error('It exports nothing.')
    const required = names(require('${entry}'))
    if (names(imported) !== required) throw new Error('import gives ' + names(imported) + '\\nrequire gives ' + required)
  })`

async function loads(root, entry) {
  // without the conditions that this process may have been given
  const env = { ...process.env, NODE_OPTIONS: '' }
  await promisify(execFile)(process.execPath, ['--eval', program(entry)], { cwd: root, env })
}

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))

/** A type that is inferred may be somebody else's: users do not have its package, or get a copy of it. */
async function typesDeclared(dist, declared) {
  const types = filesIn(dist).filter((file) => /\.d\.[cm]ts$/.test(file))
  const foreign = types.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/from "((?:@[^/"]+\/)?[^/"]+)[^"]*"/g)]
      .map(([, name]) => name)
      .filter((name) => !/^(node:|\.)/.test(name) && !(name in declared))
      .map((name) => `${file} imports ${name}`),
  )
  const copied = types.filter((file) => file.slice(dist.length).includes('node_modules'))
  if (foreign.length + copied.length > 0) throw new Error([...foreign, ...copied].join('\n'))
}

/** Each file names a map that exists, and each map names sources that exist. */
async function mapsResolve(dist) {
  const files = filesIn(dist)
  const broken = files.flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    const names = file.endsWith('.map')
      ? JSON.parse(text).sources
      : [...text.matchAll(/^\/\/# sourceMappingURL=(.+)$/gm)].map(([, name]) => name)
    return names
      .filter((name) => !existsSync(join(dirname(file), name)))
      .map((name) => `${file} names ${name}`)
  })
  if (broken.length > 0) throw new Error(`These do not exist:\n${broken.join('\n')}`)
  return `${files.filter((file) => file.endsWith('.map')).length} maps`
}
