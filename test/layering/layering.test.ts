import { cycleIn, packageOf, packages, undocumented, type Package, type SourceFile } from './source.ts'

/** What a file of each layer of core may import beside its own layer: what is below, and never a sibling. */
const below: Record<string, readonly string[]> = {
  words: [],
  pure: ['words'],
  verify: ['words'],
  sources: ['words', 'verify'],
  ports: ['words', 'pure'],
  memory: ['words', 'pure', 'ports'],
  split: ['words', 'pure', 'ports'],
  stages: ['words', 'pure', 'verify', 'sources', 'ports'],
  http: ['words', 'pure', 'verify', 'sources', 'ports', 'stages'],
  hub: ['words', 'pure', 'verify', 'sources', 'ports', 'stages', 'http'],
}

const named = (name: string): Package => packages.find((one) => one.name === `@trigger-hub/${name}`)!
const inside = (folder: string): Package[] => packages.filter((one) => one.folder.startsWith(folder))
const layerOf = (path: string): string | undefined => /^packages\/core\/src\/([^/]+)\//.exec(path)?.[1]
const importsOf = ({ files }: Package): string[] => [
  ...new Set(files.flatMap(({ imports }) => imports.map(packageOf).filter((name) => name !== undefined))),
]
const linesOf = ({ text }: SourceFile): number => text.trimEnd().split('\n').length

describe('core', () => {
  const { files } = named('core')

  it('has the layers that are written down here, and no others', () => {
    const layers = new Set(files.map(({ path }) => layerOf(path)).filter(Boolean))
    expect([...layers].sort()).toEqual(Object.keys(below).sort())
  })

  it.each(Object.entries(below))('%s imports only from what is below it', (layer, allowed) => {
    const wrong = files
      .filter(({ path }) => layerOf(path) === layer)
      .flatMap(({ path, imports }) =>
        imports
          .filter((target) => target.startsWith('packages/'))
          .filter((target) => ![layer, ...allowed].includes(layerOf(target) ?? 'src'))
          .map((target) => `${path} imports ${target}`),
      )
    expect(wrong).toEqual([])
  })

  it('knows no framework and no server', () => {
    expect(importsOf(named('core')).sort()).toEqual(['@standard-schema/spec', 'raw-body'])
  })

  it('verifies without any package at all', () => {
    const verifying = files.filter(({ path }) => ['words', 'verify', 'sources'].includes(layerOf(path) ?? ''))
    expect(verifying.flatMap(({ imports }) => imports.map(packageOf).filter(Boolean))).toEqual([])
  })
})

it.each([
  ['adapters/express', ['@trigger-hub/core', 'express']],
  ['adapters/koa', ['@trigger-hub/core', 'koa']],
  ['adapters/nestjs', ['@trigger-hub/core', '@nestjs/common', '@nestjs/core', 'rxjs']],
])('%s imports nothing but core and its framework', (folder, allowed) => {
  const [adapter] = inside(`packages/${folder}`)
  expect(importsOf(adapter!).filter((name) => !allowed.includes(name))).toEqual([])
})

it('every adapter is named above', () => {
  expect(inside('packages/adapters').map(({ name }) => name.split('/')[1])).toEqual([
    'express',
    'koa',
    'nestjs',
  ])
})

it.each(inside('packages/drivers').map((driver) => [driver.name, driver] as const))(
  '%s imports nothing but core and a client',
  (_name, driver) => {
    const { dependencies, peerDependencies, optionalDependencies } = driver.manifest
    const clients = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })
    expect(importsOf(driver).filter((name) => !clients.includes(name))).toEqual([])
    expect(clients.filter((name) => name.startsWith('@trigger-hub/'))).toEqual(['@trigger-hub/core'])
  },
)

it('conformance imports nothing but core', () => {
  expect(importsOf(named('conformance'))).toEqual(['@trigger-hub/core'])
})

describe.each(packages.map((one) => [one.name, one] as const))('%s', (_name, one) => {
  const { dependencies, peerDependencies, optionalDependencies } = one.manifest
  const declared = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })

  it('declares what it imports', () => {
    expect(importsOf(one).filter((name) => !declared.includes(name))).toEqual([])
  })

  it('uses what it declares', () => {
    // some are loaded by name, when they are needed
    const isNamed = (name: string): boolean => one.files.some(({ text }) => text.includes(`'${name}'`))
    expect(declared.filter((name) => !importsOf(one).includes(name) && !isNamed(name))).toEqual([])
  })

  it('imports in no circle', () => {
    expect(cycleIn(one.files)).toBeUndefined()
  })

  it('imports no file from outside its source', () => {
    const outside = one.files.flatMap(({ path, imports }) =>
      imports
        .filter((target) => target.startsWith('packages/') && !target.startsWith(`${one.folder}/src/`))
        .map((target) => `${path} imports ${target}`),
    )
    expect(outside).toEqual([])
  })

  it('has no file of more than 300 lines', () => {
    expect(one.files.filter((file) => linesOf(file) > 300).map(({ path }) => path)).toEqual([])
  })

  it('has a docstring on everything that users can import', () => {
    expect(undocumented(one)).toEqual([])
  })
})

it.each(['express', 'koa'])('the %s adapter stays under 150 lines', (name) => {
  // what Koa needs to hold a reply is not translation, and has a file of its own
  const files = named(name).files.filter(({ path }) => !path.endsWith('/reply.ts'))
  expect(files.reduce((sum, file) => sum + linesOf(file), 0)).toBeLessThan(150)
})
