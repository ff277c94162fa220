import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as presets from '@trigger-hub/core/sources'
import { sign, type Source } from '@trigger-hub/core/verify'
import { eventually } from '../eventually.ts'
import type { Block } from './blocks.ts'
import { tsconfig, type Module } from './modules.ts'

const secret = `whsec_${Buffer.from('a secret of twenty-four!').toString('base64')}` // of a form that every preset takes

/** `tsx/esm` for the program itself, `tsx/cjs` for threads, which get nothing from the other. */
const preloaded = [require.resolve('tsx/cjs'), require.resolve('tsx/esm'), join(__dirname, 'preload.cjs')]

/** A program of a page, running as its readers would run it. */
export interface Program {
  readonly url: string
  /** All that it has written. */
  readonly output: () => string
  /** Its exit code, once it has ended by itself. */
  readonly ended: () => Promise<number | null>
  readonly stop: () => Promise<void>
}

/** Starts a block in a folder of its own, with all that it reads from its environment, and waits until it listens. */
export async function start({ block, path }: Module, env: Record<string, string> = {}): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'trigger-hub-readme-'))
  const secrets = [...block.code.matchAll(/process\.env\.(\w+)/g)].map(([, name = '']) => [name, secret])
  const child = fork(path, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: ['--conditions=@trigger-hub/source', ...preloaded.flatMap((file) => ['--require', file])],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      TSX_TSCONFIG_PATH: tsconfig,
      ...Object.fromEntries(secrets),
      ...env,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += String(text)))
  const exit = once(child, 'exit').then(([code]) => code as number | null)
  const stop = async (): Promise<void> => {
    await ended(child)
    rmSync(folder, { recursive: true, force: true })
  }
  const port = await Promise.race([
    once(child, 'message').then(([port]) => port as number),
    exit.then(() => undefined),
  ])
  if (port !== undefined)
    return { url: `http://127.0.0.1:${port}`, output: () => output, ended: () => exit, stop }
  await stop()
  throw new Error(`It ended without listening.\n${output}`)
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Where a program receives webhooks, and from whom. */
export interface Endpoint {
  readonly path: string
  readonly source: Source
}

/**
 * The endpoint that a page names for a block: `POST /webhooks/shop` in a comment or in the text that follows, or the
 * option `endpoint`. Undefined for a program that takes no webhooks.
 */
export function endpointOf({ code, prose }: Block): Endpoint | undefined {
  const sources = [...code.matchAll(/(?:(\w+): )?(\w+)\(\{\s*secret: process\.env/g)]
  if (sources.length === 0) return undefined
  const path = (/endpoint: '([^']+)'/.exec(code) ?? /POST (\/[\w/-]+)/.exec(code + prose))?.[1]
  if (path === undefined) throw new Error('Neither the block nor the text after it says "POST /path".')
  const [, , preset = ''] = sources.find(([, name]) => path.endsWith(`/${name}`)) ?? sources[0] ?? []
  const make = (presets as unknown as Record<string, ((options: { secret: string }) => Source) | undefined>)[
    preset
  ]
  if (!make) throw new Error(`There is no preset "${preset}".`)
  return { path, source: make({ secret }) }
}

/** Sends a webhook to a program, signed by its source or forged; again as long as a busy machine answers 503, as senders do. */
export async function send(
  { url }: Program,
  { path, source }: Endpoint,
  kind: 'signed' | 'forged',
): Promise<Response> {
  const rawBody = Buffer.from('{"hello":"world"}')
  const headers = { 'content-type': 'application/json', ...sign(source, { rawBody, nowMs: Date.now() }) }
  const body = kind === 'signed' ? rawBody : Buffer.from('{"hello":"mallory"}')
  const post = (): Promise<Response> => fetch(url + path, { method: 'POST', headers, body })
  return eventually(async () => {
    const answer = await post()
    return answer.status !== 503 && answer
  })
}
