import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embedded } from '@trigger-hub/embedded'
import { kafka } from '@trigger-hub/kafka'
import { needs } from '../servers/needs.ts'
import { stories } from './stories.ts'

needs('kafka', (brokers) => {
  const folder = mkdtempSync(join(tmpdir(), 'trigger-hub-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  stories(() => {
    const prefix = `matrix-${randomUUID()}`
    return kafka({ brokers, store: embedded({ path: join(folder, prefix) }), prefix })
  })
})
