import { setTimeout } from 'node:timers/promises'
import { everythingOfGitHub, ofGitHub, order, payment, signUp } from './payloads.ts'
import { start, type Running } from './processes.ts'
import { Sender, type Sent, type Webhook } from './sender.ts'
import { books, env, log, runs, sources } from './setting.ts'
import { heading, tell } from './timeline.ts'
import { until } from './until.ts'

/** Who plays. */
export interface Cast {
  receiver: Running
  worker: Running
  readonly sender: Sender
  /** Of the app. */
  readonly url: string
}

/** Everything that happens, in order. Throws if something that must happen does not. */
export async function story(): Promise<Cast> {
  const cast = await curtain()
  await repeats(cast)
  await forgeries(cast)
  await burst(cast)
  await fourSenders(cast) // behind the kills, which would else cut off a run of `invoice` or `shipping` now and then
  await fixedBug(cast)
  await setTimeout(quietMs) // whatever a lease still held would run now
  return cast
}

/** Longer than the lease of 3 s. */
const quietMs = 3_500

async function curtain(): Promise<Cast> {
  heading('An app of two processes and one file; no server')
  const [receiver, worker] = await Promise.all([start('receiver', env), start('worker', env)])
  const url = `http://127.0.0.1:${receiver.port}`
  tell('receiver', `process ${receiver.pid} at ${url}/webhooks`)
  tell('worker', `process ${worker.pid} with the bots archive, search, invoice and shipping`)
  return { receiver, worker, url, sender: new Sender(`${url}/webhooks`, sources, log) }
}

async function fourSenders({ sender }: Cast): Promise<void> {
  heading('An event from each of four senders; three bots hear the order')
  told('a GitHub ping', await sender.deliver(ofGitHub('ping')))
  told('a Stripe payment', await sender.deliver(payment()))
  told('a sign-up', await sender.deliver(signUp()))
  told('a Shopify order', await sender.deliver(order()))
}

async function repeats({ sender }: Cast): Promise<void> {
  heading('An event, and the same again')
  const push = ofGitHub('push')
  told('a push', await sender.deliver(push))
  told('the same push', await sender.deliver(push))
  const fork = ofGitHub('fork')
  const copies = await Promise.all(Array.from({ length: 100 }, () => sender.deliver(fork)))
  const repeats = copies.filter(({ duplicate }) => duplicate).length
  tell(
    'sender',
    `a fork, 100 times at once: ${copies.length - repeats} accepted, ${repeats} duplicate`,
    'good',
  )
}

async function forgeries({ sender }: Cast): Promise<void> {
  heading('What no sender has sent')
  const push = ofGitHub('push')
  const { headers, body } = sender.sign(push)
  const longer = Buffer.concat([body, Buffer.from(' ')])
  told('a push with one space more', await sender.forge(push, { headers, body: longer }))
  const old = payment()
  told('a payment of 10 minutes ago', await sender.forge(old, sender.sign(old, Date.now() - 600_000)))
  const unsigned = order()
  told('an order without a signature', await sender.forge(unsigned, unsigned))
}

async function burst(cast: Cast): Promise<void> {
  heading('A burst, and a SIGKILL for either process')
  const { sender } = cast
  const webhooks = everythingOfGitHub()
  const delivered = deliverAll(sender, webhooks)
  tell('sender', `${webhooks.length} GitHub payloads, ${lanes} at a time`)

  const killReceiver = async (): Promise<void> => {
    const answers = Math.ceil(webhooks.length / 4)
    await sender.acknowledges(answers) // at once, so that the rest meets no receiver however fast it is
    await cast.receiver.end('SIGKILL')
    tell('receiver', `SIGKILL after ${answers} answers; the sender will try again`, 'bad')
    cast.receiver = await start('receiver', { ...env, PORT: String(cast.receiver.port) })
    tell('receiver', `back as process ${cast.receiver.pid}`)
  }
  const killWorker = async (): Promise<void> => {
    await until('half is handled', () => handled('search') > webhooks.length / 2 && unfinished() > 0)
    await cast.worker.end('SIGKILL')
    tell('worker', `SIGKILL in the middle of ${unfinished()} runs; their lease ends in 3 s`, 'bad')
    cast.worker = await start('worker', env)
    tell('worker', `back as process ${cast.worker.pid}`)
  }
  await Promise.all([killReceiver(), killWorker()])

  const repeats = (await delivered).filter(({ duplicate }) => duplicate).length
  const stored = repeats > 0 ? `; ${repeats} of them had been stored, and only the answer was lost` : ''
  tell('sender', `all acknowledged${stored}`, 'good')
  await until('the burst is handled', () => isThrough('archive') && isThrough('search'))
  const extra = Object.values(books().bots).reduce((sum, bot) => sum + bot.extra, 0)
  tell('worker', `all handled; ${extra} runs came again, because the hub had no word of their end`, 'good')
}

/** As many at a time as a large sender opens connections. */
const lanes = 64

async function deliverAll(sender: Sender, webhooks: readonly Webhook[]): Promise<Sent[]> {
  const answers: Sent[] = []
  const waiting = webhooks.values()
  const lane = async (): Promise<void> => {
    for (const webhook of waiting) answers.push(await sender.deliver(webhook))
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return answers
}

async function fixedBug(cast: Cast): Promise<void> {
  heading('A bug is fixed')
  const letter = await until('there is a dead letter', async () => {
    const [first] = (await (await fetch(`${cast.url}/dead-letters`)).json()) as { id: string; bot: string }[]
    return first ?? false
  })
  tell('operator', `finds a dead letter of ${letter.bot} and fixes the bug`)
  await cast.worker.end('SIGTERM')
  cast.worker = await start('worker', { ...env, SHIPPING: 'fixed' })
  tell('worker', `restarted as process ${cast.worker.pid}`)
  await fetch(`${cast.url}/dead-letters/${letter.id}/redrive`, { method: 'POST' })
  tell('operator', 'redrives the dead letter')
  await until('shipping has handled the order', () => isThrough('shipping'))
}

function told(what: string, { status, duplicate }: Sent): void {
  const answer = `${status ?? 'no answer'}${duplicate ? ', duplicate' : ''}`
  tell('sender', `${what}: ${answer}`, status === 200 ? 'good' : 'trouble')
}

const handled = (bot: string): number => runs(bot).filter(({ is }) => is === 'handled').length

const unfinished = (): number =>
  ['archive', 'search'].flatMap(runs).reduce((open, { is }) => open + (is === 'began' ? 1 : -1), 0)

/** Whether a bot has handled all that it hears of what was acknowledged. */
function isThrough(bot: string): boolean {
  const account = books().bots[bot]
  return account !== undefined && account.handled === account.events
}
