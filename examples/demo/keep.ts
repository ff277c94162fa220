import { relative } from 'node:path'
import { follow } from './follow.ts'
import { start, type Running } from './processes.ts'
import { env, folder, hearing } from './setting.ts'
import type { Cast } from './story.ts'
import { heading, tell } from './timeline.ts'

/** Leaves the app running to play with; a process that dies is started again. Never resolves. */
export async function keep({ receiver, worker, sender, url }: Cast): Promise<void> {
  const body = Buffer.from(JSON.stringify({ zen: 'Keep it logically awesome.' }))
  const { headers } = sender.sign({ source: 'code', key: 'by-hand-1', headers: { ...byHand }, body })
  const place = relative(process.cwd(), folder)
  const lines = Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`)
  heading('It goes on: Ctrl-C ends it')
  console.log(`
  Send a signed event; send it again, and it is a duplicate; change a byte, and it is refused:

    curl -i ${url}/webhooks/code \\
      ${lines.join(' \\\n      ')} \\
      -d '${body.toString()}'

  The dead letters:     curl ${url}/dead-letters
  A worker's death:     kill -9 ${worker.pid}
  All that is written:  tail -f ${place}/*.jsonl
  The file of the hub:  ${place}/hub.db (SQLite)
`)
  follow(Object.keys(hearing), 100)
  await Promise.all([
    again('receiver', receiver, { ...env, PORT: String(receiver.port) }),
    again('worker', worker, { ...env, SHIPPING: 'fixed' }),
  ])
}

const byHand = { 'x-github-event': 'ping', 'x-github-delivery': 'by-hand-1' }

async function again(role: 'receiver' | 'worker', running: Running, env: NodeJS.ProcessEnv): Promise<never> {
  for (let now = running; ;) {
    await now.gone
    now = await start(role, env)
    tell(role, `it was gone; started again as process ${now.pid}`)
  }
}
