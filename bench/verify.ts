import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { github, shopify, slack, standardWebhooks, stripe, svix } from '@trigger-hub/core/sources'
import { RequestHeaders, sign, verify, type Source } from '@trigger-hub/core/verify'
import { Webhook } from 'standardwebhooks'

/**
 * What verifying a signed 2 KB body costs, as a ratio to one `createHmac` with a cached key over the same body, measured
 * in turns in the same run. The best turn of each counts, so that a busy machine does not decide.
 */
const rounds = 150
const turns = 400

const rawBody = Buffer.from(JSON.stringify({ id: 'evt_1', type: 'order.paid', note: 'x'.repeat(2_007) }))
const nowMs = Date.now()
const secret = randomBytes(24).toString('hex')
const whsec = `whsec_${randomBytes(24).toString('base64')}`
const key = createSecretKey(Buffer.from(secret))

/** Header lines as a server behind a proxy sees them. */
const lines = Object.entries({
  Host: 'hooks.example.com',
  'User-Agent': 'Sender/1.0',
  Accept: '*/*',
  'Accept-Encoding': 'gzip',
  'Content-Type': 'application/json',
  'Content-Length': String(rawBody.length),
  Connection: 'keep-alive',
  'X-Forwarded-For': '192.0.2.1',
  'X-Forwarded-Proto': 'https',
  'X-Request-Id': randomBytes(16).toString('hex'),
}).flat()

const verifying = (source: Source): (() => void) => {
  const signed = Object.entries(sign(source, { rawBody, nowMs })).flat()
  const all = [...lines, ...signed]
  return () => {
    const request = { method: 'POST', url: '/hooks', headers: new RequestHeaders(all), rawBody }
    if (!verify(source, request, nowMs).ok) throw new Error('not verified')
  }
}

const standard = standardWebhooks({ secret: whsec })
const peer = new Webhook(whsec)
const peerHeaders = sign(standard, { rawBody, nowMs })
const text = rawBody.toString('utf8')

const runs = new Map<string, () => void>([
  ['one createHmac', () => void createHmac('sha256', key).update(rawBody).digest()],
  ['github', verifying(github({ secret }))],
  ['shopify', verifying(shopify({ secret }))],
  ['slack', verifying(slack({ secret }))],
  ['stripe', verifying(stripe({ secret: `whsec_${secret}` }))],
  ['standard webhooks', verifying(standard)],
  ['svix', verifying(svix({ secret: whsec }))],
  // it takes text and parses it too; the parsing is a tenth of its cost
  ['standardwebhooks (npm)', () => void peer.verify(text, peerHeaders)],
])

const best = new Map<string, number>()
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of runs) {
    const begun = process.hrtime.bigint()
    for (let turn = 0; turn < turns; turn++) run()
    const micros = Number(process.hrtime.bigint() - begun) / turns / 1_000
    best.set(name, Math.min(best.get(name) ?? Infinity, micros))
  }
}

const base = best.get('one createHmac') ?? NaN
console.log(`Verifying a body of ${rawBody.length} bytes, Node.js ${process.versions.node}`)
for (const [name, micros] of best) {
  console.log(
    `${name.padEnd(24)} ${micros.toFixed(2).padStart(7)} µs  ${(micros / base).toFixed(2).padStart(6)} ×`,
  )
}
