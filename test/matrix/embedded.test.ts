import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embedded } from '@trigger-hub/embedded'
import { stories } from './stories.ts'

const folder = mkdtempSync(join(tmpdir(), 'trigger-hub-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

stories(() => embedded({ path: join(folder, randomUUID()) }))
