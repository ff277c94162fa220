import { connect } from 'amqplib'
import { ladder } from '../src/ladder.ts'
import { Names } from '../src/names.ts'

/** Removes what a hub has on the server, so that one server can stand a whole run of tests. */
export async function wipe(url: string, prefix: string, bots: readonly string[]): Promise<void> {
  const names = new Names(prefix)
  const connection = await connect(url)
  const channel = await connection.createChannel()
  const { events, again, failed, orphans, unmatched, waiting } = names
  const ofBots = bots.flatMap((bot) => [names.bot(bot), names.botAgain(bot)])
  for (const queue of [...ofBots, failed, orphans, unmatched, ...ladder.map(waiting)]) {
    await channel.deleteQueue(queue)
  }
  for (const exchange of [events, again, failed, orphans]) await channel.deleteExchange(exchange)
  await connection.close()
}
