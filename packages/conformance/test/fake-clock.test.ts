import { fakeClock } from '@trigger-hub/conformance'

it('stands still until it is moved', () => {
  const clock = fakeClock(1_000)
  const monotonic = clock.monotonicMs()
  clock.advance(250)
  expect([clock.now(), clock.monotonicMs() - monotonic]).toEqual([1_250, 250])
})

it('runs what comes due in the order of time, each at its own time', () => {
  const clock = fakeClock(0)
  const ran: [string, number][] = []
  const run = (name: string) => () => void ran.push([name, clock.now()])
  clock.after(200, run('late'))
  clock.after(100, () => {
    run('early')()
    clock.after(50, run('between'))
  })
  clock.after(301, run('never'))
  clock.advance(300)
  expect(ran).toEqual([
    ['early', 100],
    ['between', 150],
    ['late', 200],
  ])
  expect(clock.now()).toBe(300)
})

it('does not run what was cancelled', () => {
  const clock = fakeClock()
  let ran = false
  const cancel = clock.after(10, () => (ran = true))
  cancel()
  clock.advance(20)
  expect(ran).toBe(false)
})
