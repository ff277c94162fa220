import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

// a list each, for a network of IPv6 that holds the mapped addresses would hold every IPv4 address
/** Networks that are not the internet: this machine, private, link-local, shared, documentation, multicast, reserved. */
const inward = { 4: new BlockList(), 6: new BlockList() }
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  inward[4].addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  ['::', 8], // loopback, unspecified, IPv4-mapped and -compatible
  ['64:ff9b::', 32],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const) {
  inward[6].addSubnet(network, prefix, 'ipv6')
}

/** Whether an address leads out to the internet. */
export const isPublicAddress = (address: string): boolean => {
  const version = isIP(address)
  if (version === 4) return !inward[4].check(address, 'ipv4')
  return version === 6 && !inward[6].check(address, 'ipv6')
}

/** How a host is reached. Only tests, which have servers of their own, reach another one than the internet's. */
export interface Reach {
  readonly resolve: typeof lookup
  readonly allows: (address: string) => boolean
  readonly port?: number
  readonly ca?: string
}

const internet: Reach = { resolve: lookup, allows: isPublicAddress }

/** Resolves once and hands the very address that was looked at to the connection, so that no second answer of DNS counts. */
const pinned =
  ({ resolve, allows }: Reach): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '')
      const bad = addresses.find(({ address }) => !allows(address))
      const [first] = addresses
      if (bad || !first) return callback(new Error(`${hostname} does not lead to the internet.`), '')
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family)
    })
  }

export interface FetchTextOptions {
  /** The hosts that may be asked, exactly: `sns.us-east-1.amazonaws.com`. */
  readonly hosts: readonly string[]
  /** Default 64 kB. */
  readonly limitBytes?: number
  /** For the whole exchange, milliseconds. Default 3,000. */
  readonly timeoutMs?: number
}

/**
 * Gets a small text, such as a certificate or a key set, over https from one of a few hosts. The port is 443, a redirect
 * is an error, and an address that is not public is never connected to.
 * @throws Error one line that says why not
 */
export async function fetchText(
  url: string,
  options: FetchTextOptions,
  reach: Reach = internet,
): Promise<string> {
  const { hosts, limitBytes = 65_536, timeoutMs = 3_000 } = options
  const { protocol, hostname, port, username, password } = new URL(url)
  if (
    protocol !== 'https:' ||
    port !== '' ||
    username !== '' ||
    password !== '' ||
    !hosts.includes(hostname)
  ) {
    throw new Error(`${hostname} is not one of the hosts that may be asked, over https at port 443.`)
  }
  const { request } = await import('node:https') // most receivers never fetch anything
  return new Promise((resolve, reject) => {
    const asking = request(
      url,
      {
        lookup: pinned(reach),
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
        ...(reach.port === undefined ? {} : { port: reach.port }),
        ...(reach.ca === undefined ? {} : { ca: reach.ca }),
      },
      (answer) => {
        const chunks: Buffer[] = []
        let length = 0
        if (answer.statusCode !== 200) {
          asking.destroy(new Error(`${hostname} answered ${answer.statusCode}.`))
          return
        }
        answer.on('data', (chunk: Buffer) => {
          length += chunk.length
          chunks.push(chunk)
          if (length > limitBytes)
            asking.destroy(new Error(`${hostname} answered with more than ${limitBytes} bytes.`))
        })
        answer.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
        answer.on('error', reject)
      },
    )
    asking.on('error', reject)
    asking.end()
  })
}
