import { join } from 'node:path'
import { memory } from '@trigger-hub/core/memory'
import type { Source } from '@trigger-hub/core/verify'
import { TriggerHub, webhooks } from '@trigger-hub/express'
import express from 'express'
import { presetOf, optionsOf, vectorFiles, type Vector } from '../vectors/run.ts'
import { listening, recording, servers, type Serving } from './apps.ts'
import { exchange } from './wire.ts'

/** Their signatures do not cover the URL, which is another one here. */
const signingNoUrl = ['generic-hmac', 'github', 'shopify', 'slack', 'standard-webhooks', 'stripe', 'svix']
const files = vectorFiles(join(__dirname, '..', 'vectors')).filter(({ provider }) => presetOf(provider))
const { listen } = servers.find(({ server }) => server === 'Express 5 and createServer(app)')!

describe.each(files)('$provider over HTTP', ({ provider, vectors }) => {
  const preset = presetOf(provider)!
  const sources = Object.fromEntries(
    vectors.flatMap((vector, n) => {
      const source = sourceOf(() => preset(optionsOf(preset, vector)))
      return source ? [[`v${n}`, source]] : []
    }),
  )
  const binding = vectors
    .map((vector, n) => ({ ...vector, n }))
    .filter(({ n, method, latitude }) => sources[`v${n}`] && method === 'POST' && latitude === undefined)
  const forged = binding.filter((vector) => vector.expect === 'invalid')
  const right = signingNoUrl.includes(provider) ? binding.filter((vector) => vector.expect === 'valid') : []

  let now = 0
  const { driver, accepts } = recording(memory())
  const clock = { now: () => now, monotonicMs: () => 0, after: () => () => undefined }
  const hub = new TriggerHub({ driver, allowVolatile: true, sources, clock })
  let serving: Serving
  beforeAll(async () => {
    serving = await listening(listen(express().use('/hooks', webhooks(hub))))
  })
  afterAll(() => serving.close())

  async function send({ n, method, headers, bodyBase64, now: seconds }: Vector & { n: number }) {
    now = seconds * 1_000
    const before = accepts.length
    const body = Buffer.from(bodyBase64, 'base64')
    const { status } = await exchange(serving.port, { method, path: `/hooks/v${n}`, headers, body })
    return { status, stored: accepts.slice(before).map(({ event }) => event.rawBody) }
  }

  if (forged.length > 0) {
    it.each(forged)('refuses and stores nothing: $name', async (vector) => {
      const status = sources[`v${vector.n}`]?.preset.refusalStatus ?? 401
      expect(await send(vector)).toEqual({ status, stored: [] })
    })
  }
  if (right.length > 0) {
    it.each(right)('answers 2xx and stores the bytes: $name', async (vector) => {
      const { status, stored } = await send(vector)
      expect(Math.floor(status / 100)).toBe(2)
      expect(stored).toEqual([Buffer.from(vector.bodyBase64, 'base64')])
    })
  }
})

/** Undefined for a secret that no source takes, which is a set-up error and so receives nothing. */
function sourceOf(make: () => Source): Source | undefined {
  try {
    return make()
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('ERR_')) return undefined
    throw error
  }
}
