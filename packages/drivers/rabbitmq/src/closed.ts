import { within } from '@trigger-hub/core/split'
import type { Channel } from 'amqplib'

const closeMs = 1_000

/**
 * Closes a channel, and resolves when it is or would not be: amqplib never says so when the connection ends before the server
 * has answered, and one that stands still does not answer.
 */
export const closed = (channel: Channel): Promise<void> =>
  within(channel.close(), closeMs).catch(() => undefined)
