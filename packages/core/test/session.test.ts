import { fakeClock } from '@trigger-hub/conformance'
import { Session, type RenewedSession } from '@trigger-hub/core'

const leaseMs = 900
const clock = fakeClock()
/** Long enough for what was begun to go on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    clock.advance(10)
    await settled()
  }
}

function opened({ isStopped = false } = {}) {
  const renewed: { id: string; begins: boolean }[] = []
  const ended: string[] = []
  const lost: string[] = []
  const next: { answer: () => RenewedSession } = {
    answer: () => ({ isHeld: true, nextExpiryMs: undefined }),
  }
  const session = new Session({
    clock: isStopped ? { ...clock, after: () => () => undefined } : clock,
    leaseMs,
    renew: async (id, begins) => {
      renewed.push({ id, begins })
      return next.answer()
    },
    end: async (id) => ended.push(id),
    onLost: () => lost.push('lost'),
  })
  return { session, renewed, ended, lost, next }
}

describe('a session', () => {
  it('begins with the first who asks, once for all of them', async () => {
    const { session, renewed } = opened()
    const ids = await Promise.all([session.id(), session.id(), session.id()])
    expect(new Set(ids).size).toBe(1)
    expect(renewed).toEqual([{ id: ids[0], begins: true }])
    expect(session.isLive(ids[0])).toBe(true)
    expect(session.isLive('another')).toBe(false)
  })

  it('is renewed three times in its lease', async () => {
    const { session, renewed, lost } = opened()
    const id = await session.id()
    await pass(leaseMs * 2)
    expect(renewed).toHaveLength(7)
    expect(renewed.at(-1)).toEqual({ id, begins: false })
    expect([session.isLive(id), lost]).toEqual([true, []])
  })

  it('is lost when whoever keeps it says so, and another one begins', async () => {
    const { session, lost, next } = opened()
    const id = await session.id()
    next.answer = () => ({ isHeld: false, nextExpiryMs: undefined })
    await pass(leaseMs / 2)
    expect([session.isLive(id), lost]).toEqual([false, ['lost']])
    expect(await session.id()).not.toBe(id)
  })

  it('is lost when nobody could be asked for as long as its lease', async () => {
    const { session, lost, next } = opened()
    const id = await session.id()
    next.answer = () => {
      throw new Error('out of reach')
    }
    await pass(leaseMs * 0.9)
    expect([session.isLive(id), lost]).toEqual([true, []])
    await pass(leaseMs * 0.2)
    expect([session.isLive(id), lost]).toEqual([false, ['lost']])
  })

  it('is not live once its time is over, although its process was stopped and has not noticed', async () => {
    const { session, lost } = opened({ isStopped: true })
    const id = await session.id()
    await pass(leaseMs)
    expect([session.isLive(id), lost]).toEqual([false, []])
  })

  it('looks again when the lease of another one runs out', async () => {
    const { session, renewed, next } = opened()
    next.answer = () => ({ isHeld: true, nextExpiryMs: 49 })
    await session.id()
    next.answer = () => ({ isHeld: true, nextExpiryMs: undefined })
    await pass(60)
    expect(renewed).toHaveLength(2)
    await pass(200)
    expect(renewed).toHaveLength(2)
  })

  it('gives back what it runs when it ends, and is renewed no more', async () => {
    const { session, renewed, ended, lost } = opened()
    const id = await session.id()
    await session.end()
    await pass(leaseMs)
    expect([ended, renewed.length, lost]).toEqual([[id], 1, []])
    expect(session.isLive(id)).toBe(false)
  })

  it('that is still beginning when it is to end is ended as well', async () => {
    const { session, ended } = opened()
    const id = session.id()
    await session.end()
    expect(ended).toEqual([await id])
  })
})
