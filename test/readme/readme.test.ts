import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { found, install } from '../../scripts/services/debian.ts'
import { packages, root } from '../layering/source.ts'
import { eventually } from '../eventually.ts'
import { needs } from '../servers/needs.ts'
import { blocksOf, pages, proseOf, textOf } from './blocks.ts'
import { modulesOf, typeErrors, writeModules } from './modules.ts'
import { endpointOf, send, start } from './program.ts'

const readmes = pages.filter((page) => /^(README|CONTRIBUTING|packages\/.*\/README)\.md$/.test(page))
const modules = readmes.flatMap((page) => modulesOf(blocksOf(page)))
beforeAll(() => writeModules(modules))

it('every package has a README', () => {
  expect(readmes).toEqual(expect.arrayContaining(packages.map(({ folder }) => `${folder}/README.md`)))
})

it('the code of every README fits the packages that it uses', () => {
  expect(typeErrors(modules)).toEqual([])
}, 60_000)

/** The servers that programs may want, by the variable that says where they are. */
const servers = { REDIS_URL: 'redis', AMQP_URL: 'rabbitmq', KAFKA_BROKERS: 'kafka' } as const

describe.each(
  modules
    .filter(({ block }) => block.code.includes('listen('))
    .map((module) => [`${module.block.page}:${module.block.line}`, module] as const),
)('the program of %s', (_name, module) => {
  const endpoint = endpointOf(module.block)
  const ends = module.block.code.trimEnd().endsWith('hub.close()')

  const runs = (env: Record<string, string>): void =>
    it(
      endpoint ? 'takes a signed webhook and refuses a forged one' : ends ? 'runs to its end' : 'listens',
      async () => {
        const program = await start(module, env)
        try {
          if (ends && (await program.ended()) !== 0) throw new Error(program.output())
          if (!endpoint) return
          const statuses = [
            (await send(program, endpoint, 'signed')).status,
            (await send(program, endpoint, 'forged')).status,
          ]
          if (statuses.join() !== '200,401')
            throw new Error(`It answered ${statuses.join()}.\n${program.output()}`)
        } finally {
          await program.stop()
        }
      },
      120_000,
    )

  const wanted = Object.entries(servers).filter(([variable]) => module.block.code.includes(variable))
  const runsWith = ([first, ...more]: typeof wanted, env: Record<string, string> = {}): void => {
    if (!first) return runs(env)
    needs(first[1], (url) => runsWith(more, { ...env, [first[0]]: url }))
  }
  runsWith(wanted)
})

test('what the README sends by hand is taken by its program', async () => {
  for (const tool of ['curl', 'openssl']) if (!found(tool)) install(tool)
  const page = blocksOf('README.md')
  const { code } = page.find(({ code }) => code.includes('curl'))!
  const [, secret] = /^GITHUB_SECRET=(.+)$/m.exec(code)!
  const program = await start(
    modules.find(({ block }) => block.page === 'README.md')!,
    { GITHUB_SECRET: secret! },
  )
  try {
    const sent = code.replace('localhost:3000', new URL(program.url).host)
    await eventually(() => execFileSync('sh', ['-c', sent], { encoding: 'utf8' }).startsWith('HTTP/1.1 200'))
    await eventually(() => program.output().includes('new issue'))
  } finally {
    await program.stop()
  }
}, 120_000)

describe("a newcomer's whole app, imports and all,", () => {
  const appOf = (page: string): string[] => {
    const { code } = blocksOf(page).find(({ language }) => language === 'ts')!
    return code.split('\n').filter((line) => line.trim() !== '')
  }

  // they are programs, so they have been run above
  it.each([
    ['README.md', 10],
    ['packages/adapters/express/README.md', 12],
    ['packages/adapters/koa/README.md', 10],
    ['packages/adapters/nestjs/README.md', 20],
  ])('has in %s at most %i lines', (page, most) => {
    expect(appOf(page).join('\n')).toContain('listen(')
    expect(appOf(page).length).toBeLessThanOrEqual(most)
  })

  it('has in Nest nothing of ours in its main.ts', () => {
    expect(appOf('packages/adapters/nestjs/README.md').slice(-2)).toEqual([
      'const app = await NestFactory.create(AppModule)',
      'await app.listen(3000)',
    ])
  })
})

describe.each(pages)('%s', (page) => {
  it('names commands and packages that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    const lines = blocksOf(page)
      .filter(({ language }) => language === 'sh')
      .flatMap(({ code }) => code.split('\n'))
    const unknown = lines.flatMap((line) => [
      ...[...line.matchAll(/\bnpm (?:run ([\w:-]+)|(test)\b)/g)]
        .map(([, run, test]) => run ?? test ?? '')
        .filter((script) => !(script in scripts)),
      ...[...line.matchAll(/(?<!--conditions=)@trigger-hub\/[\w-]+/g)]
        .map(([name]) => name)
        .filter((name) => !packages.some((one) => one.name === name)),
    ])
    expect(unknown).toEqual([])
  })

  it('links to files and headings that exist', () => {
    const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    expect(
      links.filter((link) => !/^(https?|mailto):/.test(link)).filter((link) => !reaches(page, link)),
    ).toEqual([])
  })
})

function reaches(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, target))) return false
  if (anchor === undefined) return true
  const file = statSync(join(root, target)).isDirectory() ? join(target, 'README.md') : target
  return anchorsOf(file).includes(anchor)
}

/** The anchors of a page: those that GitHub gives to headings, and those that it sets itself. */
function anchorsOf(page: string): string[] {
  const text = textOf(page)
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .replace(/<[^>]*>/g, '')
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
  return [...headings, ...[...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, anchor = '']) => anchor)]
}
