import { fakeClock } from '@trigger-hub/conformance'
import { deadlineIn, TooLate, within } from '../src/pure/deadline.ts'

const never = new Promise<never>(() => undefined)

it('gives what the promise gives when it comes in time', async () => {
  await expect(within(Promise.resolve('here'), 1_000)).resolves.toBe('here')
  await expect(within(Promise.reject(new Error('broken')), 1_000)).rejects.toThrow('broken')
})

it('rejects with TooLate, which says how long was waited, when it does not', async () => {
  await expect(within(never, 5.4)).rejects.toThrow(new TooLate(5))
})

it('one deadline holds for several promises, one after the other', async () => {
  const clock = fakeClock()
  const inTime = deadlineIn(100, clock, () => new Error('too late'))
  clock.advance(90)
  const last = expect(inTime(never)).rejects.toThrow('too late')
  clock.advance(10)
  await last
  await expect(inTime(Promise.resolve('at once'))).resolves.toBe('at once')
})
