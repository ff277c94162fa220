import { patienceMs } from './patience.ts'

/** What the management API tells about the queues of a hub. */
export interface Seen {
  /** Of the cluster, whether they are up or not. */
  readonly nodes: number
  readonly queues: readonly SeenQueue[]
  /** Policies that can drop messages. */
  readonly losing: readonly { readonly policy: string; readonly settings: readonly string[] }[]
}

export interface SeenQueue {
  readonly name: string
  /** On how many nodes a message is kept. */
  readonly members: number
  /** How many of them are up. */
  readonly online: number
}

interface Queue {
  readonly name: string
  readonly type?: string
  readonly members?: readonly string[]
  readonly online?: readonly string[]
  readonly policy?: string | null
  readonly operator_policy?: string | null
  readonly effective_policy_definition?: Readonly<Record<string, unknown>>
}

/** A policy counts beside the arguments with which a queue was made, and these have no argument that keeps it out. */
const losing = ['message-ttl', 'expires', 'max-length', 'max-length-bytes']

/**
 * Asks for the nodes, and for the queues whose names begin with the prefix.
 * @see RabbitMQ Management HTTP API, `/api/nodes`, `/api/queues`
 */
export async function lookAt(management: string, prefix: string): Promise<Seen> {
  const [nodes, all] = await Promise.all([
    asked<readonly unknown[]>(management, 'api/nodes'),
    asked<readonly Queue[]>(management, 'api/queues'),
  ])
  const queues = all.filter(({ name }) => name.startsWith(`${prefix}/`))
  const policies = new Map<string, Set<string>>()
  for (const { policy, operator_policy, effective_policy_definition = {} } of queues) {
    const settings = losing.filter((setting) => setting in effective_policy_definition)
    const name = policy ?? operator_policy ?? ''
    if (settings.length > 0) policies.set(name, new Set([...(policies.get(name) ?? []), ...settings]))
  }
  return {
    nodes: nodes.length,
    queues: queues.map(({ name, members = [name], online = members }) => {
      return { name, members: members.length, online: online.length }
    }),
    losing: [...policies].map(([policy, settings]) => ({ policy, settings: [...settings] })),
  }
}

async function asked<Answer>(management: string, path: string): Promise<Answer> {
  const url = new URL(path, management.endsWith('/') ? management : `${management}/`)
  const { username, password } = url
  url.username = url.password = ''
  const given = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const answer = await fetch(url, {
    headers: username ? { authorization: `Basic ${Buffer.from(given).toString('base64')}` } : {},
    signal: AbortSignal.timeout(patienceMs),
  })
  if (!answer.ok) throw new Error(`The management API answered ${answer.status}.`)
  return (await answer.json()) as Answer
}
