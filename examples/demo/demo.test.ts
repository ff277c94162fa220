import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../test/eventually.ts'

const root = join(__dirname, '..', '..')

/** Runs the demo and collects what it prints. */
function demo(...args: string[]) {
  const flags = ['--conditions=@trigger-hub/source', '--require', 'tsx/cjs']
  const child = spawn(process.execPath, [...flags, join(__dirname, 'main.ts'), ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (more: Buffer) => (text += more.toString()))
  }
  const code = once(child, 'close').then(([code]) => code as number)
  const says = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => void (text.includes(wanted) && resolve())
      child.stdout.on('data', look)
      void code.then(() => resolve())
      look()
    })
  return { child, printed: () => text, says, code }
}

/** The number after a word of the ledger, and the row of a bot. */
const entry = (printed: string, name: string): number =>
  Number(new RegExp(`^  ${name} +(\\d+)`, 'm').exec(printed)?.[1])
const row = (printed: string, bot: string): string[] | undefined =>
  new RegExp(`^  ${bot}((?: +\\d+){6})$`, 'm').exec(printed)?.[1]?.trim().split(/ +/)

const pids = (printed: string): number[] =>
  [...printed.matchAll(/process (\d+)/g)].map(([, pid]) => Number(pid))
const isAlive = (pid: number): boolean => spawnSync('kill', ['-0', String(pid)]).status === 0

const wholeStory = 240_000

// side by side, because each spends most of its time waiting
const plain = demo()
const kept = demo('--keep')
afterAll(() => [plain, kept].map(({ child }) => child.kill()))

test(
  'loses nothing while both processes are killed, and says so with exit code 0',
  async () => {
    const code = await plain.code
    const text = plain.printed()
    expect([code, text]).toEqual([0, expect.stringContaining('The ledger balances.')])
    expect(entry(text, 'lost')).toBe(0)
    expect(entry(text, 'rejected')).toBe(3)
    expect(entry(text, 'accepted') + entry(text, 'duplicate')).toBe(335 + 100)
    expect(Number(/answered, of (\d+)/.exec(text)?.[1])).toBeGreaterThan(entry(text, 'received'))
    expect(row(text, 'archive')?.slice(0, 2)).toEqual(['335', '335'])
    expect(row(text, 'search')?.slice(0, 2)).toEqual(['332', '332'])
    expect(row(text, 'invoice')).toEqual(['1', '1', '2', '0', '0', '0'])
    expect(row(text, 'shipping')).toEqual(['1', '1', '3', '1', '1', '0'])
    expect(entry(text, 'extra')).toBeGreaterThan(0)
    expect(pids(text).filter(isAlive)).toEqual([])
  },
  wholeStory,
)

test(
  'stays with --keep, takes the request that it prints, revives a worker, and leaves nothing behind after Ctrl-C',
  async () => {
    const { child, printed, says, code } = kept
    await says('hub.db')
    const [, command = ''] = /(curl -i [^]+?)\n\n/.exec(printed()) ?? []
    const curl = (): string => spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout
    // a busy machine may answer 503, and a sender comes again
    await eventually(() => /^HTTP\/1.1 200/.test(curl()))
    await eventually(() => /trigger-hub-duplicate: \?1/i.test(curl()))
    const [, folder = ''] = /tail -f (\S+)\/\*/.exec(printed()) ?? []
    expect(existsSync(join(root, folder, 'hub.db'))).toBe(true)

    process.kill(Number(/kill -9 (\d+)/.exec(printed())?.[1]), 'SIGKILL')
    await says('it was gone; started again')

    child.kill('SIGINT')
    expect(await code).toBe(130)
    expect(pids(printed()).filter(isAlive)).toEqual([])
    expect(existsSync(join(root, folder))).toBe(false)
  },
  wholeStory,
)
