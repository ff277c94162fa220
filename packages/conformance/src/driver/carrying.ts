import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { EventRecord } from '@trigger-hub/core'
import type { Cases } from '../runner.ts'
import { anEvent, deadLetter, type DriverTrial } from './trial.ts'

const bodies: Readonly<Record<string, Buffer>> = {
  'an empty body': Buffer.alloc(0),
  'a body that is not UTF-8': Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x0a]),
  'a byte order mark': Buffer.from('\ufeff{"a":1}'),
  'line ends, zero bytes and dollar signs': Buffer.from("a\r\nb\n\r\0\0$$ $& $' \\0"),
  'every byte that there is': Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  'a megabyte of random bytes': randomBytes(1_048_576),
}

/** What must come out as it went in. Bodies as digests, so that a difference is readable. */
const seen = ({
  id,
  source,
  type,
  rawType,
  time,
  key,
  contentType,
  headers,
  rawBody,
  marks,
}: EventRecord) => ({
  ...{ id, source, type, rawType, time, key, contentType },
  headers: { ...headers },
  marks: [...(marks ?? [])],
  isBuffer: Buffer.isBuffer(rawBody),
  body: `${rawBody.length} bytes, ${createHash('sha256').update(rawBody).digest('hex')}`,
})

async function carries(trial: DriverTrial, event: EventRecord): Promise<void> {
  await trial.declare('mail')
  await trial.accept(event)
  const mail = await trial.work('mail', deadLetter())
  await trial.eventually('it is settled', () => mail.settled.length === 1)
  assert.deepEqual(seen(mail.runs[0]!.delivery.event), seen(event))
  const [listed] = await trial.driver.deadLetters.list()
  assert(listed, 'it is among the dead letters')
  const read = await trial.driver.deadLetters.read(listed.id)
  assert(read, 'its dead letter can be read')
  assert.deepEqual([seen(listed.event), seen(read.event)], [seen(event), seen(event)])
}

export const carrying: Cases<DriverTrial> = {
  ...Object.fromEntries(
    Object.entries(bodies).map(([what, rawBody]) => [
      `carries ${what} byte for byte, also among the dead letters`,
      (trial: DriverTrial) => carries(trial, anEvent({ rawBody })),
    ]),
  ),

  async 'carries every field, header and mark of an event'(trial) {
    await carries(
      trial,
      anEvent({
        source: 'shop-2',
        type: 'issues.opened.äöü',
        rawType: 'Issues/Opened:äöü',
        time: 1_700_000_000_001,
        key: "it's 'quoted'; \"twice\" – ☃ 🦄",
        contentType: 'text/plain; charset="utf-8"',
        headers: {
          'user-agent': 'a; b=c, "d"',
          'x-empty': '',
          'x-latin': 'é',
          ...(JSON.parse('{"__proto__":"own"}') as object),
        },
        marks: ['no-key', 'replay-suspected'],
      }),
    )
  },

  async 'adds nothing to an event that has little'(trial) {
    const { contentType: _, ...bare } = anEvent({ rawBody: Buffer.from('x') })
    await carries(trial, bare)
    const letters = await trial.driver.deadLetters.list()
    for (const { event } of letters) {
      assert.deepEqual([event.key, event.contentType, event.marks ?? []], [undefined, undefined, []])
    }
  },
}
