import { parentPort, workerData } from 'node:worker_threads'
import { open } from './database.ts'
import { GroupCommit, type Orders } from './group-commit.ts'

/** What the main thread says to this one. */
export type Said = Orders | { readonly watch: boolean } | { readonly close: true }

const port = parentPort
if (!port) throw new Error('This file runs as a worker thread.')

const { path } = workerData as { path: string }
const file = new GroupCommit({ path, open, tell: (news) => port.postMessage(news) })

port.on('message', (said: Said) => {
  if ('orders' in said) file.push(said)
  else if ('watch' in said) file.watch(said.watch)
  else file.close()
})
