import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { page } from '../../../../scripts/providers.ts'
import { presets } from '../../src/sources/presets.ts'

it('docs/providers.md says what the records say', () => {
  expect(readFileSync(join(__dirname, '../../../../docs/providers.md'), 'utf8')).toBe(page())
})

it('has a row and a section for every sender', () => {
  for (const { provider } of presets) {
    expect(page()).toContain(`](#${provider})`)
    expect(page()).toContain(`<a id="${provider}"></a>`)
  }
})
