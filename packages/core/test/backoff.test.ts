import { backoff, retryPolicy, type RetryOptions } from '../src/pure/backoff.ts'

const waits = (options: RetryOptions, attempts: number, random = () => 0): number[] =>
  Array.from({ length: attempts }, (_, i) => backoff(i + 2, retryPolicy(options), random))

test.each<[string, RetryOptions, number[]]>([
  ['three retries after 1 s, 2 s and 4 s by default', {}, [1_000, 2_000, 4_000]],
  [
    'an exponential schedule doubles its base up to the cap',
    { base: '10s', max: '1m' },
    [10_000, 20_000, 40_000, 60_000, 60_000],
  ],
  ['a fixed schedule repeats its base', { schedule: 'fixed', base: 500 }, [500, 500, 500]],
  ['an explicit schedule gives each wait', { schedule: ['1s', '5m', 250] }, [1_000, 300_000, 250]],
  [
    'an explicit schedule repeats its last wait',
    { schedule: ['1s', '2s'], retries: 4 },
    [1_000, 2_000, 2_000, 2_000],
  ],
  ['the cap holds for an explicit schedule', { schedule: ['2h'], max: '1h' }, [3_600_000]],
])('%s', (_, options, expected) => {
  expect(waits(options, expected.length)).toEqual(expected)
})

test('retries as often as an explicit schedule has waits', () => {
  expect(retryPolicy({ schedule: ['1s', '2s'] }).retries).toBe(2)
  expect(retryPolicy().retries).toBe(3)
})

test('jitter takes its part off the wait at random', () => {
  expect(waits({ jitter: 1 }, 2, () => 0.5)).toEqual([500, 1_000])
  expect(waits({ jitter: 0.2 }, 1, () => 0.5)).toEqual([900])
})

test('stays finite for the thousandth attempt', () => {
  expect(backoff(1_000, retryPolicy({ retries: 1_000 }), Math.random)).toBe(3_600_000)
})

test.each<[string, object, RegExp]>([
  [
    'a negative number of retries',
    { retries: -1 },
    /"retry.retries" is -1: use a whole number from 0 to 1000/,
  ],
  ['half a retry', { retries: 1.5 }, /retry.retries/],
  ['an unknown schedule', { schedule: 'linear' }, /retry.schedule.*'exponential', 'fixed'/],
  ['an empty schedule', { schedule: [] }, /retry.schedule.*at least one wait/],
  ['jitter above 1', { jitter: 2 }, /retry.jitter/],
  ['a bad duration', { base: '1 second' }, /retry.base.*'500ms'/],
  [
    'a misspelt option',
    { retrys: 3 },
    /retry has no option "retrys". It takes: base, jitter, max, retries, schedule/,
  ],
])('refuses %s', (_, options, message) => {
  expect(() => retryPolicy(options)).toThrow(message)
})
