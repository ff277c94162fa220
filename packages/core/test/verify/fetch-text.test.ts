import { fetchText, isPublicAddress } from '@trigger-hub/core/verify'
import { fetchText as fetchVia, type Reach } from '../../src/verify/fetch-text.ts'
import { hosts } from './https.ts'

const host = 'sns.us-east-1.amazonaws.com'
const url = `https://${host}/a.pem`

describe('an address', () => {
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
  ])('is never connected to when it is %s', (address) => expect(isPublicAddress(address)).toBe(false))

  it.each(['8.8.8.8', '52.94.0.1', '172.15.0.1', '172.32.0.1', '2600:1f00::1'])(
    'may be connected to when it is %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )
})

describe('fetchText', () => {
  it('gets a text from a host that may be asked', async () => {
    const { asked, fetch } = await hosts((_, response) => response.end('a certificate'))
    await expect(fetch(url, { hosts: [host] })).resolves.toBe('a certificate')
    expect(asked).toEqual([`GET ${url}`])
  })

  it.each([
    [`http://${host}/a.pem`, 'plain http'],
    [`https://${host}:8443/a.pem`, 'another port'],
    [`https://user:pw@${host}/a.pem`, 'credentials'],
    ['https://attacker.example/a.pem', 'another host'],
    [`https://${host}.attacker.example/a.pem`, 'a longer host'],
  ])('does not ask %s: %s', async (other) => {
    const { asked, fetch } = await hosts((_, response) => response.end())
    await expect(fetch(other, { hosts: [host] })).rejects.toThrow('may be asked')
    expect(asked).toEqual([])
  })

  it('does not follow a redirect', async () => {
    const { asked, fetch } = await hosts((_, response) =>
      response.writeHead(302, { location: 'https://www.googleapis.com/elsewhere' }).end(),
    )
    await expect(fetch(url, { hosts: [host, 'www.googleapis.com'] })).rejects.toThrow('answered 302')
    expect(asked).toHaveLength(1)
  })

  it('stops reading at the limit, whatever length is announced', async () => {
    const { fetch } = await hosts((_, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' })
      const more = (): void => void (response.writable && response.write('x'.repeat(1_000), more))
      more()
    })
    await expect(fetch(url, { hosts: [host], limitBytes: 10_000 })).rejects.toThrow('more than 10000 bytes')
  })

  it('gives up on a host that does not finish', async () => {
    const { fetch } = await hosts((_, response) => void response.write('never ends'))
    await expect(fetch(url, { hosts: [host], timeoutMs: 100 })).rejects.toThrow()
  })

  it('refuses a server whose certificate is for another host', async () => {
    const { fetch } = await hosts((_, response) => response.end())
    await expect(fetch('https://attacker.example/', { hosts: ['attacker.example'] })).rejects.toThrow(
      /certificate|altnames/i,
    )
  })

  it('refuses a host whose name leads back to this machine, when it connects', async () => {
    await expect(fetchText('https://localhost/a.pem', { hosts: ['localhost'] })).rejects.toThrow(
      'does not lead to the internet',
    )
  })

  it('refuses a host of which one address is private', async () => {
    const { reach } = await hosts((_, response) => response.end())
    const resolve = answering([['93.184.216.34'], ['127.0.0.1']].flat())
    await expect(
      fetchVia(url, { hosts: [host] }, { ...reach, resolve, allows: isPublicAddress }),
    ).rejects.toThrow('does not lead to the internet')
  })

  it('connects to the very address that it has looked at: DNS is not asked again', async () => {
    const { reach } = await hosts((_, response) => response.end('here'))
    let times = 0
    const rebinding = ((...args: Parameters<typeof reach.resolve>) =>
      answering([times++ === 0 ? '127.0.0.1' : '127.0.0.2'])(...args)) as Reach['resolve']
    const looked: string[] = []
    const allows = (address: string): boolean => looked.push(address) > 0
    await expect(fetchVia(url, { hosts: [host] }, { ...reach, resolve: rebinding, allows })).resolves.toBe(
      'here',
    )
    expect([times, looked]).toEqual([1, ['127.0.0.1']])
  })
})

const answering = (addresses: string[]): Reach['resolve'] =>
  ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    )) as unknown as Reach['resolve']
