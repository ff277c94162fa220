import { fakeClock } from '@trigger-hub/conformance'
import { keepLease } from '../src/pure/keep-lease.ts'

const leaseMs = 900
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function kept(renew: () => Promise<boolean>) {
  const clock = fakeClock()
  const lost: number[] = []
  const lease = keepLease({ leaseMs, clock, renew, onLost: () => lost.push(clock.monotonicMs()) })
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10)
      await turn()
    }
  }
  return { clock, lost, lease, pass }
}

it('is held for as long as it is renewed', async () => {
  const { lost, lease, pass } = kept(async () => true)
  await pass(leaseMs * 3)
  expect([lost, lease.isLive]).toEqual([[], true])
})

it('is lost at once when the answer says so', async () => {
  const { lost, lease, pass } = kept(async () => false)
  await pass(leaseMs / 3)
  expect([lost.length, lease.isLive]).toEqual([1, false])
})

it('is lost when its time is over although a renewal hangs', async () => {
  const { lost, lease, pass } = kept(() => new Promise(() => undefined))
  await pass(leaseMs - 10)
  expect([lost, lease.isLive]).toEqual([[], true])
  await pass(10)
  expect([lost.length, lease.isLive]).toEqual([1, false])
})

it('survives renewals that fail, if one succeeds in time', async () => {
  let left = 3
  const { lost, pass } = kept(async () => {
    if (left-- > 0) throw new Error('away')
    return true
  })
  await pass(leaseMs * 2)
  expect(lost).toEqual([])
})

it('tells nobody once it is stopped', async () => {
  const { lost, lease, pass } = kept(async () => false)
  lease.stop()
  await pass(leaseMs * 2)
  expect([lost, lease.isLive]).toEqual([[], false])
})
