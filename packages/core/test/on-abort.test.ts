import { getEventListeners } from 'node:events'
import { onAbort } from '../src/pure/on-abort.ts'

test('all who wait for a signal are called, but for those who wait no more, and share one listener', () => {
  const controller = new AbortController()
  const called: number[] = []
  const stops = [0, 1, 2].map((nth) => onAbort(controller.signal, () => called.push(nth)))
  stops[1]!()
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
  controller.abort()
  expect(called).toEqual([0, 2])
})
