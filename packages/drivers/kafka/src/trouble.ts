import { DriverUnavailableError } from '@trigger-hub/core'

interface KafkaTrouble {
  readonly name?: string
  readonly message?: string
  /** Of an answer of the broker. */
  readonly type?: string
  readonly cause?: unknown
  /** Of each topic that was asked for. */
  readonly errors?: readonly KafkaTrouble[]
}

const fixes: readonly [RegExp, string][] = [
  [/\bECONNREFUSED\b/, 'nobody listens at that address; start the broker, or correct "brokers".'],
  [
    /\b(ENOTFOUND|EAI_AGAIN)\b/,
    'its name leads nowhere; correct "brokers", or the broker\'s advertised.listeners.',
  ],
  [
    /\bTLS\b|\bSSL\b|_CERT|certificate/i,
    'the broker cannot be spoken to over TLS; check "ssl", and whether that port is one for TLS.',
  ],
  [/SASL|Authentication/i, 'the broker refuses the credentials; check "sasl" and "ssl".'],
  [
    /AUTHORIZATION_FAILED/,
    'the user may not do what is needed; allow it to create, read and write topics and groups of the prefix.',
  ],
  [
    /NOT_ENOUGH_REPLICAS/,
    'fewer replicas are in sync than min.insync.replicas asks for; bring its brokers back.',
  ],
  [/MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/, 'the event is larger than max.message.bytes of the topic.'],
  [/LEADER_NOT_AVAILABLE|NOT_LEADER|There is no leader/, 'a partition has no leader at the moment.'],
  [
    /UNKNOWN_TOPIC_OR_PARTITION|does not host this topic/,
    'a topic is not there; start the hub once more, so that it is made.',
  ],
  [
    /INVALID_REPLICATION_FACTOR/,
    'it takes no topic with one, two or three copies; wait until the brokers have started.',
  ],
  [/timed out|no answer within/i, 'it does not answer.'],
  [
    /ECONNRESET|EPIPE|Closed connection|Connection error|closed|TypeError .*\bnull\b/i,
    'the connection was lost, and another one is being made.',
  ],
]

/** What to do about an error, in one line. Never holds what the broker said beyond a short code. */
export function fixOf(error: unknown): string {
  const text = allOf(error)
    .map(({ name = '', message = '', type = '' }) => `${name} ${type} ${message}`)
    .join(' ')
  const known = fixes.find(([sign]) => sign.test(text))
  return known ? known[1] : `it is not connected (${allOf(error).at(-1)?.name ?? 'Error'}).`
}

export const unavailable = (error: unknown): DriverUnavailableError =>
  error instanceof DriverUnavailableError
    ? error
    : new DriverUnavailableError('kafka', fixOf(error), { cause: error })

/**
 * Says no, and has surely not stored anything. Too few replicas are not among these: kafkajs tries once more and tells of
 * the second try only, and the first may have stored it.
 */
const refusals =
  /AUTHORIZATION_FAILED|MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE|UNKNOWN_TOPIC_OR_PARTITION|INVALID_RECORD/

export const isRefusal = (error: unknown): boolean =>
  allOf(error).some(({ type = '' }) => refusals.test(type))

/**
 * What the client knows of the brokers is out of date, or something on them has only just been made, or they have only just
 * been started and none of them takes a copy yet. A `TypeError` as well, for of a topic that the broker has not heard of
 * kafkajs takes apart offsets that it has not got (`fetchTopicOffsets`).
 */
export const isStale = (error: unknown): boolean =>
  allOf(error).some(({ type = '', name = '', message = '' }) =>
    /LEADER|COORDINATOR|LOAD_IN_PROGRESS|UNKNOWN_TOPIC_OR_PARTITION|REPLICA_NOT_AVAILABLE|INVALID_REPLICATION_FACTOR|GroupCoordinatorNotFound|BrokerNotFound|TypeError .*'partitions' of .*undefined/.test(
      `${type}${name} ${message}`,
    ),
  )

/** A broker is gone, and the one that was asked where to go does not know it yet. Nothing was sent. */
const isGone = (error: unknown): boolean => allOf(error).some(({ name }) => name === 'KafkaJSConnectionError')

/**
 * The connection broke, or the broker did not answer on it: a `TypeError` as well, for where none of the brokers answers
 * kafkajs takes apart the null that it has instead (`withBroker`).
 */
const isLost = (error: unknown): boolean =>
  allOf(error).some(({ name = '', message = '' }) =>
    /RequestTimeout|LockTimeout|no answer within|ConnectionClosed|Closed connection|ECONNRESET|EPIPE|TypeError .*\bnull\b/.test(
      `${name} ${message}`,
    ),
  )

/** It may be otherwise with the next try, on another connection. */
export const isPassing = (error: unknown): boolean => isStale(error) || isGone(error) || isLost(error)

/** The error and what it came of. */
function allOf(error: unknown): KafkaTrouble[] {
  const all: KafkaTrouble[] = []
  for (let one = error as KafkaTrouble | undefined; one && all.length < 5; one = one.cause as typeof one)
    all.push(one, ...(one.errors ?? []))
  return all
}

/** A topic was to have more copies than there are brokers, or another number than they take. */
export const wantsFewerCopies = (error: unknown): boolean =>
  allOf(error).some(({ type }) => type === 'INVALID_REPLICATION_FACTOR')

/** The group is being shared out anew; what was committed is then somebody else's to commit. */
export const isRebalance = (error: unknown): boolean =>
  allOf(error).some(({ type = '' }) =>
    [
      'REBALANCE_IN_PROGRESS',
      'ILLEGAL_GENERATION',
      'UNKNOWN_MEMBER_ID',
      'NOT_COORDINATOR_FOR_GROUP',
    ].includes(type),
  )
