import { SetupError, type BotDeclaration, type EventRecord } from '@trigger-hub/core'
import { createHash } from 'node:crypto'

/** How everything of one hub is called on the server. No prefix and no bot has a slash, so names of two hubs never meet. */
export class Names {
  /** Topic exchange for events. */
  readonly events: string
  /** Direct exchange back to a bot, by its name. */
  readonly again: string
  /** Exchange and queue for what the server has given up on. */
  readonly failed: string
  /** Exchange and queue for what comes back to a bot that is no more. */
  readonly orphans: string
  /** Queue for events that no bot wanted. */
  readonly unmatched: string

  constructor(readonly prefix: string) {
    this.events = `${prefix}/events`
    this.again = `${prefix}/again`
    this.failed = `${prefix}/failed`
    this.orphans = `${prefix}/orphans`
    this.unmatched = `${prefix}/unmatched`
  }

  /** Queue for what is new to a bot. */
  bot = (name: string): string => `${this.prefix}/bot/${name}`

  /** Queue for what comes back to a bot, which a backlog must not hold up. */
  botAgain = (name: string): string => `${this.prefix}/again/${name}`

  waiting = (rungMs: number): string => `${this.prefix}/wait/${rungMs}`
}

const longestKey = 255
/** A type has at most 200 bytes, so that a key has room for as many of its source. */
const longestSource = 54

/** The routing key of an event: `source.type`. */
export const routingKey = ({ source, type }: Pick<EventRecord, 'source' | 'type'>): string =>
  `${segmentOf(source)}.${type}`

/**
 * The binding keys of a bot.
 * @throws SetupError `ERR_BOT_INVALID` for a pattern that is longer than the protocol allows
 */
export const bindingKeys = ({ name, on }: BotDeclaration): string[] =>
  on.map((text) => {
    const colon = text.indexOf(':')
    const source = segmentOf(text.slice(0, colon))
    const key = `${source}.${text.slice(colon + 1).replaceAll('**', '#')}`
    if (Buffer.byteLength(key) <= longestKey) return key
    throw new SetupError(
      'ERR_BOT_INVALID',
      `Bot "${name}": the pattern "${text.slice(0, 40)}…" is longer than RabbitMQ takes; use at most ${longestKey} bytes.`,
    )
  })

/** A source as a segment of a key; a long name is cut, and told apart by a digest. */
function segmentOf(source: string): string {
  if (source.length <= longestSource) return source
  const digest = createHash('sha256').update(source).digest('base64url').slice(0, 20)
  return `${source.slice(0, longestSource - digest.length - 1)}~${digest}`
}
