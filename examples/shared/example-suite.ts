import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { eventually } from '../../test/eventually.ts'

const root = join(__dirname, '..', '..')
const node = ['--conditions=@trigger-hub/source', '--require', 'tsx/cjs']
const send = join(__dirname, 'send.ts')

/** What the nine bots put into the outbox for the three events of `send.ts`, by channel; the ids are the hub's. */
const expected = {
  email: { to: 'ada@example.com', subject: 'Welcome, Ada' },
  sms: { to: '+44 20 7946 0000', text: 'Hello Ada, you are in.' },
  slack: { channel: '#sign-ups', text: 'Ada has signed up' },
  stock: { item: 271878346, available: 4 },
  price: { item: 271878346, surcharge: '5 %' },
  analytics: { location: 24826418 },
  shipping: { order: '#1001', pack: ['2 × Difference engine'] },
  billing: { order: '#1001', charge: '199.00 EUR' },
  support: { order: '#1001', open: 'a conversation with ada@example.com' },
}

/**
 * Starts an example in a process of its own, sends it what `send.ts` sends, and reads the outbox.
 * @param app  its file; it takes `PORT` and `DATA` from the environment, puts the outbox into `DATA/outbox`, and prints
 *             its URL, `http://localhost:<port>/webhooks`, once it listens
 */
export function exampleSuite(app: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'trigger-hub-example-'))
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    PORT: '0',
    DATA: folder,
    ACCOUNTS_SECRET: `whsec_${Buffer.from('a secret of twenty-four!').toString('base64')}`,
    SHOPIFY_SECRET: 'a client secret',
  }
  const child = spawn(process.execPath, [...node, app], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')

  afterAll(async () => {
    child.kill('SIGKILL')
    await gone
    rmSync(folder, { recursive: true })
  })

  test('gives each of three events to all three of its bots', async () => {
    const url = await urlOf(child.stdout)
    const sent = spawnSync(process.execPath, [...node, send, url], { cwd: root, env, encoding: 'utf8' })
    expect(sent.stdout.match(/^200 /gm)).toHaveLength(3)
    await eventually(() => messages(folder).length >= 9)
    expect(Object.fromEntries(messages(folder))).toMatchObject(expected)
  })

  test('stops when it is told to', async () => {
    child.kill('SIGTERM')
    expect(await gone).toEqual([0, null])
    expect(messages(folder)).toHaveLength(9)
  })
}

/** Reads on for ever: an app whose output nobody reads any more would die of its next line. */
function urlOf(stdout: Readable): Promise<string> {
  let text = ''
  return new Promise((resolve, reject) => {
    stdout.on('data', (more: Buffer) => {
      text += more.toString()
      const [url] = /http:\S+\/webhooks/.exec(text) ?? []
      if (url !== undefined) resolve(url)
    })
    stdout.once('end', () => reject(new Error(`The example ended without a URL: ${text}`)))
  })
}

/** Every message of the outbox with its channel. */
function messages(folder: string): [channel: string, message: unknown][] {
  const outbox = join(folder, 'outbox')
  return readdirSync(outbox).flatMap((file) =>
    readFileSync(join(outbox, file), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => [file.replace('.jsonl', ''), JSON.parse(line)] as [string, unknown]),
  )
}
