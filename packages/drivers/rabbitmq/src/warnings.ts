import type { Seen, SeenQueue } from './management.ts'

/** From so many on, a queue survives the loss of one and goes on without it. */
export const safeMembers = 3

/** Of any queue; 0 when there is none. */
export const fewestMembers = ({ queues }: Seen): number =>
  queues.length > 0 ? Math.min(...queues.map(({ members }) => members)) : 0

/** Warns of what makes events less safe than they might be, or keeps them out. */
export function warnOfServer(seen: Seen, warn: (code: string, message: string) => void): void {
  const fewest = fewestMembers(seen)
  const few = seen.queues.filter(({ members }) => members < safeMembers)
  if (seen.nodes < safeMembers) {
    warn(
      'WARN_RABBITMQ_SINGLE_NODE',
      `The queues of RabbitMQ have ${fewest} member${fewest === 1 ? '' : 's'}: an accepted event survives a restart, not the loss of that disk. With three nodes it does.`,
    )
  } else if (few.length > 0) {
    warn(
      'WARN_RABBITMQ_FEW_MEMBERS',
      `The cluster of RabbitMQ has ${seen.nodes} nodes, but ${named(few)} fewer than ${safeMembers} members: an accepted event does not survive the loss of their disks. Add members with "rabbitmq-queues grow".`,
    )
  }
  const crippled = seen.queues.filter(({ members, online }) => online < members)
  const stuck = crippled.filter(({ members, online }) => online <= members / 2)
  if (stuck.length > 0) {
    warn(
      'WARN_RABBITMQ_MEMBERS_AWAY',
      `In RabbitMQ ${named(stuck)} no majority of members that is up: events are refused until there is one again. Start the nodes that are down.`,
    )
  } else if (crippled.length > 0) {
    warn(
      'WARN_RABBITMQ_MEMBERS_AWAY',
      `In RabbitMQ ${named(crippled)} members that are down: if more go down, events are refused. Start those nodes.`,
    )
  }
  for (const { policy, settings } of seen.losing) {
    warn(
      'WARN_RABBITMQ_POLICY',
      `The policy "${policy}" of RabbitMQ applies to the queues of this hub and sets ${settings.join(', ')}: accepted events can be dropped. Exclude the queues that begin with the prefix.`,
    )
  }
}

const named = ([first, ...others]: readonly SeenQueue[]): string =>
  others.length > 0
    ? `${others.length + 1} queues, "${first?.name}" among them, have`
    : `the queue "${first?.name}" has`
