import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { awsSns } from '@trigger-hub/core/sources'
import { fetchText, isPublicAddress, prepare, RequestHeaders, verify } from '@trigger-hub/core/verify'
import type { VectorFile } from '../../../../test/vectors/run.ts'

const { vectors } = JSON.parse(
  readFileSync(join(__dirname, '../../../../test/vectors/aws-sns.json'), 'utf8'),
) as VectorFile
const request = (name: string) => {
  const vector = vectors.find((one) => one.name.startsWith(name))!
  const { method, url, headers, bodyBase64, now, certificates = {} } = vector
  const of = {
    method,
    url,
    headers: RequestHeaders.from(headers),
    rawBody: Buffer.from(bodyBase64, 'base64'),
  }
  return { of, nowMs: now * 1_000, certificates }
}

describe('prepare', () => {
  it('fetches the certificate that a message names, once, and only with fetch: true', async () => {
    const { of, nowMs, certificates } = request('Notification, version 2')
    const fetch = jest.fn(async (url: string) => certificates[url] ?? '')
    const source = awsSns({ fetch: true })

    expect(verify(source, of, nowMs).ok).toBe(false)
    await Promise.all([prepare(source, of, nowMs, fetch), prepare(source, of, nowMs, fetch)])
    await prepare(source, of, nowMs, fetch)
    expect(verify(source, of, nowMs)).toEqual({ ok: true })
    expect(fetch.mock.calls.map(([url]) => url)).toEqual(Object.keys(certificates))

    const handed = awsSns({
      certificates: { 'https://sns.eu-west-1.amazonaws.com/other.pem': Object.values(certificates)[0]! },
    })
    await prepare(handed, of, nowMs, fetch)
    expect(fetch).toHaveBeenCalledTimes(1)
  })

  it.each(vectors.filter(({ name }) => name.startsWith('certificate URL')))(
    'asks nobody for $name',
    async ({ name }) => {
      const { of, nowMs, certificates } = request(name)
      const fetch = jest.fn(async (url: string) => certificates[url] ?? '')
      const source = awsSns({ fetch: true })
      await prepare(source, of, nowMs, fetch)
      expect(fetch).not.toHaveBeenCalled()
      expect(verify(source, of, nowMs).ok).toBe(false)
    },
  )

  it('does not ask again at once for what was not there, and never rejects', async () => {
    const { of, nowMs } = request('Notification, version 2')
    const fetch = jest.fn(async () => Promise.reject(new Error('out of reach')))
    const source = awsSns({ fetch: true })
    await prepare(source, of, nowMs, fetch)
    await prepare(source, of, nowMs + 59_000, fetch)
    expect(fetch).toHaveBeenCalledTimes(1)
    await prepare(source, of, nowMs + 60_000, fetch)
    expect(fetch).toHaveBeenCalledTimes(2)
    expect(verify(source, of, nowMs).ok).toBe(false)
  })
})

describe('fetchText', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'not an address',
    '',
  ])('never connects to %s', (address) => expect(isPublicAddress(address)).toBe(false))

  it.each(['8.8.8.8', '52.94.0.1', '172.15.0.1', '172.32.0.1', '2600:1f00::1'])(
    'may connect to %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )

  it.each([
    ['http://sns.us-east-1.amazonaws.com/a.pem', 'plain http'],
    ['https://sns.us-east-1.amazonaws.com:8443/a.pem', 'another port'],
    ['https://user:pw@sns.us-east-1.amazonaws.com/a.pem', 'credentials'],
    ['https://attacker.example/a.pem', 'another host'],
    ['https://sns.us-east-1.amazonaws.com.attacker.example/a.pem', 'a longer host'],
  ])('refuses %s: %s', async (url) => {
    await expect(fetchText(url, { hosts: ['sns.us-east-1.amazonaws.com'] })).rejects.toThrow('may be asked')
  })

  it('refuses a host whose name leads back to this machine, when it connects', async () => {
    await expect(fetchText('https://localhost/a.pem', { hosts: ['localhost'] })).rejects.toThrow(
      'does not lead to the internet',
    )
  })
})
